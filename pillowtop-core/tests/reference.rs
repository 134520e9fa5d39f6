//! The reference page is what the table says.

use std::path::Path;

use pillowtop_core::field_types::reference;

#[test]
fn the_reference_page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/field-types.md");
    let page = fs_err::read_to_string(path).unwrap_or_default();
    assert!(page == reference(), "docs/field-types.md is stale: run `cargo xtask reference`");
}
