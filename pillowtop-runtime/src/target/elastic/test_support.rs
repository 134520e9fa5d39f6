//! Values that several unit tests need.

use pillowtop_core::{Definition, Sequence};
use serde_json::json;

use crate::operation::Version;
use crate::state::{DatabaseIdentity, IndexState, LoadState, Phase};

/// A definition of one field.
pub(super) fn definition() -> Definition {
    let mappings = json!({"dynamic": false, "properties": {"name": {"type": "text"}}});
    Definition::of_mapping("case", "cases", json!({}), mappings)
}

/// The state of an index that is loaded.
pub(super) fn state() -> IndexState {
    IndexState {
        pillow: "case".into(),
        index: "cases_0_1".into(),
        hash: "0".to_owned(),
        phase: Phase::Loading,
        checkpoint: None,
        load: Some(LoadState { start: "s0".into(), position: Sequence::start() }),
        database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
        ceiling: Version(1),
        past: Vec::new(),
    }
}
