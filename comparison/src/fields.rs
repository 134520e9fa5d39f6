//! Generates fields over the whole table: types, parameters, values that fit and values that do
//! not.

use pillowtop_core::field_types::{FieldType, Holds, Parameter, Product, ValueKind, field_types};
use serde_json::{Map, Value, json};

use crate::draw::Draw;
use crate::exceptions;
use crate::samples::{fitting, unfit};
use crate::server::Server;

/// The names of properties; one has dots, which makes an object.
pub(crate) const NAMES: [&str; 6] = ["f0", "f1", "f2", "f3", "o.f4", "name_of_a_field"];

/// What paths name.
const PATHS: [&str; 8] = ["f0", "f1", "f2", "f3", "o", "f0.f1", "f0.m", "missing"];

/// Formats of dates, right and wrong.
const FORMATS: [&str; 26] = [
    "strict_date_optional_time||epoch_millis",
    "epoch_millis",
    "epoch_second",
    "date_optional_time",
    "dateOptionalTime",
    "strictDateOptionalTime",
    "basic_date",
    "basic_date_time",
    "basicDate",
    "date_hour_minute",
    "strict_date_time_no_millis",
    "strict_year_month_day",
    "week_date",
    "iso8601",
    "rfc3339_lenient",
    "yyyy-MM-dd",
    "yyyy-MM-dd HH:mm:ss||yyyy-MM-dd",
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX",
    "YYYY-MM-dd",
    "uuuu-DDD",
    "8yyyy-MM-dd",
    "hh:mm a",
    "yyyy-MM-ddThh:mm",
    "bogus",
    "yyyy-MM-dd||",
    "MMMM[ d]",
];

const ANALYZERS: [&str; 14] = [
    "a0",
    "a1",
    "standard",
    "english",
    "keyword",
    "simple",
    "whitespace",
    "stop",
    "snowball",
    "serbian",
    "default",
    "standard_html_strip",
    "no_such_analyzer",
    "french",
];
const NORMALIZERS: [&str; 5] = ["n0", "n1", "lowercase", "default", "no_such_normalizer"];
const SIMILARITIES: [&str; 6] = ["s0", "s1", "BM25", "boolean", "classic", "no_such_similarity"];

/// What is not compared: a passthrough object has a priority that no two may share, and needs its
/// time series; `semantic_text` needs an inference service; and names with dots that make no
/// objects are not checked.
const LEFT_OUT: [&str; 4] = ["passthrough", "semantic_text", "subobjects", "disable_objects"];

/// What is on the server to generate from.
#[derive(Debug)]
pub(crate) struct Menu<'a> {
    server: &'a Server,
    types: Vec<&'static FieldType>,
    leaves: Vec<&'static FieldType>,
    leaves_and_objects: Vec<&'static FieldType>,
}

impl<'a> Menu<'a> {
    /// All types that the server has.
    pub(crate) fn new(server: &'a Server) -> Self {
        let is_compared = |known: &&FieldType| !LEFT_OUT.contains(&known.name) && server.has_type(known);
        let types: Vec<_> = field_types().filter(is_compared).collect();
        let leaves = types.iter().copied().filter(|known| known.multi_field_allowed).collect();
        let is_noticed = |known: &&FieldType| known.multi_field_allowed || known.holds != Holds::Leaf;
        let leaves_and_objects = types.iter().copied().filter(is_noticed).collect();
        Self { server, types, leaves, leaves_and_objects }
    }

    pub(crate) fn server(&self) -> &'a Server {
        self.server
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Where fields are copied to. Elasticsearch 8 and later notice what lies below a field of
    /// values with the first document alone.
    fn copies(&self) -> &'static [&'static str] {
        let target = self.server.target();
        let is_late = target.product == Product::Elasticsearch && target.version.major >= 8;
        if is_late { &PATHS[..5] } else { &PATHS }
    }

    /// `properties`, of up to three fields.
    pub(crate) fn properties(&self, draw: &mut Draw, depth: usize) -> Value {
        let mut properties = Map::new();
        for _ in 0..=draw.below(3) {
            let name = draw.word(&NAMES);
            properties.insert(name.to_owned(), self.field(draw, depth));
        }
        Value::Object(properties)
    }

    /// A field, with its own fields inside.
    pub(crate) fn field(&self, draw: &mut Draw, depth: usize) -> Value {
        if depth < 3 && draw.one_in(8) {
            let mut object = Map::new();
            if draw.one_in(2) {
                let of_type = if draw.one_in(2) { "nested" } else { "object" };
                object.insert("type".to_owned(), json!(of_type));
            }
            object.insert("properties".to_owned(), self.properties(draw, depth + 1));
            return Value::Object(object);
        }
        self.of_types(draw, &self.types, depth)
    }

    /// A field for the `fields` of another one, or for a dynamic template. Of the types that cannot
    /// be there, some servers notice features and objects as values with the first document alone.
    pub(crate) fn leaf(&self, draw: &mut Draw) -> Value {
        let types = if draw.one_in(15) { &self.leaves_and_objects } else { &self.leaves };
        self.of_types(draw, types, 3)
    }

    fn of_types(&self, draw: &mut Draw, types: &[&'static FieldType], depth: usize) -> Value {
        let Some(field_type) = draw.pick(types) else { return json!({"type": "keyword"}) };
        let target = self.server.target();
        let mut mapping = exceptions::minimal(field_type, target);
        let parameters: Vec<&'static Parameter> = field_type.parameters().collect();
        for _ in 0..draw.below(4) {
            let Some(parameter) = draw.pick(&parameters) else { break };
            let is_there = parameter.availability.includes(target);
            if (!is_there && !draw.one_in(20)) || LEFT_OUT.contains(&parameter.name) {
                continue;
            }
            if let Some(value) = self.value(draw, field_type, parameter, depth) {
                if is_there {
                    for (name, value) in exceptions::companions(field_type.name, parameter.name) {
                        mapping.entry(name).or_insert(value);
                    }
                }
                mapping.insert(parameter.name.to_owned(), value);
            }
        }
        if draw.one_in(120) {
            mapping.insert("no_such_parameter".to_owned(), json!(1));
        }
        if draw.one_in(120) {
            mapping.insert("type".to_owned(), json!("no_such_type"));
        }
        Value::Object(mapping)
    }

    /// A value of a parameter. Servers do not agree with the table on values that do nothing; those
    /// are left out.
    fn value(
        &self,
        draw: &mut Draw,
        field_type: &FieldType,
        parameter: &'static Parameter,
        depth: usize,
    ) -> Option<Value> {
        let target = self.server.target();
        let value = self.any_value(draw, field_type, parameter, depth)?;
        let is_unfit = parameter.check(&value).is_err();
        (!is_unfit || !exceptions::is_lenient(field_type.name, parameter, &value, target)).then_some(value)
    }

    fn any_value(
        &self,
        draw: &mut Draw,
        field_type: &FieldType,
        parameter: &'static Parameter,
        depth: usize,
    ) -> Option<Value> {
        let is_wrong = draw.one_in(30);
        let words = |draw: &mut Draw, words: &[&'static str]| json!(draw.word(words));
        Some(match parameter.value {
            ValueKind::Fields if depth < 3 => {
                let mut fields = Map::new();
                for name in ["m", "n"].into_iter().take(1 + draw.below(2)) {
                    fields.insert(name.to_owned(), self.leaf(draw));
                }
                Value::Object(fields)
            }
            ValueKind::Properties if depth < 3 => self.properties(draw, depth + 1),
            ValueKind::DateFormat => words(draw, &FORMATS),
            ValueKind::Analyzer => words(draw, &ANALYZERS),
            // OpenSearch 2 looks for that of a wildcard with the first search alone.
            ValueKind::Normalizer if field_type.name == "wildcard" => json!("lowercase"),
            ValueKind::Normalizer => words(draw, &NORMALIZERS),
            ValueKind::Similarity => words(draw, &SIMILARITIES),
            ValueKind::Path => words(draw, &PATHS),
            ValueKind::Paths if draw.one_in(2) => words(draw, self.copies()),
            // Two that lie in each other would depend on the first document.
            ValueKind::Paths => json!([draw.word(&PATHS[..4]), draw.word(&PATHS[..4])]),
            ValueKind::Relations => {
                let child = draw.word(&["b", "c", "a"]);
                draw.pick(&[json!({"a": child}), json!({"a": [child, "d"]}), json!({"a": "b", "d": child})])?
                    .clone()
            }
            ValueKind::Integer { minimum, maximum } if draw.one_in(2) => {
                let small = minimum + i128::try_from(draw.below(20)).ok()?;
                json!(i64::try_from(small.min(maximum)).ok()?)
            }
            ValueKind::Text => {
                draw.pick(&fitting(field_type.name, parameter, self.server.target())).cloned()?
            }
            _ if parameter.name == "null_value" && draw.one_in(2) => {
                draw.pick(&[json!("x"), json!(7), json!("7"), json!(300), json!(true), json!("::1")])?.clone()
            }
            _ if is_wrong => draw.pick(&unfit(field_type.name, parameter)).cloned()?,
            _ => draw.pick(&fitting(field_type.name, parameter, self.server.target())).cloned()?,
        })
    }
}
