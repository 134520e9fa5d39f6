//! A mapping with a field of each type for each parameter that the table knows, so that a new entry
//! is taken over too or fails.

use pillowtop_core::field_types::{FieldType, Holds, Parameter, ValueKind, field_types};
use serde_json::{Map, Value, json};

/// The body of an index that no server takes at once: it has the types of all products.
pub(crate) fn body() -> Value {
    let mut properties = Map::new();
    for field_type in field_types() {
        let minimal = minimal(field_type);
        for parameter in field_type.parameters() {
            let mut mapping = minimal.clone();
            mapping.insert(parameter.name.to_owned(), sample(parameter));
            // It says what becomes of a script that fails.
            if parameter.name == "on_script_error" {
                mapping.insert("script".to_owned(), json!("emit(1)"));
            }
            properties.insert(format!("{}_{}", field_type.name, parameter.name), Value::Object(mapping));
        }
        if field_type.multi_field_allowed {
            let fields = json!({"of_one": minimal, "of two": {"type": "keyword"}});
            properties.insert(format!("many_{}", field_type.name), json!({"type": "text", "fields": fields}));
        }
        properties.insert(format!("plain_{}", field_type.name), Value::Object(minimal));
    }
    json!({"mappings": {"properties": properties}})
}

fn minimal(field_type: &FieldType) -> Map<String, Value> {
    let required = field_type.parameters().filter(|parameter| parameter.required);
    let mut mapping: Map<String, Value> =
        required.map(|parameter| (parameter.name.to_owned(), sample(parameter))).collect();
    mapping.insert("type".to_owned(), json!(field_type.name));
    if field_type.holds == Holds::Nested {
        mapping.insert("properties".to_owned(), json!({"inner": {"type": "long"}}));
    }
    mapping
}

fn sample(parameter: &Parameter) -> Value {
    let value = match parameter.value {
        ValueKind::False | ValueKind::Boolean | ValueKind::BooleanOr(_) | ValueKind::BooleanOrObjects => {
            json!(false)
        }
        ValueKind::Integer { minimum, maximum } => json!(i64::try_from(minimum.max(1).min(maximum)).unwrap()),
        ValueKind::Number | ValueKind::PositiveNumber => json!(2.5),
        ValueKind::NumberBetween { minimum, .. } => json!(minimum),
        ValueKind::OneOf(words) => json!(words[0]),
        ValueKind::ListOf(words) => json!(words),
        ValueKind::TextList => json!(["a", "b c"]),
        ValueKind::TextOrList => json!("a*"),
        // Dates are printed in one format.
        ValueKind::DateFormat if parameter.name == "print_format" => json!("yyyy-MM-dd"),
        ValueKind::DateFormat => json!("yyyy-MM-dd'T'HH:mm||epoch_millis"),
        ValueKind::DateFormats => json!(["yyyy-MM-dd", "yyyy"]),
        ValueKind::Date => json!("2020-01-01"),
        ValueKind::Analyzer => json!("standard"),
        ValueKind::Normalizer => json!("lowercase"),
        ValueKind::Similarity => json!("boolean"),
        ValueKind::IpAddress => json!("::1"),
        ValueKind::GeoPoint => json!({"lat": 42.5, "lon": -71}),
        ValueKind::Point => json!({"x": 1, "y": -2.5}),
        ValueKind::Path => json!("plain_long"),
        ValueKind::Paths => json!(["plain_long", "plain_text"]),
        ValueKind::Fields => json!({"exact": {"type": "keyword", "ignore_above": 5}}),
        ValueKind::Properties => json!({"inner": {"type": "keyword"}}),
        ValueKind::ScriptedFields => json!({"day": {"type": "keyword", "script": "emit(\"a\\b\")"}}),
        ValueKind::DynamicTemplates(_) => json!([{"all": {"match": "*", "mapping": {"type": "keyword"}}}]),
        ValueKind::Relations => json!({"a question": ["answer", "note"]}),
        ValueKind::Meta => json!({"unit": "ms"}),
        ValueKind::Script => json!({"source": "emit(doc['a'].value + \"\\n\")\nreturn"}),
        ValueKind::Members(members) => of_members(members),
        ValueKind::ListOfMembers(members) => json!([of_members(members)]),
        ValueKind::Object => json!({"a": [1, {"b": [null]}], "json": "{}"}),
        _ => json!("some text"),
    };
    parameter.check(&value).unwrap_or_else(|unfit| panic!("`{}` {unfit}", parameter.name));
    value
}

fn of_members(members: &'static [Parameter]) -> Value {
    members.iter().map(|member| (member.name.to_owned(), sample(member))).collect()
}
