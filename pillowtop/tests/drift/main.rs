//! The drift check, in a workspace of a user's own that goes through every state of a committed
//! mapping.

mod workspace;

use workspace::Workspace;

#[test]
fn drift_is_a_compile_error_until_the_mapping_is_made() {
    let workspace = Workspace::create();

    let missing = workspace.check_fails();
    assert!(missing.contains("`Case` has no committed mapping `mappings/case.json`"), "{missing}");
    assert!(missing.contains("help: run `cargo xtask make-mapping case`"), "{missing}");
    assert!(missing.contains("documents/src/lib.rs:"), "{missing}");
    let errors = missing.lines().filter(|line| line.starts_with("error"));
    assert_eq!(errors.count(), 2, "one error and cargo's own: {missing}");

    // Made after a build that failed for want of it.
    workspace.make_mapping();
    workspace.check_passes();

    // Both variants stay built beside each other.
    assert_eq!(workspace.make_mapping(), "");
    assert_eq!(workspace.check_passes(), "");

    // A change in a struct that the derive of `Case` does not see.
    workspace.edit("documents/src/lib.rs", "pub kind: String", "#[es(text)] pub kind: String");
    let stale = workspace.check_fails();
    assert!(stale.contains("the committed mapping `mappings/case.json` is stale"), "{stale}");
    assert!(stale.contains("help: run `cargo xtask make-mapping case`"), "{stale}");
    assert!(stale.contains("pub struct Case"), "at the struct: {stale}");
    workspace.make_mapping();
    workspace.check_passes();

    for (from, to) in [
        (r#"self.domain != "demo""#, r#"self.domain != "test""#),
        (r#"alias = "hqcases""#, r#"alias = "cases""#),
        (r#"doc_type = "Case""#, r#"doc_type = "CommCareCase""#),
    ] {
        workspace.edit("documents/src/lib.rs", from, to);
        let stale = workspace.check_fails();
        assert!(stale.contains("is stale"), "{from}: {stale}");
        workspace.edit("documents/src/lib.rs", to, from);
        workspace.check_passes();
    }

    // What has no effect on the index is not drift.
    workspace.edit("documents/src/lib.rs", r#"self.domain != "demo""#, "/* why */ self . domain!= r\"demo\"");
    workspace.check_passes();

    workspace.edit("documents/analysis.json", "lowercase", "uppercase");
    assert!(workspace.check_fails().contains("is stale"));
    workspace.edit("documents/analysis.json", "uppercase", "lowercase");
    workspace.check_passes();
}

#[test]
fn a_file_that_cannot_be_trusted_is_distinguished_from_a_stale_one() {
    let workspace = Workspace::create();
    workspace.make_mapping();
    workspace.check_passes();
    let made = workspace.read("mappings/case.json");

    workspace.edit("mappings/case.json", "\"text\"", "\"keyword\"");
    let edited = workspace.check_fails();
    assert!(edited.contains("`mappings/case.json` of `Case` was edited by hand"), "{edited}");

    let mut of_another = pillowtop::CommittedFile::parse(made.as_bytes()).unwrap();
    of_another.pillow = "form".to_owned();
    workspace.write("mappings/case.json", std::str::from_utf8(&of_another.to_bytes()).unwrap());
    assert!(workspace.check_fails().contains("is of another pillow, `form`"));

    workspace.write("mappings/case.json", &made.replace("v1:", "v9:"));
    let other_version = workspace.check_fails();
    assert!(other_version.contains("has a fingerprint of another release of pillowtop"), "{other_version}");

    workspace.write("mappings/case.json", "not JSON");
    assert!(workspace.check_fails().contains("is malformed"));

    workspace.remove("mappings/case.json");
    assert!(workspace.check_fails().contains("has no committed mapping"));

    // While it is gone, the tool builds and makes it anew, to the byte.
    workspace.make_mapping();
    assert_eq!(workspace.read("mappings/case.json"), made);
    workspace.check_passes();
}

/// Derives, rules and the committed mapping under another name of the crate: as the manifest has
/// it, then as the struct declares it.
#[test]
fn the_crate_may_have_another_name() {
    let workspace = Workspace::create();
    workspace.edit("documents/Cargo.toml", "pillowtop = {", "pt = { package = \"pillowtop\",");
    workspace.edit("documents/Cargo.toml", "pillowtop/bless", "pt/bless");
    workspace.edit("documents/src/lib.rs", "use pillowtop::", "use pt::");
    let rules =
        "pt::rules! { pub(crate) rules { strings named \"kind\" => text; } }\n#[es(rules = crate::rules)]";
    workspace.edit(
        "documents/src/lib.rs",
        "#[couch(",
        &format!("#[derive(CouchDocument)] struct Part {{ kind: String }}\n{rules}\n#[couch("),
    );
    let library = workspace.read("documents/src/lib.rs");
    let derives = "#[derive(Serialize, Deserialize, CouchDocument, Pillow)]\n";
    let library = library.replacen(derives, "", 1).replace("#[es(rules", &format!("{derives}#[es(rules"));
    workspace.write("documents/src/lib.rs", &library);
    workspace.make_mapping();
    workspace.check_passes();

    // As through a crate that re-exports it: no dependency of the name is looked for.
    workspace.edit("documents/src/lib.rs", "use pt::", "mod umbrella { pub use ::pt as inner; }\nuse pt::");
    workspace.edit(
        "documents/src/lib.rs",
        "name = \"case\"",
        "crate = crate::umbrella::inner, name = \"case\"",
    );
    workspace.check_passes();
}
