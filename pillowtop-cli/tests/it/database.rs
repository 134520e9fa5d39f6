//! `new-pillow --from-docs` on a database of several types.

use pillowtop_cli::App;
use pillowtop_core::Registry;
use serde_json::{Value, json};

use crate::fake_couch::FakeCouch;
use crate::support::{Ran, check, run_words};

/// 900 documents, of which every third is a visit, with a member that only late ones have.
fn documents() -> Vec<Value> {
    let types = ["Case", "Visit", "User"];
    let document = |number: usize| {
        let mut document = json!({"_id": format!("d{number:04}"), "_rev": "1-a", "doc_type": types[number % 3], "village": "Kano"});
        if number >= 600 {
            document["late"] = json!(true);
        }
        document
    };
    let design = json!({"_id": "_design/all", "language": "javascript", "views": {}});
    (0..900).map(document).chain([design]).collect()
}

fn new_pillow(couch: &FakeCouch, more: &[&str]) -> Ran {
    let words = [&["pillowtop", "new-pillow", "visit", "--from-docs", &couch.url], more].concat();
    run_words(App::new(Registry::new()), &words)
}

#[test]
fn the_limit_counts_documents_of_the_type_and_each_run_reads_the_same() {
    let modern = FakeCouch::start(documents(), true);
    let old = FakeCouch::start(documents(), false);
    for limit in ["10", "200", "250"] {
        let first = new_pillow(&modern, &["--doc-type", "Visit", "--limit", limit]);
        assert_eq!(first.code, 0, "{first:?}");
        assert!(first.out.contains(&format!("inferred from {limit} documents")), "{first:?}");
        assert_eq!(first.out.contains("pub late: Option<bool>"), limit == "250", "{first:?}");
        assert!(first.err.contains(&format!("of which the first {limit} were read")), "{first:?}");
        assert_eq!(new_pillow(&modern, &["--doc-type", "Visit", "--limit", limit]).out, first.out);
        let by_id = new_pillow(&old, &["--doc-type", "Visit", "--limit", limit]);
        let address = |ran: &Ran, couch: &FakeCouch| ran.out.replace(&couch.url, "URL");
        assert_eq!(address(&by_id, &old), address(&first, &modern), "without `_find`");
        assert!(by_id.err.contains("--limit"), "{by_id:?}");
    }
    let all = new_pillow(&modern, &["--doc-type", "Visit"]);
    assert!(all.out.contains("inferred from 300 documents") && !all.err.contains("--limit"), "{all:?}");
    let two = new_pillow(&modern, &["--doc-type", "Visit", "--doc-type", "Case", "--limit", "100"]);
    assert!(two.out.contains("inferred from 200 documents"), "{two:?}");
    assert!(two.out.contains("doc_type = [\"Visit\", \"Case\"]"), "{two:?}");
}

#[test]
fn the_database_of_the_samples_is_written() {
    let couch = FakeCouch::start(documents(), true);
    let ran = new_pillow(&couch, &["--doc-type", "Visit"]);
    assert!(ran.out.contains("#[couch(doc_type = \"Visit\", database = \"clinic\")]"), "{ran:?}");
}

#[test]
fn a_type_that_is_missing_or_not_chosen_is_reported_with_those_that_there_are() {
    let couch = FakeCouch::start(documents(), true);
    let ran = new_pillow(&couch, &["--doc-type", "Visitor"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("is of the type Visitor") && ran.err.contains("`Visit` (300)"), "{ran:?}");
    let ran = new_pillow(&couch, &["--limit", "9"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("first 9 of 901 documents") && ran.err.contains("`User` (3)"), "{ran:?}");
}

#[test]
fn the_limit_of_a_file_counts_documents_of_the_type_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("all.jsonl");
    let lines: Vec<String> = documents().iter().map(Value::to_string).collect();
    fs_err::write(&path, lines.join("\n")).unwrap();
    let command = format!("new-pillow visit --from-docs {} --doc-type Visit --limit 7", path.display());
    let ran = check(App::new(Registry::new()), &command, 0, "inferred from 7 documents");
    assert!(ran.err.contains("there are 300 documents of the type `Visit`"), "{ran:?}");
}
