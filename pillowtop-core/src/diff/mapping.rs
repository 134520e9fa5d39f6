//! The mapping: its root, fields, multi-fields and parameters.

use serde_json::Value;

use super::reason::{self, Reason};
use super::{Changes, names, searches, types};
use crate::field_types::{Holds, LiveChange, Parameter, field_type, root_parameter};

/// The root of a mapping, then its properties.
pub(super) fn root(before: &Value, after: &Value, changes: &mut Changes) {
    for name in names([Some(before), Some(after)]) {
        let (old, new) = (before.get(name), after.get(name));
        match name {
            "properties" => {}
            "runtime" | "derived" => computed(name, old, new, changes),
            _ => {
                let why = at_root(name, old, new);
                changes.compare(&format!("root {name}"), old, new, why);
            }
        }
    }
    properties("", before.get("properties"), after.get("properties"), changes);
}

fn at_root(name: &str, old: Option<&Value>, new: Option<&Value>) -> Reason {
    let Some(parameter) = root_parameter(name) else { return reason::NOT_KNOWN };
    if name == "_meta" {
        return reason::NOTES;
    }
    if let Some(why) = searches::of_parameter("object", name, old, new) {
        return why;
    }
    if !takes(parameter, old, new) {
        return if name == "_source" { reason::SOURCE } else { reason::FIXED_AT_ROOT };
    }
    if new.is_none() { reason::KEPT } else { reason::TAKEN_AT_ROOT }
}

/// Runtime and derived fields.
fn computed(group: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Changes) {
    for name in names([before, after]) {
        let of = |fields: Option<&Value>| fields.and_then(|fields| fields.get(name)).cloned();
        let (old, new) = (of(before), of(after));
        let type_name = |field: &Option<Value>| field.as_ref().map(|field| type_of(field).to_owned());
        let why = match (type_name(&old), type_name(&new)) {
            (_, None) => reason::FIELD_REMOVED,
            (Some(old), Some(new)) if old != new && !types::same_family(&old, &new) => {
                reason::COMPUTED_OTHERWISE
            }
            _ => reason::RUNTIME,
        };
        changes.compare(&format!("{group} {name}"), old.as_ref(), new.as_ref(), why);
    }
}

fn properties(prefix: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Changes) {
    for name in names([before, after]) {
        let of = |fields: Option<&'_ Value>| fields.and_then(|fields| fields.get(name)).cloned();
        let path = format!("{prefix}{name}");
        match (of(before), of(after)) {
            (Some(old), Some(new)) => field(&path, &old, &new, changes),
            (old, new) => {
                let why = if new.is_none() { reason::FIELD_REMOVED } else { reason::FIELD_ADDED };
                changes.compare(&path, old.as_ref(), new.as_ref(), why);
            }
        }
    }
}

/// A mapping without a type is an object's.
fn type_of(field: &Value) -> &str {
    field.get("type").and_then(Value::as_str).unwrap_or("object")
}

fn field(path: &str, before: &Value, after: &Value, changes: &mut Changes) {
    let (old_type, new_type) = (type_of(before), type_of(after));
    if old_type != new_type {
        let is_nested = |name: &str| field_type(name).is_some_and(|known| known.holds == Holds::Nested);
        let why = if types::renamed(old_type, new_type) {
            reason::SAME_TYPE
        } else if types::same_family(old_type, new_type) {
            reason::TYPE_OF_FAMILY
        } else if is_nested(old_type) != is_nested(new_type) {
            reason::NESTED
        } else {
            reason::TYPE_OTHER
        };
        changes.compare(path, Some(&Value::from(old_type)), Some(&Value::from(new_type)), why);
    }
    // Parameters of another type are its own; what is below can be found as before or not.
    let same_parameters = old_type == new_type;
    for name in names([Some(before), Some(after)]) {
        let (old, new) = (before.get(name), after.get(name));
        match name {
            "type" => {}
            "properties" | "fields" => properties(&format!("{path}."), old, new, changes),
            _ if same_parameters => {
                let why = of_field(new_type, name, old, new);
                changes.compare(&format!("{path} {name}"), old, new, why);
            }
            _ => {}
        }
    }
}

fn of_field(type_name: &str, name: &str, old: Option<&Value>, new: Option<&Value>) -> Reason {
    let known = field_type(type_name);
    let Some(parameter) = known.and_then(|known| known.parameter(name)) else { return reason::NOT_KNOWN };
    if let Some(why) = searches::of_parameter(type_name, name, old, new) {
        return why;
    }
    if !takes(parameter, old, new) {
        return reason::FIXED;
    }
    // Servers build a field anew from what is sent, but an object keeps what is left out.
    let is_object = known.is_some_and(|known| matches!(known.holds, Holds::Object | Holds::Nested));
    if new.is_none() && is_object { reason::KEPT } else { reason::TAKEN }
}

fn takes(parameter: &Parameter, old: Option<&Value>, new: Option<&Value>) -> bool {
    match parameter.live_change {
        LiveChange::Refused => false,
        LiveChange::Accepted => true,
        LiveChange::OnlyToFalse => searches::is_false(new),
        LiveChange::OnlyGrown => grown(old, new),
    }
}

/// Whether the same members have lists that hold at least what they held.
fn grown(before: Option<&Value>, after: Option<&Value>) -> bool {
    let (Some(before), Some(after)) = (before.and_then(Value::as_object), after.and_then(Value::as_object))
    else {
        return false;
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    before.keys().eq(after.keys())
        && before.iter().all(|(name, old)| {
            after.get(name).map(list).is_some_and(|new| list(old).iter().all(|value| new.contains(value)))
        })
}
