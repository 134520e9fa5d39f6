//! What a diff says of two mappings.

use pillowtop_core::diff::{ChangeClass, diff};
use pillowtop_core::{CommittedFile, Fingerprint};
use serde_json::{Value, json};

/// The strictest class of the changes; none if nothing differs.
pub(crate) fn class_of(before: &Value, after: &Value) -> Option<ChangeClass> {
    diff(&file(before), &file(after)).iter().map(|change| change.class).max()
}

fn file(mappings: &Value) -> CommittedFile {
    CommittedFile {
        pillow: "case".to_owned(),
        alias: "cases".to_owned(),
        hash: String::new(),
        fingerprint: Fingerprint(0),
        document: json!({}),
        filter: Value::Null,
        routing: None,
        transform_version: 1,
        settings: json!({}),
        mappings: mappings.clone(),
    }
}
