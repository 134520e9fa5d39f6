//! Values that servers read leniently: in JSON, or as a string.

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
