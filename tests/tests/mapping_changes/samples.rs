//! Two values of each parameter that are not the same to a server.

use pillowtop_core::field_types::{FieldType, Parameter, Target, ValueKind};
use serde_json::{Map, Value, json};

/// Two values of a parameter that this server knows; none for what is compared member by member,
/// and for what a plugin decides.
pub(crate) fn values(field_type: &FieldType, parameter: &Parameter, target: Target) -> Option<[Value; 2]> {
    let special = match (field_type.name, parameter.name) {
        (_, "locale") => json!(["en-US", "de-DE"]),
        (_, "dims") => json!([4, 8]),
        ("constant_keyword", "value") => json!(["a", "b"]),
        ("icu_collation_keyword" | "semantic" | "semantic_text" | "annotated_text" | "murmur3", _) => {
            return None;
        }
        (_, "script") => return None,
        ("geo_shape", "precision") => json!(["10m", "100m"]),
        _ => return by_kind(parameter, target),
    };
    Some(pair(&special))
}

fn pair(list: &Value) -> [Value; 2] {
    [list[0].clone(), list[1].clone()]
}

fn by_kind(parameter: &Parameter, target: Target) -> Option<[Value; 2]> {
    let words = |words: &[&str]| {
        let known: Vec<Value> = words
            .iter()
            .map(|word| json!(word))
            .filter(|word| parameter.value_is_available(word, target).is_ok())
            .collect();
        json!([known.first(), known.get(1)])
    };
    let list = match parameter.value {
        ValueKind::Boolean | ValueKind::BooleanOr(_) | ValueKind::BooleanOrObjects => json!([true, false]),
        ValueKind::Integer { minimum, .. } => {
            let low = i64::try_from(minimum.max(2)).unwrap();
            json!([low, low + 1])
        }
        ValueKind::Number => json!([2.0, 3.0]),
        ValueKind::PositiveNumber => json!([10.0, 200.0]),
        ValueKind::NumberBetween { maximum, .. } => json!([maximum / 4.0, maximum / 2.0]),
        ValueKind::Text => json!(["a", "b"]),
        ValueKind::OneOf(all) if all.len() > 1 => words(all),
        ValueKind::ListOf(all) if all.len() > 1 => json!([[all[0], all[1]], [all[0]]]),
        ValueKind::TextList | ValueKind::TextOrList => json!([["a"], ["b"]]),
        ValueKind::DateFormat => json!(["yyyy", "epoch_second"]),
        ValueKind::DateFormats => json!([["yyyy"], ["epoch_second"]]),
        ValueKind::Date => json!(["2020-01-01", "2021-01-01"]),
        ValueKind::Analyzer => json!(["standard", "whitespace"]),
        ValueKind::Normalizer => json!(["lowercase", "other"]),
        ValueKind::Similarity => json!(["BM25", "boolean"]),
        ValueKind::IpAddress => json!(["::1", "::2"]),
        ValueKind::GeoPoint => json!([{"lat": 1.0, "lon": 1.0}, {"lat": 2.0, "lon": 2.0}]),
        ValueKind::Point => json!([{"x": 1.0, "y": 1.0}, {"x": 2.0, "y": 2.0}]),
        ValueKind::Path => json!(["target_a", "target_b"]),
        ValueKind::Paths => json!([["target_a"], ["target_b"]]),
        ValueKind::Meta => json!([{"unit": "ms"}, {"unit": "s"}]),
        ValueKind::Relations => json!([{"a": ["b"]}, {"a": ["b", "c"]}]),
        ValueKind::Members(members) => {
            let changed = members.iter().filter(|member| member.is_available("", target).is_ok());
            let changed: Vec<_> =
                changed.filter_map(|member| Some((member.name, by_kind(member, target)?))).collect();
            let object = |index: usize| {
                Value::Object(
                    changed
                        .iter()
                        .map(|(name, values)| ((*name).to_owned(), values[index].clone()))
                        .collect(),
                )
            };
            json!([object(0), object(1)])
        }
        _ => return None,
    };
    Some(pair(&list)).filter(|[first, second]| !first.is_null() && !second.is_null())
}

/// The least that a field of the type says, in the server's words; with what `parameter` needs
/// beside it.
pub(crate) fn least(field_type: &FieldType, parameter: &str, target: Target) -> Option<Map<String, Value>> {
    let mut field = Map::new();
    field.insert("type".to_owned(), json!(field_type.name_in(target.product)?));
    for required in field_type.parameters().filter(|required| required.required) {
        field.insert(required.name.to_owned(), values(field_type, required, target)?[0].clone());
    }
    let with = match (field_type.name, parameter) {
        ("constant_keyword", _) => json!({"value": "a"}),
        ("dense_vector" | "rank_vectors", _) => json!({"dims": 4}),
        ("knn_vector", _) => json!({"dimension": 4}),
        (_, "search_quote_analyzer") => json!({"analyzer": "standard", "search_analyzer": "standard"}),
        (_, "search_analyzer") => json!({"analyzer": "standard"}),
        (_, "fielddata_frequency_filter") => json!({"fielddata": true}),
        _ => json!({}),
    };
    for (name, value) in with.as_object().into_iter().flatten() {
        field.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Some(field)
}
