//! The documents of this workspace, and what becomes of them in an index.

{{modules}}

use pillowtop::Registry;

/// Every pillow of this workspace.
pub fn registry() -> Registry {
    pillowtop::registry![{{pillows}}]
}

#[test]
fn mappings_are_committed() {
    pillowtop::assert_committed(&registry());
}
