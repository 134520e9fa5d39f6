//! Fields: their type said, their names without dots, their parameters in normal form.

use serde_json::{Map, Number, Value, json};

use super::{Note, legacy};
use crate::field_types::{Parameter, ValueKind, field_type, legacy_parameter};
use crate::references::keeps_dots;

/// The fields of an object.
pub(super) fn properties(
    properties: Option<&Value>,
    keeps_dots: bool,
    above: &str,
    notes: &mut Vec<Note>,
) -> Result<Map<String, Value>, String> {
    let members = match properties {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(format!("`properties` of {} is not an object", location(above))),
    };
    let mut normal = Map::new();
    for (name, mapping) in members {
        let path = below(above, name);
        if is_removed(mapping, &path, notes) {
            continue;
        }
        let mapping = field(mapping, &path, notes)?;
        let parts: Vec<&str> = if keeps_dots { vec![name.as_str()] } else { name.split('.').collect() };
        if parts.iter().any(|part| part.trim().is_empty()) {
            return Err(format!("{} has an empty name", location(&path)));
        }
        insert(&mut normal, &parts, mapping, &path)?;
    }
    Ok(normal)
}

/// A type that is gone altogether.
fn is_removed(mapping: &Value, path: &str, notes: &mut Vec<Note>) -> bool {
    let is_removed = mapping.get("type").and_then(Value::as_str) == Some("attachment");
    if is_removed {
        notes.push(Note {
            path: path.to_owned(),
            found: "the type `attachment`".to_owned(),
            became: "left out: use the attachment ingest processor".to_owned(),
        });
    }
    is_removed
}

/// Puts a field at its place; two objects of one name, which dots can make, become one.
fn insert(target: &mut Map<String, Value>, parts: &[&str], mapping: Value, path: &str) -> Result<(), String> {
    let twice = || format!("duplicate field `{path}`");
    match parts {
        [] => Ok(()),
        [name] => match (target.get_mut(*name), mapping) {
            (None, mapping) => {
                target.insert((*name).to_owned(), mapping);
                Ok(())
            }
            (Some(Value::Object(there)), Value::Object(mut more)) => {
                let inner = more.remove("properties");
                let is_plain = |object: &Map<String, Value>| {
                    object.iter().all(|(name, value)| name == "properties" || value == "object")
                };
                if is_plain(there) {
                    there.extend(more);
                } else if !is_plain(&more) {
                    return Err(twice());
                }
                for (name, mapping) in inner.as_ref().and_then(Value::as_object).into_iter().flatten() {
                    insert(properties_of(there).ok_or_else(twice)?, &[name], mapping.clone(), path)?;
                }
                Ok(())
            }
            (Some(_), _) => Err(twice()),
        },
        [name, rest @ ..] => {
            let entry = target.entry(*name).or_insert_with(|| json!({"type": "object"}));
            let inner = entry.as_object_mut().and_then(properties_of).ok_or_else(twice)?;
            insert(inner, rest, mapping, path)
        }
    }
}

fn properties_of(object: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let holds_fields = matches!(object.get("type"), Some(Value::String(name)) if name == "object" || name == "nested" || name == "passthrough");
    if !holds_fields {
        return None;
    }
    object.entry("properties").or_insert_with(|| json!({})).as_object_mut()
}

/// A field's mapping.
pub(super) fn field(mapping: &Value, path: &str, notes: &mut Vec<Note>) -> Result<Value, String> {
    let Value::Object(members) = mapping else {
        return Err(format!("the mapping of {} is not an object", location(path)));
    };
    let mut members = members.clone();
    legacy::modernize(&mut members, path, notes);
    members.entry("type").or_insert_with(|| json!("object"));
    parameters(&members, path, notes).map(Value::Object)
}

/// The mapping of a dynamic template, which may leave its type open.
fn template_mapping(mapping: &Value, path: &str, notes: &mut Vec<Note>) -> Value {
    let Value::Object(members) = mapping else { return mapping.clone() };
    let mut members = members.clone();
    legacy::modernize(&mut members, path, notes);
    // What cannot be understood stays as it is: the server says what it thinks of it.
    parameters(&members, path, notes).map_or(Value::Object(members), Value::Object)
}

fn parameters(
    members: &Map<String, Value>,
    path: &str,
    notes: &mut Vec<Note>,
) -> Result<Map<String, Value>, String> {
    let type_name = members.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = field_type(&type_name);
    let keeps_dots = keeps_dots(members);
    let mut normal = Map::new();
    for (name, value) in members {
        match name.as_str() {
            "type" => {
                normal.insert(name.clone(), value.clone());
            }
            "properties" => {
                let inner = properties(Some(value), keeps_dots, path, notes)?;
                if !inner.is_empty() {
                    normal.insert(name.clone(), Value::Object(inner));
                }
            }
            "fields" => {
                let inner = multi_fields(value, path, notes)?;
                if !inner.is_empty() {
                    normal.insert(name.clone(), Value::Object(inner));
                }
            }
            _ => match known.and_then(|known| known.parameter(name)) {
                Some(parameter) if parameter.nullable && value.is_null() => {}
                Some(parameter) => {
                    normal.insert(name.clone(), normal_value(parameter, value, path, notes));
                }
                None => {
                    match legacy_parameter(name).filter(|_| known.is_some_and(|known| !known.ignores(name))) {
                        Some(legacy) => notes.push(legacy::left_out(path, name, legacy)),
                        None => {
                            normal.insert(name.clone(), value.clone());
                        }
                    }
                }
            },
        }
    }
    Ok(normal)
}

fn multi_fields(fields: &Value, path: &str, notes: &mut Vec<Note>) -> Result<Map<String, Value>, String> {
    let mut normal = Map::new();
    let members = match fields {
        Value::Null => return Ok(normal),
        Value::Object(members) => members,
        _ => return Err(format!("`fields` of {} is not an object", location(path))),
    };
    for (name, mapping) in members {
        let path = below(path, name);
        normal.insert(name.clone(), field(mapping, &path, notes)?);
    }
    Ok(normal)
}

fn below(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

fn location(path: &str) -> String {
    if path.is_empty() { "the root".to_owned() } else { format!("field `{path}`") }
}

/// The value of a parameter in normal form, by what the table says that it takes; one that does not
/// fit stays as it is.
pub(super) fn normal_value(parameter: &Parameter, value: &Value, path: &str, notes: &mut Vec<Note>) -> Value {
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
            let value =
                known(name).map_or_else(|| value.clone(), |known| normal_value(known, value, path, notes));
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
                *mapping = template_mapping(mapping, &path, notes);
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
