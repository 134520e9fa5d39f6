//! Values that a parameter takes, and values that it does not take, by its kind.

use pillowtop_core::field_types::{Parameter, Target, ValueKind};
use serde_json::{Map, Value, json};

use crate::exceptions;

/// Values that the parameter takes: the bounds, every word, every member.
pub fn fitting(of_type: &str, parameter: &'static Parameter, target: Target) -> Vec<Value> {
    let mut values = exceptions::fitting(of_type, parameter.name)
        .unwrap_or_else(|| of_kind(of_type, parameter.name, parameter.value, target));
    if parameter.nullable {
        values.push(Value::Null);
    }
    values
}

fn of_kind(of_type: &str, path: &str, kind: ValueKind, target: Target) -> Vec<Value> {
    match kind {
        ValueKind::Boolean | ValueKind::BooleanOrObjects => vec![json!(true), json!(false)],
        ValueKind::False => vec![json!(false)],
        ValueKind::BooleanOr(words) => {
            let mut all = vec![json!(true), json!(false)];
            all.extend(words.iter().map(|word| json!(word)));
            all
        }
        ValueKind::Integer { minimum, maximum } => vec![whole(minimum), whole(maximum)],
        ValueKind::Number => vec![json!(1), json!(0.5)],
        ValueKind::PositiveNumber => vec![json!(0.01), json!(1_000_000)],
        ValueKind::NumberBetween { minimum, maximum } => vec![json!(minimum), json!(maximum)],
        ValueKind::OneOf(words) => words.iter().map(|word| json!(word)).collect(),
        ValueKind::ListOf(words) => vec![json!(words), json!([words[0]])],
        ValueKind::Text => vec![json!("text")],
        ValueKind::TextList => vec![json!(["a", "b"]), json!([])],
        ValueKind::TextOrList => vec![json!("a"), json!(["a", "b"])],
        ValueKind::DateFormat => {
            vec![json!("strict_date_optional_time||epoch_millis"), json!("yyyy-MM-dd'T'HH:mm")]
        }
        ValueKind::DateFormats => vec![json!(["yyyy-MM-dd", "strict_date_time"])],
        ValueKind::Date => vec![json!("2020-01-31T00:00:00Z"), json!(0)],
        ValueKind::Analyzer => vec![json!("standard"), json!("english")],
        ValueKind::Normalizer => vec![json!("low"), json!("lowercase")],
        ValueKind::Similarity => vec![json!("BM25"), json!("boolean")],
        ValueKind::IpAddress => vec![json!("::1"), json!("192.168.0.1")],
        ValueKind::GeoPoint => {
            vec![json!({"lat": 41.12, "lon": -71.34}), json!("41.12,-71.34"), json!([-71.34, 41.12])]
        }
        ValueKind::Point => vec![json!({"x": 1, "y": 2}), json!("1,2"), json!([1, 2])],
        ValueKind::Path => vec![json!("exact")],
        ValueKind::Paths => vec![json!("exact"), json!(["exact", "words"])],
        ValueKind::Fields => vec![json!({"other": {"type": "keyword"}}), json!({})],
        ValueKind::Properties => vec![json!({"inner": {"type": "keyword"}}), json!({})],
        ValueKind::ScriptedFields => vec![json!({"one": {"type": "keyword"}})],
        ValueKind::Relations => {
            vec![json!({"question": "answer"}), json!({"question": ["answer", "comment"]})]
        }
        ValueKind::Meta => vec![
            json!({}),
            json!({"unit": "ms", "metric_type": "gauge", "a": "", "b": "b", "abcdefghijklmnopqrst": "x"}),
        ],
        ValueKind::Script => vec![json!("int x = 1"), json!({"source": "int x = 1"})],
        ValueKind::Object => vec![json!({})],
        ValueKind::Any => vec![json!("a")],
        ValueKind::DynamicTemplates(members) => of_members(of_type, path, members, target)
            .into_iter()
            .map(|template| json!([{"one": template}]))
            .chain([json!([])])
            .collect(),
        ValueKind::Members(members) => of_members(of_type, path, members, target),
        ValueKind::ListOfMembers(members) => {
            of_members(of_type, path, members, target).into_iter().map(|one| json!([one])).collect()
        }
        other => panic!("no sample of a value that is {other}"),
    }
}

/// The object with its required members, and with each other member.
fn of_members(of_type: &str, path: &str, members: &'static [Parameter], target: Target) -> Vec<Value> {
    let required: Map<String, Value> = members
        .iter()
        .filter(|member| member.required)
        .map(|member| (member.name.to_owned(), fitting(of_type, member, target).remove(0)))
        .collect();
    let mut all = vec![];
    if exceptions::may_be_bare(path) {
        all.push(Value::Object(required.clone()));
    }
    for member in members {
        let member_path = format!("{path}.{}", member.name);
        let values =
            exceptions::fitting(of_type, &member_path).unwrap_or_else(|| fitting(of_type, member, target));
        for value in values {
            let mut object = required.clone();
            object.extend(exceptions::companions(of_type, &member_path));
            object.insert(member.name.to_owned(), value);
            all.push(Value::Object(object));
        }
    }
    all
}

/// Values that the parameter does not take.
pub fn unfit(of_type: &str, parameter: &'static Parameter) -> Vec<Value> {
    let mut all = match parameter.value {
        ValueKind::False => vec![json!(true), json!("yes")],
        ValueKind::Boolean | ValueKind::BooleanOr(_) => vec![json!("yes"), json!(5)],
        ValueKind::Integer { minimum, maximum } => {
            vec![whole(minimum.saturating_sub(1)), whole(maximum.saturating_add(1)), json!("many"), json!({})]
        }
        ValueKind::Number => vec![json!("many")],
        ValueKind::PositiveNumber => vec![json!(0), json!(-1), json!("many")],
        ValueKind::NumberBetween { minimum, maximum } => {
            vec![json!(minimum - 0.5), json!(maximum + 0.5), json!("many")]
        }
        ValueKind::OneOf(_) => vec![json!("no_such_word"), json!(true)],
        ValueKind::ListOf(_) => vec![json!(["no_such_word"]), json!([])],
        ValueKind::DateFormat => vec![json!("yyyy||"), json!("yyyy'")],
        ValueKind::DateFormats => vec![json!(["epoch_millis"]), json!(["yyyy'"])],
        ValueKind::IpAddress => vec![json!("localhost")],
        ValueKind::GeoPoint | ValueKind::Point => vec![json!(true), json!({"a": 1}), json!([1])],
        ValueKind::Date | ValueKind::Analyzer | ValueKind::Normalizer | ValueKind::Similarity => {
            vec![json!("")]
        }
        ValueKind::Fields => vec![json!({"other": {}}), json!("text")],
        ValueKind::Properties => vec![json!({"inner": "keyword"}), json!("text")],
        ValueKind::ScriptedFields => vec![json!({"one": {}}), json!("text")],
        ValueKind::Meta => vec![
            json!({"unit": 1}),
            json!({"abcdefghijklmnopqrstu": "x"}),
            json!({"unit": "x".repeat(501)}),
            json!({"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""}),
            json!("text"),
        ],
        ValueKind::Members(_) => vec![json!({"no_such_member": 1}), json!("text")],
        ValueKind::ListOfMembers(_) => vec![json!([{"no_such_member": 1}]), json!("text")],
        ValueKind::DynamicTemplates(_) => vec![
            json!({"one": {"mapping": {}}}),
            json!([{"one": {"no_such_member": "x", "mapping": {}}}]),
            json!([{"one": {"match": "x"}}]),
        ],
        ValueKind::Script => vec![json!({}), json!(5)],
        // Servers make a string of anything.
        _ => vec![],
    };
    if let Some(members) = members(parameter.value) {
        for member in members {
            all.extend(unfit(of_type, member).into_iter().map(|value| {
                let path = format!("{}.{}", parameter.name, member.name);
                let target = Target::elasticsearch(9, 0);
                let mut object: Map<String, Value> = members
                    .iter()
                    .filter(|member| member.required)
                    .map(|member| (member.name.to_owned(), fitting(of_type, member, target).remove(0)))
                    .collect();
                object.extend(exceptions::companions(of_type, &path));
                object.insert(member.name.to_owned(), value);
                match parameter.value {
                    ValueKind::ListOfMembers(_) => json!([object]),
                    _ => Value::Object(object),
                }
            }));
        }
    }
    if !parameter.nullable {
        all.push(Value::Null);
    }
    all
}

fn whole(number: i128) -> Value {
    i64::try_from(number)
        .map(Value::from)
        .or_else(|_| u64::try_from(number).map(Value::from))
        .unwrap_or_else(|_| json!(number.to_string()))
}

/// The members of a parameter that is an object.
fn members(kind: ValueKind) -> Option<&'static [Parameter]> {
    match kind {
        ValueKind::Members(members) | ValueKind::ListOfMembers(members) => Some(members),
        _ => None,
    }
}
