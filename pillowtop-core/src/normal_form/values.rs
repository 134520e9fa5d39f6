//! The value of a parameter in normal form, by what the table says that it takes.

use serde_json::{Map, Number, Value};

use super::{Note, fields};
use crate::field_types::{Parameter, ValueKind};

/// The value in normal form; one that does not fit stays as it is.
pub(super) fn normal(parameter: &Parameter, value: &Value, path: &str, notes: &mut Vec<Note>) -> Value {
    match (parameter.value, value) {
        (
            ValueKind::False | ValueKind::Boolean | ValueKind::BooleanOr(_) | ValueKind::BooleanOrObjects,
            Value::String(text),
        ) => boolean(text).map_or_else(|| value.clone(), Value::from),
        (
            ValueKind::Integer { .. }
            | ValueKind::Number
            | ValueKind::PositiveNumber
            | ValueKind::NumberBetween { .. },
            Value::String(text),
        ) => number(text).map_or_else(|| value.clone(), Value::Number),
        (ValueKind::Integer { .. }, Value::Number(given)) => Value::Number(whole(given)),
        // Servers answer with some words in capitals, which they also take.
        (ValueKind::OneOf(words), Value::String(text)) if !words.contains(&text.as_str()) => {
            let lower = text.to_lowercase();
            Value::from(if words.contains(&lower.as_str()) { &lower } else { text }.as_str())
        }
        (ValueKind::Members(members), Value::Object(object)) => inside(members, object, path, notes),
        (ValueKind::ListOfMembers(members), Value::Array(list)) => {
            list.iter().map(|entry| entry_of(members, entry, path, notes)).collect()
        }
        (ValueKind::ListOfMembers(members), Value::Object(_)) => {
            Value::Array(vec![entry_of(members, value, path, notes)])
        }
        (ValueKind::DynamicTemplates(members), Value::Array(list)) => {
            list.iter().map(|entry| template(members, entry, notes)).collect()
        }
        _ => value.clone(),
    }
}

fn entry_of(members: &'static [Parameter], entry: &Value, path: &str, notes: &mut Vec<Note>) -> Value {
    entry.as_object().map_or_else(|| entry.clone(), |object| inside(members, object, path, notes))
}

fn inside(
    members: &'static [Parameter],
    object: &Map<String, Value>,
    path: &str,
    notes: &mut Vec<Note>,
) -> Value {
    let known = |name: &str| members.iter().find(|member| member.name == name);
    object
        .iter()
        .map(|(name, value)| {
            let value = known(name).map_or_else(|| value.clone(), |known| normal(known, value, path, notes));
            (name.clone(), value)
        })
        .collect()
}

/// `{"name": {"match": …, "mapping": {…}}}`.
fn template(members: &'static [Parameter], entry: &Value, notes: &mut Vec<Note>) -> Value {
    let Value::Object(named) = entry else { return entry.clone() };
    named
        .iter()
        .map(|(name, template)| {
            let path = format!("(dynamic template `{name}`)");
            let Value::Object(template) = template else { return (name.clone(), template.clone()) };
            let mut template = inside(members, template, &path, notes);
            if let Some(mapping) = template.get_mut("mapping") {
                *mapping = fields::template_mapping(mapping, &path, notes);
            }
            (name.clone(), template)
        })
        .collect()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// An integer that was written as a fraction.
fn whole(given: &Number) -> Number {
    let text = given.to_string();
    text.strip_suffix(".0")
        .and_then(|whole| whole.parse::<i64>().ok())
        .map_or_else(|| given.clone(), Number::from)
}

fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}
