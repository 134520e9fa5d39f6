//! What the tests of several targets share.

use pillowtop_core::Definition;
use serde_json::json;

use super::{Destination, OpenError, OpenTarget};
use crate::claim::{AcquireOptions, DatabaseIdentity, Slice, WhenHeld};

/// A definition with one number.
pub fn definition() -> Definition {
    let mappings = json!({"dynamic": false, "properties": {"n": {"type": "long"}}});
    Definition::of_mapping("case", "cases", json!({}), mappings)
}

/// The database that claims are of.
pub fn database() -> DatabaseIdentity {
    DatabaseIdentity { name: "commcare".into(), instance_start_time: "1".to_owned() }
}

/// Takes the claim on the whole of the only target.
///
/// # Errors
///
/// When the target cannot be opened, or the claim is held.
///
/// # Panics
///
/// Where the destination has no target.
pub async fn acquire(
    destination: &dyn Destination,
    begin: Option<DatabaseIdentity>,
) -> Result<OpenTarget, OpenError> {
    let target = destination.targets().await?.remove(0);
    let options = AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::default() };
    destination.open(&target, Slice::Whole, begin, options).await
}
