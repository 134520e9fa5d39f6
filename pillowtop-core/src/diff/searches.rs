//! Parameters whose change is felt by searches, or by the documents to come, whether the live field
//! takes it or not.

use serde_json::Value;

use super::reason::{self, Reason};
use crate::canonical::to_canonical;
use crate::lenient::strings;

/// What a change of a parameter does to searches; none if that is no more than any change of it
/// does.
pub(super) fn of_parameter(
    type_name: &str,
    name: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Reason> {
    match name {
        "index" | "doc_values" | "enabled" | "fielddata" if is_false(new) => Some(reason::NOT_SEARCHED),
        "fielddata" if new.is_none() && !is_false(old) => Some(reason::NOT_SEARCHED),
        "dynamic" if is_open(old) && !is_open(new) => Some(reason::UNNAMED_LOST),
        "dynamic" if is_strict(new) && !is_strict(old) => Some(reason::STRICT),
        "ignore_above" if allowed(new) < allowed(old) => Some(reason::SHORTENED),
        "null_value" if old.is_some_and(|old| !old.is_null()) => Some(reason::NULL_VALUE_LOST),
        "copy_to" if strings(old).iter().any(|target| !strings(new).contains(target)) => {
            Some(reason::COPY_LOST)
        }
        "path" if type_name == "alias" => Some(reason::POINTS_ELSEWHERE),
        _ => None,
    }
}

pub(super) fn is_false(value: Option<&Value>) -> bool {
    value.is_some_and(|value| matches!(to_canonical(value).as_str(), "false" | "\"false\""))
}

/// Whether what no field names becomes one. Unsaid, an object does as what it is in does.
fn is_open(dynamic: Option<&Value>) -> bool {
    dynamic.is_some_and(|value| matches!(to_canonical(value).as_str(), "true" | "\"true\"" | "\"runtime\""))
}

fn is_strict(dynamic: Option<&Value>) -> bool {
    dynamic.and_then(Value::as_str).is_some_and(|value| value.starts_with("strict"))
}

/// The longest text that is indexed.
fn allowed(ignore_above: Option<&Value>) -> u64 {
    ignore_above.and_then(Value::as_u64).unwrap_or(u64::MAX)
}
