//! Values that several unit tests need.

use pillowtop_core::definition::{Content, content_hash, document_json};
use pillowtop_core::{Committed, Definition, DocumentInfo, Fingerprint, Sequence};
use serde_json::json;

use crate::operation::Version;
use crate::state::{DatabaseIdentity, IndexState, LoadState, Phase};

/// A definition of one field.
pub(super) fn definition() -> Definition {
    let mappings = json!({"dynamic": false, "properties": {"name": {"type": "text"}}});
    let settings = json!({});
    let document = document_json(&DocumentInfo::PART);
    let content = Content {
        mappings: &mappings,
        settings: &settings,
        document: &document,
        filter: None,
        transform_version: 1,
    };
    Definition {
        targets: &[],
        pillow: "case".into(),
        alias: "cases".into(),
        document: DocumentInfo::PART,
        filter: None,
        selector: None,
        transform_version: 1,
        hash: content_hash(&content),
        fingerprint: Fingerprint(0),
        committed: Committed::Unchecked,
        rust_type: "Case",
        settings,
        mappings,
    }
}

/// The state of an index that is loaded.
pub(super) fn state() -> IndexState {
    IndexState {
        pillow: "case".into(),
        index: "cases_0_1".into(),
        hash: "0".to_owned(),
        phase: Phase::Loading,
        checkpoint: None,
        load: Some(LoadState { start: "s0".into(), version: Version(1), position: Sequence::start() }),
        database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
        ceiling: Version(1),
        past: Vec::new(),
    }
}
