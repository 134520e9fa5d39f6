//! The manifests: what crates.io and docs.rs show of each published crate.

use crate::tree::texts;

#[test]
fn published_crates_have_metadata() {
    let mut count = 0;
    for (path, manifest) in texts().iter().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        if path.starts_with("examples/template/") || manifest.contains("\npublish = false\n") {
            continue;
        }
        let expected =
            ["description = ", "readme.workspace", "keywords.workspace", "categories.workspace", ".docs.rs]"];
        for line in expected {
            assert!(manifest.contains(line), "{path} has no `{line}`");
        }
        count += 1;
    }
    assert!(count >= 5, "only {count} published crates were found");
}
