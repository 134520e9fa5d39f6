//! What the tests of several targets share.

use pillowtop_core::Definition;
use serde_json::json;

use super::{Destination, OpenError, OpenTarget};
use crate::claim::{AcquireOptions, DatabaseIdentity, Slice, WhenHeld};

/// A definition with one number.
pub(crate) fn definition() -> Definition {
    let mappings = json!({"dynamic": false, "properties": {"n": {"type": "long"}}});
    Definition::of_mapping("case", "cases", json!({}), mappings)
}

pub(crate) fn database() -> DatabaseIdentity {
    DatabaseIdentity { name: "commcare".into(), instance_start_time: "1".to_owned() }
}

/// Takes the claim on the whole of the only target.
pub(crate) async fn acquire(
    destination: &dyn Destination,
    begin: Option<DatabaseIdentity>,
) -> Result<OpenTarget, OpenError> {
    let target = destination.targets().await?.remove(0);
    let options = AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::default() };
    destination.open(&target, Slice::Whole, begin, options).await
}
