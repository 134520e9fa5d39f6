//! Types, parameters and values of a mapping as JSON, by the one table of field types. The derives
//! check the same at each attribute; this is for mappings that no struct derives, and for dynamic
//! templates.

use serde_json::{Map, Value};

use super::Problem;
use crate::field_types::{field_type, root_parameter};

type Members = Map<String, Value>;

/// What is wrong with a root mapping and its fields.
pub(super) fn of_root(mappings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for (name, value) in mappings.as_object().into_iter().flatten() {
        if name == "properties" {
            found.extend(of_fields(value));
        } else if let Some(known) = root_parameter(name) {
            let unfit = known.check(value).err();
            found.extend(unfit.map(|unfit| refuse(name, format!("`{name}` {unfit}"), "write such a value")));
        } else {
            let what = format!("the root of a mapping has no parameter `{name}`");
            found.push(refuse(name, what, "leave it out"));
        }
    }
    found
}

/// What is wrong with `properties` or `fields`.
fn of_fields(fields: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for (name, mapping) in fields.as_object().into_iter().flatten() {
        let Some(members) = mapping.as_object() else { continue };
        let type_name = members.get("type").and_then(Value::as_str).unwrap_or("object");
        found.extend(of_field(type_name, members).into_iter().map(|problem| {
            let path =
                if problem.path.is_empty() { name.clone() } else { format!("{name}.{}", problem.path) };
            problem.at(&path)
        }));
    }
    found
}

/// What is wrong with a field of a type, and with those inside.
pub(super) fn of_field(type_name: &str, members: &Members) -> Vec<Problem> {
    let mut found = of_values(type_name, members);
    let Some(known) = field_type(type_name) else { return found };
    for name in members.keys().filter(|name| *name != "type" && !known.ignores(name)) {
        if known.parameter(name).is_none() && !is_placeholder(&members[name]) {
            let what = format!("`{type_name}` has no parameter `{name}`");
            found.push(refuse(name, what, "leave it out"));
        }
    }
    found
}

/// The same without the parameters that the type does not have, which some servers leave out of what a
/// dynamic template maps.
pub(super) fn of_values(type_name: &str, members: &Members) -> Vec<Problem> {
    if type_name.contains('{') {
        return Vec::new();
    }
    let Some(known) = field_type(type_name) else {
        let what = format!("it maps to the type `{type_name}`, which no server has");
        return vec![refuse("type", what, "write another type")];
    };
    let mut found = Vec::new();
    for (name, value) in members.iter().filter(|(name, value)| *name != "type" && !is_placeholder(value)) {
        match known.parameter(name) {
            Some(parameter) if !known.ignores(name) => {
                if let Err(unfit) = parameter.check(value) {
                    found.push(refuse(name, format!("`{name}` {unfit}"), "write such a value"));
                } else if matches!(name.as_str(), "fields" | "properties") {
                    found.extend(of_fields(value));
                }
            }
            _ => {}
        }
    }
    for required in known.parameters().filter(|parameter| parameter.required) {
        if !members.contains_key(required.name) {
            let what = format!("`{type_name}` needs the parameter `{}`", required.name);
            found.push(refuse(required.name, what, format!("write `{}`", required.name)));
        }
    }
    found
}

/// A name in braces stands for what is only known when a document comes.
fn is_placeholder(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('{'))
}

fn refuse(parameter: &str, what: String, help: impl Into<String>) -> Problem {
    Problem::everywhere(parameter, what, help)
}
