//! What `make-mapping` says of a mapping that is past a server's limit, or near one.

use pillowtop::{CouchDocument, Pillow};
use pillowtop_cli::App;
use pillowtop_core::Registry;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Note, OTHERS, check, mapping_of, run};

/// Two fields of its own, and four of the runtime's object.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(
    name = "visit",
    alias = "visits",
    settings = r#"{"index.mapping.total_fields.limit": 5}"#,
    mapping = unchecked
)]
struct Past {
    village: String,
    urgent: bool,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(
    name = "visit",
    alias = "visits",
    settings = r#"{"mapping": {"total_fields": {"limit": 6}}, "refresh_intervall": "5s"}"#,
    mapping = unchecked
)]
struct Near {
    village: String,
    urgent: bool,
}

#[test]
fn past_a_limit_nothing_is_made() {
    for arguments in ["make-mapping visit", "make-mapping --check", "make-mapping visit --diff"] {
        let past = App::new(pillowtop::registry![Past]);
        let ran = check(past, arguments, 1, "mapping.total_fields.limit");
        assert!(ran.err.contains('6') && ran.err.contains('5') && ran.err.contains("hint: "), "{ran:?}");
        assert_eq!(ran.out, "");
    }
}

#[test]
fn near_a_limit_there_is_a_warning() {
    let near = || App::new(pillowtop::registry![Near]);
    let ran = check(near(), "make-mapping --check", 0, "");
    assert!(ran.err.contains("warning: visit: "), "{ran:?}");
    assert!(ran.err.contains("did you mean `refresh_interval`?"), "{ran:?}");
    let warnings = run(near(), "--json make-mapping --check").json()["warnings"].take();
    assert_eq!(warnings[0]["setting"], "mapping.total_fields.limit");
    assert_eq!((&warnings[0]["count"], &warnings[0]["limit"]), (&6.into(), &6.into()));
    assert_eq!(warnings[1]["setting"], "refresh_intervall");
}

#[test]
fn one_mapping_past_a_limit_does_not_keep_the_others_from_being_written() {
    let path = mapping_of(OTHERS);
    let both = || App::new(pillowtop::registry![Past].and(&Registry::new().with::<Note<OTHERS, false>>()));
    let ran = check(both(), "make-mapping --all", 1, "mapping.total_fields.limit");
    assert!(ran.out.contains("new") && path.is_file(), "{ran:?}");
    assert!(ran.err.contains("error: visit: "), "{ran:?}");
    let ran = check(both(), "make-mapping --check", 1, "mapping.total_fields.limit");
    assert!(ran.out.contains("1 committed mapping is what"), "{ran:?}");
}

#[test]
fn a_struct_that_is_written_past_a_limit_is_reported_with_how_to_raise_it() {
    let directory = tempfile::tempdir().unwrap();
    let members = |number: usize| (format!("member{number}"), json!(number));
    let many: serde_json::Map<String, Value> = (0..998).map(members).collect();
    let properties = |number: usize| (format!("member{number}"), json!({"type": "long"}));
    let mapping: serde_json::Map<String, Value> = (0..998).map(properties).collect();
    let mut document = json!({"doc_type": "Visit"});
    document.as_object_mut().unwrap().extend(many);
    for (name, option, body) in [
        ("docs.json", "--from-docs", document),
        ("mapping.json", "--from-mapping", json!({"properties": mapping})),
    ] {
        let path = directory.path().join(name);
        fs_err::write(&path, body.to_string()).unwrap();
        let command = format!("new-pillow visit {option} {}", path.display());
        let ran = check(App::new(Registry::new()), &command, 0, "pub struct Visit");
        assert!(ran.err.contains("more than the limit of 1000 (mapping.total_fields.limit"), "{}", ran.err);
        assert!(
            ran.err.contains(r##"`settings = r#"{"mapping.total_fields.limit":1500}"#`"##),
            "{}",
            ran.err
        );
        let warnings = run(App::new(Registry::new()), &format!("--json {command}")).json()["warnings"].take();
        assert_eq!(warnings[0]["limit"], 1000, "{warnings}");
    }
}

/// What neither the mapping nor the settings say alone.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(name = "visit", alias = "visits", settings = r#"{"mode": "logsdb"}"#, mapping = unchecked)]
struct Log {
    village: String,
}

#[test]
fn no_mapping_is_made_for_an_index_that_would_reject_every_document() {
    for arguments in ["make-mapping visit", "make-mapping --check"] {
        let log = App::new(pillowtop::registry![Log]);
        let ran = check(
            log,
            arguments,
            1,
            "visit: an index with the setting `mode = \"logsdb\"` rejects documents",
        );
        assert!(ran.err.contains("hint: leave `mode` out"), "{ran:?}");
    }
}
