//! The mapping as a plan: what each path accepts, how it is checked, and which field of the search library it goes to.
//!
//! Each mapped path with a searchable type is a field of its own, named by the path with dots; multi-fields too. `_source` is
//! stored, the id is `pillowtop.id`, and a hidden field has the names of the paths that have a value, for `path:*`.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_core::conformance::date::{DEFAULT_DATE_FORMAT, DateFormats};
use serde_json::{Map, Value};
use tantivy::schema::{
    Field, INDEXED, IndexRecordOption, IpAddrOptions, JsonObjectOptions, STORED, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

use super::analysis::{self, Analysis};

/// The path of the id term.
pub(crate) const ID: &str = "pillowtop.id";
/// The stored document.
pub(crate) const SOURCE: &str = "_source";
/// The names of the paths that have a value.
pub(crate) const FIELD_NAMES: &str = "_field_names";

/// A mapping, ready for documents.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The root object.
    pub root: ObjectPlan,
    /// The fields of the search library.
    pub schema: Schema,
    /// The id term.
    pub id: Field,
    /// The stored document.
    pub source: Field,
    /// The names of the paths that have a value.
    pub field_names: Field,
    /// Paths of type `alias`, and what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// What a query searches that names no field: text and keywords.
    pub default_fields: Vec<Field>,
}

/// A path.
#[derive(Debug)]
pub(crate) enum Node {
    /// An object, or a nested one: its values count as the parent's.
    Object(ObjectPlan),
    /// A value.
    Leaf(Box<LeafPlan>),
}

/// What is done with paths that are not mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dynamic {
    /// They are kept in `_source` and not searched.
    Keep,
    /// They are refused.
    Strict,
}

/// An object.
#[derive(Debug)]
pub(crate) struct ObjectPlan {
    /// Its path; empty for the root.
    pub path: String,
    /// What is not mapped.
    pub dynamic: Dynamic,
    /// Whether its values are checked.
    pub enabled: bool,
    /// What it has.
    pub children: BTreeMap<String, Node>,
}

/// A path with a value.
#[derive(Debug)]
pub(crate) struct LeafPlan {
    /// Its path.
    pub path: String,
    /// The name of its type, for messages.
    pub type_name: String,
    /// How its values are checked.
    pub kind: Kind,
    /// Where its values go; `None` for what is not searched.
    pub field: Option<Field>,
    /// A value that does not fit is left out instead of refusing the document.
    pub ignore_malformed: bool,
    /// Strings are read as numbers and fractions are cut off.
    pub coerce: bool,
    /// Longer strings are not searched.
    pub ignore_above: Option<usize>,
    /// The replacement of `null`.
    pub null_value: Option<Value>,
    /// The same value by other rules.
    pub fields: Vec<LeafPlan>,
    /// Other paths that get the value.
    pub copy_to: Vec<String>,
}

/// How values are checked and searched.
#[derive(Debug)]
pub(crate) enum Kind {
    Text,
    Keyword,
    Whole {
        least: i64,
        most: i64,
    },
    UnsignedLong,
    Floating {
        largest: f64,
    },
    Boolean,
    Date {
        formats: DateFormats,
        nanos: bool,
    },
    Ip,
    GeoPoint,
    Flattened,
    Alias,
    /// A type that is kept in `_source`, neither checked nor searched.
    Kept,
}

/// What holds for the whole index.
struct Context<'a> {
    builder: SchemaBuilder,
    analysis: Analysis<'a>,
    manager: &'a TokenizerManager,
    coerce: bool,
    ignore_malformed: bool,
    aliases: BTreeMap<String, String>,
    default_fields: Vec<Field>,
    taken: BTreeSet<String>,
}

/// Reads the mapping and registers its analyzers; an error is a clause for people.
pub(crate) fn plan(mappings: &Value, settings: &Value, manager: &TokenizerManager) -> Result<Plan, String> {
    manager.register(analysis::WHOLE, super::tokenizer::whole());
    let mut builder = Schema::builder();
    let id = builder.add_text_field(ID, whole_text(analysis::WHOLE).set_stored());
    let source = builder.add_bytes_field(SOURCE, STORED);
    let field_names = builder.add_text_field(FIELD_NAMES, whole_text(analysis::WHOLE));
    let setting = |name: &str, default| {
        let value = settings.get("mapping").and_then(|mapping| mapping.get(name));
        value.and_then(truth).unwrap_or(default)
    };
    let mut context = Context {
        builder,
        analysis: Analysis::of(settings),
        manager,
        coerce: setting("coerce", true),
        ignore_malformed: setting("ignore_malformed", false),
        aliases: BTreeMap::from([("_id".to_owned(), ID.to_owned())]),
        default_fields: Vec::new(),
        taken: BTreeSet::from([ID, SOURCE, FIELD_NAMES].map(str::to_owned)),
    };
    let members = mappings.as_object().ok_or("it is not a JSON object")?;
    let root = context.object(members, "", Dynamic::Keep)?;
    let Context { builder, aliases, mut default_fields, .. } = context;
    default_fields.push(id);
    Ok(Plan { root, schema: builder.build(), id, source, field_names, aliases, default_fields })
}

impl Plan {
    /// The leaf of a path, or of a multi-field.
    pub(crate) fn leaf(&self, path: &str) -> Option<&LeafPlan> {
        find(&self.root, path)
    }
}

fn find<'a>(object: &'a ObjectPlan, path: &str) -> Option<&'a LeafPlan> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match (object.children.get(head)?, rest) {
        (Node::Object(inner), Some(rest)) => find(inner, rest),
        (Node::Leaf(leaf), None) => Some(leaf),
        (Node::Leaf(leaf), Some(rest)) => {
            let path = format!("{}.{rest}", leaf.path);
            leaf.fields.iter().find(|field| field.path == path)
        }
        (Node::Object(_), None) => None,
    }
}

impl Context<'_> {
    fn object(
        &mut self,
        members: &Map<String, Value>,
        path: &str,
        inherited: Dynamic,
    ) -> Result<ObjectPlan, String> {
        let dynamic = match members.get("dynamic") {
            None => inherited,
            Some(Value::String(text)) if text.starts_with("strict") => Dynamic::Strict,
            Some(_) => Dynamic::Keep,
        };
        let enabled = members.get("enabled").and_then(truth).unwrap_or(true);
        let mut children = BTreeMap::new();
        if let (Some(Value::Object(properties)), true) = (members.get("properties"), enabled) {
            for (name, mapping) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let mapping =
                    mapping.as_object().ok_or_else(|| format!("field `{path}` has no JSON object"))?;
                children.insert(name.clone(), self.node(mapping, &path, dynamic)?);
            }
        }
        Ok(ObjectPlan { path: path.to_owned(), dynamic, enabled, children })
    }

    fn node(&mut self, mapping: &Map<String, Value>, path: &str, dynamic: Dynamic) -> Result<Node, String> {
        match text(mapping, "type") {
            None | Some("object" | "nested") => self.object(mapping, path, dynamic).map(Node::Object),
            Some("alias") => {
                let target = text(mapping, "path").unwrap_or_default();
                self.aliases.insert(path.to_owned(), target.to_owned());
                Ok(Node::Leaf(Box::new(self.leaf(mapping, path, "alias")?)))
            }
            Some(type_name) => Ok(Node::Leaf(Box::new(self.leaf(mapping, path, type_name)?))),
        }
    }

    fn leaf(
        &mut self,
        mapping: &Map<String, Value>,
        path: &str,
        type_name: &str,
    ) -> Result<LeafPlan, String> {
        let kind = kind(mapping, type_name);
        let searched = mapping.get("index").and_then(truth).unwrap_or(true);
        let field = if path == ID || !searched { None } else { self.field(&kind, mapping, path)? };
        let flag = |name: &str, default| mapping.get(name).and_then(truth).unwrap_or(default);
        let mut fields = Vec::new();
        if let Some(Value::Object(declared)) = mapping.get("fields") {
            for (name, mapping) in declared {
                let path = format!("{path}.{name}");
                let mapping =
                    mapping.as_object().ok_or_else(|| format!("field `{path}` has no JSON object"))?;
                fields.push(self.leaf(mapping, &path, text(mapping, "type").unwrap_or("text"))?);
            }
        }
        Ok(LeafPlan {
            path: path.to_owned(),
            type_name: type_name.to_owned(),
            kind,
            field,
            ignore_malformed: flag("ignore_malformed", self.ignore_malformed),
            coerce: flag("coerce", self.coerce),
            ignore_above: mapping.get("ignore_above").and_then(whole_number),
            null_value: mapping.get("null_value").filter(|value| !value.is_null()).cloned(),
            fields,
            copy_to: match mapping.get("copy_to") {
                Some(Value::String(path)) => vec![path.clone()],
                Some(Value::Array(paths)) => {
                    paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
                }
                _ => Vec::new(),
            },
        })
    }

    fn field(
        &mut self,
        kind: &Kind,
        mapping: &Map<String, Value>,
        path: &str,
    ) -> Result<Option<Field>, String> {
        if matches!(kind, Kind::GeoPoint | Kind::Alias | Kind::Kept) {
            return Ok(None);
        }
        // The search library would panic over such names.
        if path.is_empty() || path.starts_with('-') || !self.taken.insert(path.to_owned()) {
            return Err(format!("field `{path}` has a name that cannot be a field here"));
        }
        let field = match kind {
            Kind::Text => {
                let name = text(mapping, "analyzer").unwrap_or(analysis::DEFAULT);
                let analyzer = self.analysis.analyzer(name, self.manager);
                let indexing = TextFieldIndexing::default()
                    .set_tokenizer(&analyzer)
                    .set_index_option(IndexRecordOption::WithFreqsAndPositions);
                self.builder.add_text_field(path, TextOptions::default().set_indexing_options(indexing))
            }
            Kind::Keyword => {
                let tokenizer = match text(mapping, "normalizer") {
                    Some(name) => self.analysis.normalizer(name, self.manager),
                    None => analysis::WHOLE.to_owned(),
                };
                self.builder.add_text_field(path, whole_text(&tokenizer))
            }
            Kind::Whole { .. } | Kind::Date { .. } => self.builder.add_i64_field(path, INDEXED),
            Kind::UnsignedLong => self.builder.add_u64_field(path, INDEXED),
            Kind::Floating { .. } => self.builder.add_f64_field(path, INDEXED),
            Kind::Boolean => self.builder.add_bool_field(path, INDEXED),
            Kind::Ip => self.builder.add_ip_addr_field(path, IpAddrOptions::default().set_indexed()),
            Kind::Flattened => {
                let indexing = whole_indexing(analysis::WHOLE);
                self.builder.add_json_field(path, JsonObjectOptions::default().set_indexing_options(indexing))
            }
            Kind::GeoPoint | Kind::Alias | Kind::Kept => return Ok(None),
        };
        if matches!(kind, Kind::Text | Kind::Keyword) {
            self.default_fields.push(field);
        }
        Ok(Some(field))
    }
}

fn kind(mapping: &Map<String, Value>, type_name: &str) -> Kind {
    let date = |nanos| Kind::Date {
        formats: DateFormats::new(text(mapping, "format").unwrap_or(DEFAULT_DATE_FORMAT)),
        nanos,
    };
    match type_name {
        "text" | "match_only_text" | "search_as_you_type" | "annotated_text" => Kind::Text,
        "keyword" | "constant_keyword" | "wildcard" | "version" => Kind::Keyword,
        "byte" => Kind::Whole { least: i8::MIN.into(), most: i8::MAX.into() },
        "short" => Kind::Whole { least: i16::MIN.into(), most: i16::MAX.into() },
        "integer" => Kind::Whole { least: i32::MIN.into(), most: i32::MAX.into() },
        "long" => Kind::Whole { least: i64::MIN, most: i64::MAX },
        "unsigned_long" => Kind::UnsignedLong,
        // The first number that rounds to infinity is half a step above the largest.
        "half_float" => Kind::Floating { largest: 65_520.0_f64.next_down() },
        "float" => Kind::Floating { largest: (f64::from(f32::MAX) + 2.0_f64.powi(103)).next_down() },
        "double" | "scaled_float" => Kind::Floating { largest: f64::MAX },
        "boolean" => Kind::Boolean,
        "date" => date(false),
        "date_nanos" => date(true),
        "ip" => Kind::Ip,
        "geo_point" => Kind::GeoPoint,
        "flattened" | "flat_object" => Kind::Flattened,
        "alias" => Kind::Alias,
        _ => Kind::Kept,
    }
}

fn whole_indexing(tokenizer: &str) -> TextFieldIndexing {
    TextFieldIndexing::default()
        .set_tokenizer(tokenizer)
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false)
}

fn whole_text(tokenizer: &str) -> TextOptions {
    TextOptions::default().set_indexing_options(whole_indexing(tokenizer))
}

fn text<'a>(mapping: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    mapping.get(name).and_then(Value::as_str)
}

/// Parameters are JSON booleans or strings.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn whole_number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}
