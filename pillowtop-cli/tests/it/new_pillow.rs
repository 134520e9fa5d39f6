//! `new-pillow` on files, and on what is not a mapping.

use pillowtop_cli::App;
use pillowtop_core::Registry;
use serde_json::json;

use crate::support::{Ran, check, run};

fn app() -> App {
    App::new(Registry::new())
}

fn body(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs_err::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}

const VISITS: &str = r#"{"settings": {"index": {"number_of_shards": "2"}}, "mappings": {"doc": {"_all": {"enabled": false}, "dynamic": "strict",
    "properties": {"@timestamp": {"type": "date"}, "village": {"type": "keyword", "ignore_above": 8191},
        "measurements": {"type": "nested", "properties": {"value": {"type": "double"}}}}}}}"#;

#[test]
fn a_module_is_printed_and_the_old_is_reported() {
    let (_directory, path) = body("visits.json", VISITS);
    let command = format!("new-pillow visit --from-mapping {path}");
    let Ran { out, err, .. } = check(app(), &command, 0, "pub struct Visit {");
    for line in [
        "//! The pillow `visit`, from the mapping in `visits.json`.",
        "#[couch(doc_type = \"Visit\")]",
        "#[es(date_detection = true, dynamic = strict)]",
        "    pub village: Option<String>,",
        "    pub measurements: Vec<Measurement>,",
    ] {
        assert!(out.lines().any(|found| found == line), "`{line}` is not in {out}");
    }
    assert!(out.contains("settings = r#\"{\"number_of_shards\":\"2\"}\"#"), "{out}");
    assert!(err.contains("`_all`: left out") && err.contains("document type `doc`"), "{err}");
    assert!(err.contains("make-mapping visit"), "{err}");
    let report = run(app(), &format!("--json {command}")).json();
    assert_eq!((&report["struct"], &report["fields"]), (&json!("Visit"), &json!(4)), "{report}");
    assert_eq!(report["notes"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(report["rust"].as_str().map(str::trim_end), Some(out.trim_end()));
}

#[test]
fn a_file_is_written_once_with_its_settings() {
    let (directory, path) = body("visits.json", VISITS);
    fs_err::write(directory.path().join("Cargo.toml"), "").unwrap();
    let module = directory.path().join("src/visit.rs");
    let command = format!("new-pillow visit --from-mapping {path} --out {}", module.display());
    check(app(), &command, 0, "");
    let text = fs_err::read_to_string(&module).unwrap();
    assert!(text.contains("settings = \"src/visit.settings.json\""), "{text}");
    let settings = fs_err::read_to_string(module.with_file_name("visit.settings.json")).unwrap();
    assert_eq!(settings, "{\"number_of_shards\": \"2\"}\n");
    check(app(), &command, 2, "already exists");
    check(app(), &format!("{command} --force"), 0, "");
}

#[test]
fn what_the_source_does_not_define_is_shown_where_one_looks() {
    let (_directory, path) = body(
        "console.json",
        "/* from a console */ {\"title\": {\"properties\": {\"name\": {\"type\": \"text\", // in full\n \"analyzer\": \"folding\"}}}}",
    );
    let Ran { out, err, .. } =
        check(app(), &format!("new-pillow visit --from-mapping {path}"), 0, "pub name");
    assert!(out.contains("//! * `analysis.analyzer.folding`"), "{out}");
    assert!(
        out.contains(r##"settings = r#"{"analysis":{"analyzer":{"folding":{"type":"folding"}}}}"#"##),
        "{out}"
    );
    assert!(err.contains("`analysis.analyzer` does not define `folding`"), "{err}");
}

#[test]
fn what_cannot_be_taken_over_is_an_error() {
    for (text, expected) in [
        ("{", "visits.json"),
        ("{}", "neither `mappings` nor `properties`"),
        (
            r#"{"mappings": {"properties": {"a": {"type": "long"}, "a.b": {"type": "long"}}}}"#,
            "duplicate field `a.b`",
        ),
    ] {
        let (_directory, path) = body("visits.json", text);
        check(app(), &format!("new-pillow visit --from-mapping {path}"), 1, expected);
    }
    for (arguments, expected) in [
        ("visit --from-mapping nowhere.json", "nowhere.json"),
        ("Visit --from-mapping nowhere.json", "no pillow can be named `Visit`"),
        ("visit --from-mapping http://localhost:1", "names no index"),
        ("visit", "--from-mapping"),
        ("visit --from-mapping nowhere.json --force", "--out"),
    ] {
        check(app(), &format!("new-pillow {arguments}"), 2, expected);
    }
    let refused = check(
        app(),
        "new-pillow visit --from-mapping http://u:hidden@127.0.0.1:1/visits",
        1,
        "does not respond",
    );
    assert!(!refused.err.contains("hidden"), "{refused:?}");
}
