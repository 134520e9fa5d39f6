//! Values that servers read leniently: in JSON or as a string, and one value in place of a list.

use serde_json::Value;

/// A boolean as settings and parameters have it: in JSON or as a string.
#[must_use]
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A whole number as settings and parameters have it: in JSON or as a string.
#[must_use]
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// The strings of a value that is one string or a list of them. Anything else has none.
#[must_use]
pub fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(value) => value.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

/// The same where a string with commas is a list.
#[must_use]
pub fn comma_list(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(list)) => list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        other => strings(other),
    }
}
