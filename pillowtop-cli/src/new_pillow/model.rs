//! A draft of a module with a pillow in it: structs and what is declared of their fields, before it
//! is text.

use serde_json::Value;

/// A module: structs that refer to each other by their place in the list, the document first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// What the module's documentation says, in lines.
    pub(crate) docs: Vec<String>,
    pub(crate) pillow: PillowDraft,
    pub(crate) structs: Vec<StructDraft>,
}

/// `#[couch(...)]` and `#[pillow(...)]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct PillowDraft {
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) doc_types: Vec<String>,
    /// The types of deleted documents.
    pub(crate) deleted: Vec<String>,
    /// The member that holds the type, where it is not `doc_type`.
    pub(crate) type_field: Option<String>,
    /// What to know about the document types, as a comment; empty for none.
    pub(crate) doc_type_comment: String,
    /// The database that the documents were read from.
    pub(crate) database: Option<String>,
    pub(crate) carries_unknown: bool,
    /// The `join` field, by its JSON names, whose parents' ids are the routing values.
    pub(crate) routed_by: Option<Vec<String>>,
    /// The path of the settings from the crate's directory, or the settings themselves as JSON.
    pub(crate) settings: Option<String>,
}

/// A struct.
#[derive(Debug, Clone)]
pub(crate) struct StructDraft {
    /// Where it stands in the document, each path by its JSON names; a struct may stand in several
    /// places. None for the document.
    pub(crate) places: Vec<Vec<String>>,
    /// Whether it is an element of a list, which is named in the singular.
    pub(crate) is_element: bool,
    pub(crate) docs: Vec<String>,
    pub(crate) es: Vec<EsItem>,
    pub(crate) fields: Vec<FieldDraft>,
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct FieldDraft {
    pub(crate) json_name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) rust_type: RustType,
    pub(crate) shape: Shape,
    pub(crate) es: Vec<EsItem>,
}

/// How often a value is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Once or not at all.
    Optional,
    /// Once in every sample.
    Always,
    /// Any number of times.
    List,
    /// A list whose elements may be null.
    ListOfOptions,
    /// A list, or null.
    OptionalList,
    /// A list whose elements may be null, or null.
    OptionalListOfOptions,
}

/// A Rust type that generated code uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RustType {
    Text,
    Boolean,
    I8,
    I16,
    I32,
    I64,
    U64,
    F32,
    F64,
    IpAddress,
    Instant,
    Date,
    /// `Vec<f32>`
    Vector,
    /// `BTreeMap<String, f64>`
    Weights,
    /// Any JSON.
    Json,
    /// An object of any members.
    JsonObject,
    /// The struct at this place of the draft.
    Struct(usize),
}

/// An item of `#[es(...)]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EsItem {
    pub(crate) name: String,
    pub(crate) value: EsValue,
}

/// What an item says of its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EsValue {
    /// The name alone: a type.
    Flag,
    /// `name = value` or `name(…)`.
    Json(Value),
    /// Mappings by name: `fields(exact(keyword))`.
    Mappings(Vec<(String, Vec<EsItem>)>),
}

impl EsItem {
    /// A type.
    pub(crate) fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: EsValue::Flag }
    }

    /// A parameter.
    pub(crate) fn json(name: &str, value: Value) -> Self {
        Self { name: name.to_owned(), value: EsValue::Json(value) }
    }
}

impl Draft {
    /// The number of fields of all structs.
    pub(crate) fn field_count(&self) -> usize {
        self.structs.iter().map(|draft| draft.fields.len()).sum()
    }
}
