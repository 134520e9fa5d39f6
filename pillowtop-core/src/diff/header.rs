//! What surrounds the mapping: alias, documents, filter, routing, transform, settings.

use serde_json::{Value, json};

use super::{Changes, names, reason};
use crate::committed::CommittedFile;
use crate::settings::{hashed_part, normalize, unknown_names};

pub(super) fn compare(before: &CommittedFile, after: &CommittedFile, changes: &mut Changes) {
    changes.compare("alias", Some(&json!(before.alias)), Some(&json!(after.alias)), reason::ALIAS);
    documents(&before.document, &after.document, changes);
    let text = |file: &CommittedFile| file.filter.get("text").cloned();
    let (old, new) = (text(before), text(after));
    changes.compare("filter", old.as_ref(), new.as_ref(), reason::OTHER_DOCUMENTS);
    if old == new {
        let selector = |file: &CommittedFile| file.filter.get("selector").cloned();
        changes.compare("selector", selector(before).as_ref(), selector(after).as_ref(), reason::SELECTOR);
    }
    let routing = |file: &CommittedFile| file.routing.clone().map(Value::from);
    changes.compare("routing", routing(before).as_ref(), routing(after).as_ref(), reason::ROUTING);
    let (old, new) = (json!(before.transform_version), json!(after.transform_version));
    changes.compare("transform_version", Some(&old), Some(&new), reason::TRANSFORM);
}

fn documents(before: &Value, after: &Value, changes: &mut Changes) {
    for name in names([Some(before), Some(after)]) {
        let (old, new) = (before.get(name), after.get(name));
        let why = match name {
            "types" if lost(old, new) => reason::TYPES_REMOVED,
            "database" => reason::DATABASE,
            "unknown" => reason::UNKNOWN,
            _ => reason::OTHER_DOCUMENTS,
        };
        changes.compare(&format!("document {name}"), old, new, why);
    }
}

/// Whether the first list has something that the second has not.
fn lost(before: Option<&Value>, after: Option<&Value>) -> bool {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let after = list(after);
    list(before).iter().any(|value| !after.contains(value))
}

/// Settings, leaf by leaf.
pub(super) fn settings(before: &Value, after: &Value, changes: &mut Changes) {
    let hashed = [hashed_part(before), hashed_part(after)];
    level("", Some(before), Some(after), &hashed, changes);
}

fn level(
    above: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    hashed: &[Value; 2],
    changes: &mut Changes,
) {
    for name in names([before, after]) {
        let child = |value: Option<&Value>| value.and_then(|value| value.get(name)).cloned();
        let (old, new) = (child(before), child(after));
        let path = format!("{above}{name}");
        let is_group = |value: &Option<Value>| value.as_ref().is_none_or(Value::is_object);
        // Something that is there on one side only is one change.
        if old.is_some() && new.is_some() && is_group(&old) && is_group(&new) {
            level(&format!("{path}."), old.as_ref(), new.as_ref(), hashed, changes);
            continue;
        }
        let pointer = format!("/{}", path.replace('.', "/"));
        let why = if hashed.iter().any(|part| part.pointer(&pointer).is_some()) {
            reason::STATIC_SETTING
        } else if path == "number_of_shards" {
            reason::SHARDS
        } else if is_unknown(&path) {
            reason::NOT_A_SETTING
        } else {
            reason::DYNAMIC_SETTING
        };
        changes.compare(&format!("settings {path}"), old.as_ref(), new.as_ref(), why);
    }
}

/// Whether no known server has the setting.
fn is_unknown(path: &str) -> bool {
    normalize(&json!({ path: null })).is_ok_and(|settings| !unknown_names(&settings).is_empty())
}
