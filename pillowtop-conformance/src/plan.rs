//! A root mapping as what is looked up while a document is walked.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::numeric::Numeric;
use pillowtop_core::date::{DEFAULT_DATE_FORMAT, DEFAULT_NANOS_FORMAT, DateFormats};
pub(super) use pillowtop_core::lenient::boolean as truth;
use pillowtop_core::lenient::strings;

/// An object of the mapping.
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of a mapping")]
#[derive(Debug)]
pub(super) struct ObjectPlan {
    pub(super) path: String,
    pub(super) dynamic: Dynamic,
    /// Whether it says so itself, or is the root.
    pub(super) says_dynamic: bool,
    pub(super) enabled: bool,
    pub(super) nested: bool,
    /// Names with dots do not make objects here, which is not checked.
    pub(super) keeps_dots: bool,
    pub(super) children: BTreeMap<String, Node>,
}

/// What is done with members that the mapping does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dynamic {
    Add,
    Runtime,
    Ignore,
    Strict,
    /// Added by a dynamic template, refused without one.
    StrictTemplates,
    /// Added by a dynamic template, ignored without one.
    IgnoreTemplates,
}

/// A path of the mapping.
#[derive(Debug)]
pub(super) enum Node {
    Object(ObjectPlan),
    Leaf(Box<LeafPlan>),
}

/// A field of values.
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of a mapping")]
#[derive(Debug)]
pub(super) struct LeafPlan {
    pub(super) path: String,
    pub(super) type_name: String,
    pub(super) kind: Kind,
    pub(super) ignore_malformed: bool,
    pub(super) coerce: bool,
    pub(super) ignore_above: Option<usize>,
    pub(super) index: bool,
    pub(super) doc_values: Option<bool>,
    pub(super) store: bool,
    pub(super) has_script: bool,
    pub(super) fields: Vec<LeafPlan>,
    pub(super) copy_to: Vec<String>,
    /// The mapping itself, for what a single type has.
    pub(super) mapping: Map<String, Value>,
}

impl LeafPlan {
    /// Whether rings that are not closed are closed, which numbers' `coerce` says of numbers: its
    /// default is another.
    pub(super) fn coerce_shapes(&self) -> bool {
        self.mapping.contains_key("coerce") && self.coerce
    }
}

/// What a type takes.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Keyword,
    Wildcard,
    ConstantKeyword,
    Version,
    TokenCount,
    CountedKeyword,
    Numeric(Numeric),
    Boolean,
    Date {
        formats: DateFormats,
        /// Those of newer servers, where the mapping names none.
        newer: Option<DateFormats>,
        nanos: bool,
    },
    Ip,
    NumberRange(Numeric),
    DateRange(DateFormats),
    IpRange,
    Binary,
    GeoPoint,
    Shape,
    Flattened,
    Completion,
    Join,
    DenseVector,
    RankFeature,
    RankFeatures,
    SparseVector,
    Histogram,
    AggregateMetric,
    Percolator,
    Alias,
    /// What it takes is not known here.
    Unknown,
}

/// The whole mapping.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) root: ObjectPlan,
    /// The most nested objects of a document.
    pub(super) nested_limit: usize,
    /// The most lists within lists, which `OpenSearch` counts.
    pub(super) depth_limit: usize,
    /// Whether the settings leave malformed values out, whatever a field says.
    pub(super) ignores_malformed: bool,
    /// Whether the settings define the analyzer that fields have by default.
    pub(super) has_default_analyzer: bool,
    builder: Builder,
}

impl Plan {
    /// Reads a root mapping and normal settings.
    pub(super) fn new(mappings: &Value, settings: &Value) -> Self {
        let empty = Map::new();
        let members = mappings.as_object().unwrap_or(&empty);
        let setting = |pointer: &str| settings.pointer(pointer);
        let builder = Builder {
            coerce: setting("/mapping/coerce").and_then(truth).unwrap_or(true),
            ignore_malformed: setting("/mapping/ignore_malformed").and_then(truth).unwrap_or(false),
        };
        Self {
            root: builder.object(members, "", Dynamic::Add),
            nested_limit: setting("/mapping/nested_objects/limit").and_then(count).unwrap_or(10_000),
            depth_limit: setting("/mapping/depth/limit").and_then(count).unwrap_or(20),
            ignores_malformed: builder.ignore_malformed,
            has_default_analyzer: setting("/analysis/analyzer/default").is_some(),
            builder,
        }
    }

    /// What a mapping would be at a path, in an object with this `dynamic`.
    pub(super) fn node(&self, mapping: &Map<String, Value>, path: &str, dynamic: Dynamic) -> Node {
        self.builder.node(mapping, path, dynamic)
    }

    /// The object at a path.
    pub(super) fn object(&self, path: &str) -> Option<&ObjectPlan> {
        path.split('.').try_fold(&self.root, |object, part| match object.children.get(part)? {
            Node::Object(inner) => Some(inner),
            Node::Leaf(_) => None,
        })
    }

    /// The field of values at a path.
    pub(super) fn leaf(&self, path: &str) -> Option<&LeafPlan> {
        let mut object = &self.root;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            match object.children.get(part)? {
                Node::Object(inner) => object = inner,
                Node::Leaf(leaf) => return parts.peek().is_none().then_some(leaf),
            }
        }
        None
    }
}

/// What holds for the whole index.
#[derive(Debug)]
struct Builder {
    coerce: bool,
    ignore_malformed: bool,
}

impl Builder {
    fn object(&self, members: &Map<String, Value>, path: &str, inherited: Dynamic) -> ObjectPlan {
        let dynamic = match members.get("dynamic") {
            None => inherited,
            Some(Value::Bool(true)) => Dynamic::Add,
            Some(Value::String(text)) => match text.as_str() {
                "true" => Dynamic::Add,
                "strict" => Dynamic::Strict,
                "runtime" => Dynamic::Runtime,
                "strict_allow_templates" => Dynamic::StrictTemplates,
                "false_allow_templates" => Dynamic::IgnoreTemplates,
                _ => Dynamic::Ignore,
            },
            Some(_) => Dynamic::Ignore,
        };
        let mut children = BTreeMap::new();
        if let Some(Value::Object(properties)) = members.get("properties") {
            for (name, mapping) in properties {
                if let Value::Object(mapping) = mapping {
                    self.insert(&mut children, path, name, mapping, dynamic);
                }
            }
        }
        let says = |name: &str| members.get(name).is_some_and(|value| truth(value) != Some(false));
        ObjectPlan {
            path: path.to_owned(),
            dynamic,
            says_dynamic: path.is_empty() || members.contains_key("dynamic"),
            enabled: members.get("enabled").and_then(truth).unwrap_or(true),
            nested: text(members, "type") == Some("nested"),
            keeps_dots: members.get("subobjects").is_some_and(|value| truth(value) != Some(true))
                || says("disable_objects"),
            children,
        }
    }

    /// A property whose name has dots is one of an object, as on the servers.
    fn insert(
        &self,
        children: &mut BTreeMap<String, Node>,
        parent: &str,
        name: &str,
        mapping: &Map<String, Value>,
        dynamic: Dynamic,
    ) {
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let path = if parent.is_empty() { head.to_owned() } else { format!("{parent}.{head}") };
        match rest {
            None => {
                children.insert(head.to_owned(), self.node(mapping, &path, dynamic));
            }
            Some(rest) => {
                let made = children
                    .entry(head.to_owned())
                    .or_insert_with(|| Node::Object(self.object(&Map::new(), &path, dynamic)));
                if let Node::Object(object) = made {
                    self.insert(&mut object.children, &path, rest, mapping, dynamic);
                }
            }
        }
    }

    fn node(&self, mapping: &Map<String, Value>, path: &str, dynamic: Dynamic) -> Node {
        match text(mapping, "type") {
            None | Some("object" | "nested") => Node::Object(self.object(mapping, path, dynamic)),
            Some(type_name) => Node::Leaf(Box::new(self.leaf(mapping, path, type_name))),
        }
    }

    fn leaf(&self, mapping: &Map<String, Value>, path: &str, type_name: &str) -> LeafPlan {
        let flag = |name: &str| mapping.get(name).and_then(truth);
        let fields = match mapping.get("fields") {
            Some(Value::Object(string)) => string
                .iter()
                .filter_map(|(name, mapping)| {
                    let mapping = mapping.as_object()?;
                    Some(self.leaf(
                        mapping,
                        &format!("{path}.{name}"),
                        text(mapping, "type").unwrap_or("text"),
                    ))
                })
                .collect(),
            _ => Vec::new(),
        };
        LeafPlan {
            path: path.to_owned(),
            type_name: type_name.to_owned(),
            kind: kind(mapping, type_name),
            ignore_malformed: flag("ignore_malformed").unwrap_or(self.ignore_malformed),
            coerce: flag("coerce").unwrap_or(self.coerce),
            ignore_above: mapping.get("ignore_above").and_then(count),
            index: flag("index").unwrap_or(true),
            doc_values: flag("doc_values"),
            store: flag("store").unwrap_or(false),
            has_script: mapping.get("script").is_some_and(|script| !script.is_null()),
            fields,
            copy_to: strings(mapping.get("copy_to")).into_iter().map(str::to_owned).collect(),
            mapping: mapping.clone(),
        }
    }
}

fn kind(mapping: &Map<String, Value>, type_name: &str) -> Kind {
    let formats = || DateFormats::new(text(mapping, "format").unwrap_or(DEFAULT_DATE_FORMAT));
    if let Some(numeric) = Numeric::of(type_name) {
        return Kind::Numeric(numeric);
    }
    match type_name {
        "text" | "match_only_text" | "search_as_you_type" | "annotated_text" => Kind::Text,
        "keyword" => Kind::Keyword,
        "wildcard" => Kind::Wildcard,
        "constant_keyword" => Kind::ConstantKeyword,
        "version" => Kind::Version,
        "token_count" => Kind::TokenCount,
        "counted_keyword" => Kind::CountedKeyword,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date { formats: formats(), newer: None, nanos: false },
        "date_nanos" => {
            let is_default = text(mapping, "format").is_none();
            let newer = is_default.then(|| DateFormats::new(DEFAULT_NANOS_FORMAT));
            Kind::Date { formats: formats(), newer, nanos: true }
        }
        "ip" => Kind::Ip,
        "integer_range" => Kind::NumberRange(Numeric::Integer),
        "long_range" => Kind::NumberRange(Numeric::Long),
        "float_range" => Kind::NumberRange(Numeric::Float),
        "double_range" => Kind::NumberRange(Numeric::Double),
        "date_range" => Kind::DateRange(formats()),
        "ip_range" => Kind::IpRange,
        "binary" => Kind::Binary,
        "geo_point" => Kind::GeoPoint,
        "geo_shape" | "shape" | "xy_shape" => Kind::Shape,
        "flattened" | "flat_object" => Kind::Flattened,
        "completion" => Kind::Completion,
        "join" => Kind::Join,
        "dense_vector" | "knn_vector" => Kind::DenseVector,
        "rank_feature" => Kind::RankFeature,
        "rank_features" => Kind::RankFeatures,
        "sparse_vector" => Kind::SparseVector,
        "histogram" => Kind::Histogram,
        "aggregate_metric_double" => Kind::AggregateMetric,
        "percolator" => Kind::Percolator,
        "alias" => Kind::Alias,
        _ => Kind::Unknown,
    }
}

/// A string parameter of a mapping.
pub(super) fn text<'a>(mapping: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    mapping.get(name).and_then(Value::as_str)
}

/// Counts come as JSON numbers or as strings.
pub(super) fn count(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
    }
}
