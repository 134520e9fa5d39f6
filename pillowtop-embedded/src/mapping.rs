//! The mapping as a plan: which field of the search library each path goes to, and in which form.
//!
//! Each mapped path with a searchable type is a field of its own, named by the path with dots;
//! multi-fields too. `_source` is stored, the id is `pillowtop.id`, and a hidden field has the
//! names of the paths that have a value, for `path:*`.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_conformance::Conformance;
use pillowtop_core::date::{DEFAULT_DATE_FORMAT, DEFAULT_NANOS_FORMAT, DateFormats};
use pillowtop_core::field_types::Target;
use pillowtop_core::lenient::{boolean, strings};
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

/// The servers whose rules decide which documents are rejected: the first that has all types of the
/// mapping.
const TARGETS: [Target; 2] = [Target::elasticsearch(8, 14), Target::opensearch(3, 6)];

/// A mapping, ready for documents.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the mapping does to documents.
    pub conformance: Conformance,
    /// The server whose rules hold.
    pub target: Target,
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

/// An object.
#[derive(Debug)]
pub(crate) struct ObjectPlan {
    /// What it has; nothing with `enabled: false`.
    pub children: BTreeMap<String, Node>,
}

/// A path with a value.
#[derive(Debug)]
pub(crate) struct LeafPlan {
    /// Its path.
    pub path: String,
    /// How its values are searched.
    pub kind: Kind,
    /// Where its values go; `None` for what is not searched.
    pub field: Option<Field>,
    /// Longer strings are not searched.
    pub ignore_above: Option<usize>,
    /// The replacement of `null`.
    pub null_value: Option<Value>,
    /// The same value by other rules.
    pub fields: Vec<LeafPlan>,
    /// Other paths that get the value.
    pub copy_to: Vec<String>,
}

/// How values are searched.
#[derive(Debug)]
pub(crate) enum Kind {
    Text,
    Keyword,
    Whole,
    Unsigned,
    Floating,
    Boolean,
    Date {
        formats: DateFormats,
        nanos: bool,
    },
    Ip,
    Flattened,
    /// A type whose values are in `_source` alone.
    NotSearched,
}

/// What holds for the whole index.
struct Context<'a> {
    builder: SchemaBuilder,
    analysis: Analysis<'a>,
    manager: &'a TokenizerManager,
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
    let conformance = Conformance::new(mappings, settings);
    let target = TARGETS.into_iter().find(|target| conformance.is_for(*target)).unwrap_or(TARGETS[0]);
    if let Some(problem) = conformance.problem(target) {
        return Err(problem.to_string());
    }
    let mut context = Context {
        builder,
        analysis: Analysis::of(settings),
        manager,
        aliases: BTreeMap::from([("_id".to_owned(), ID.to_owned())]),
        default_fields: Vec::new(),
        taken: BTreeSet::from([ID, SOURCE, FIELD_NAMES].map(str::to_owned)),
    };
    let members = mappings.as_object().ok_or("it is not a JSON object")?;
    let root = context.object(members, "")?;
    let Context { builder, aliases, mut default_fields, .. } = context;
    default_fields.push(id);
    Ok(Plan {
        conformance,
        target,
        root,
        schema: builder.build(),
        id,
        source,
        field_names,
        aliases,
        default_fields,
    })
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
    fn object(&mut self, members: &Map<String, Value>, path: &str) -> Result<ObjectPlan, String> {
        let enabled = members.get("enabled").and_then(boolean).unwrap_or(true);
        let mut children = BTreeMap::new();
        if let (Some(Value::Object(properties)), true) = (members.get("properties"), enabled) {
            for (name, mapping) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let mapping =
                    mapping.as_object().ok_or_else(|| format!("field `{path}` has no JSON object"))?;
                children.insert(name.clone(), self.node(mapping, &path)?);
            }
        }
        Ok(ObjectPlan { children })
    }

    fn node(&mut self, mapping: &Map<String, Value>, path: &str) -> Result<Node, String> {
        match text(mapping, "type") {
            None | Some("object" | "nested") => self.object(mapping, path).map(Node::Object),
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
        let searched = mapping.get("index").and_then(boolean).unwrap_or(true);
        let field = if path == ID || !searched { None } else { self.field(&kind, mapping, path)? };
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
            kind,
            field,
            ignore_above: mapping.get("ignore_above").and_then(whole_number),
            null_value: mapping.get("null_value").filter(|value| !value.is_null()).cloned(),
            fields,
            copy_to: strings(mapping.get("copy_to")).into_iter().map(str::to_owned).collect(),
        })
    }

    fn field(
        &mut self,
        kind: &Kind,
        mapping: &Map<String, Value>,
        path: &str,
    ) -> Result<Option<Field>, String> {
        if matches!(kind, Kind::NotSearched) {
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
            Kind::Whole | Kind::Date { .. } => self.builder.add_i64_field(path, INDEXED),
            Kind::Unsigned => self.builder.add_u64_field(path, INDEXED),
            Kind::Floating => self.builder.add_f64_field(path, INDEXED),
            Kind::Boolean => self.builder.add_bool_field(path, INDEXED),
            Kind::Ip => self.builder.add_ip_addr_field(path, IpAddrOptions::default().set_indexed()),
            Kind::Flattened => {
                let indexing = whole_indexing(analysis::WHOLE);
                self.builder.add_json_field(path, JsonObjectOptions::default().set_indexing_options(indexing))
            }
            Kind::NotSearched => return Ok(None),
        };
        if matches!(kind, Kind::Text | Kind::Keyword) {
            self.default_fields.push(field);
        }
        Ok(Some(field))
    }
}

fn kind(mapping: &Map<String, Value>, type_name: &str) -> Kind {
    let formats = |default| DateFormats::new(text(mapping, "format").unwrap_or(default));
    match type_name {
        "text" | "match_only_text" | "search_as_you_type" | "annotated_text" => Kind::Text,
        "keyword" | "constant_keyword" | "wildcard" | "version" => Kind::Keyword,
        "byte" | "short" | "integer" | "long" => Kind::Whole,
        "unsigned_long" => Kind::Unsigned,
        "half_float" | "float" | "double" | "scaled_float" => Kind::Floating,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date { formats: formats(DEFAULT_DATE_FORMAT), nanos: false },
        "date_nanos" => Kind::Date { formats: formats(DEFAULT_NANOS_FORMAT), nanos: true },
        "ip" => Kind::Ip,
        "flattened" | "flat_object" => Kind::Flattened,
        _ => Kind::NotSearched,
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

fn whole_number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}
