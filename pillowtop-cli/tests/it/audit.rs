//! The audit: what it reads, counts and says, and how it ends.

use serde_json::{Value, json};

use crate::fake_couch::FakeCouch;
use crate::support::{Ran, STALE, before, change, check, run_words};

fn audit(docs: &str, more: &[&str]) -> Ran {
    let mut words = vec!["pillowtop", "audit", "note", "--docs", docs];
    words.extend(more);
    run_words(before::<STALE>(), &words)
}

fn document(id: &str, body: &str) -> String {
    json!({"_id": id, "_rev": "1-a", "doc_type": "Note", "body": body}).to_string()
}

#[test]
fn documents_of_all_kinds_of_files_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs_err::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let long = "x".repeat(32_767);
    let (short, too_long) = (document("a", "hello"), document("b", &long));
    let rest = [
        document("c", "secret"),
        document("d", "5").replace("\"5\"", "5"),
        json!({"doc_type": "Other"}).to_string(),
    ];
    let lines = write("lines.jsonl", format!("{short}\n\n{too_long}\n{}\n", rest.join("\n")));
    let list = write("list.json", format!("[\n{short},\n{too_long},\n{}\n]", rest.join(",\n")));
    for file in [&lines, &list] {
        let ran = audit(file, &["--json"]);
        assert_eq!(ran.code, 4, "{ran:?}");
        let found = ran.json();
        let expected = json!({"read": 5, "indexed": 2, "rejected": 1, "undecodable": 1, "filtered": 1, "deleted": 0, "of_other_types": 1});
        assert_eq!(found["documents"], expected, "{file}");
        let body = found["paths"].as_array().unwrap().iter().find(|path| path["path"] == "body").unwrap();
        assert_eq!(body["seen"], 2);
        assert_eq!(
            (&body["findings"][0]["effect"], &body["findings"][0]["id"]),
            (&json!("rejected"), &json!("b"))
        );
        assert!(body["findings"][0]["hint"].as_str().unwrap().contains("ignore_above"));
    }
    let limited = audit(&lines, &["--limit", "1"]);
    assert_eq!(limited.code, 0, "{limited:?}");
    assert!(
        limited.out.contains("1 document read, 1 of them for the index of `note`: 0 rejected"),
        "{limited:?}"
    );

    let feed = format!(
        "{{\"results\":[\n{},\n{}\n],\n\"last_seq\":\"2-x\",\"pending\":0}}\n",
        change(1, "n1", "\"a\""),
        change(2, "n2", "7")
    );
    let ran = audit(&write("changes.json", feed), &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.out.contains("not decodable `(document)`: decoding failed at `body`"), "{ran:?}");
    assert!(ran.out.contains("first in `n2`"), "{ran:?}");

    let documents = directory.path().join("documents");
    fs_err::create_dir(&documents).unwrap();
    fs_err::write(documents.join("one.json"), json!({"doc_type": "Note", "body": "x"}).to_string()).unwrap();
    let ran = audit(documents.to_str().unwrap(), &["--json", "--target", "opensearch 3.6"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["targets"], json!(["OpenSearch 3.6"]));
    assert_eq!(ran.json()["documents"]["indexed"], Value::from(1));
}

#[test]
fn each_reason_of_a_document_that_cannot_be_decoded_is_a_block() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faulty.jsonl");
    let faulty = |id: &str, body: Value| json!({"_id": id, "doc_type": "Note", "body": body}).to_string();
    let documents = [
        faulty("a", json!(5)),
        json!({"_id": "b", "doc_type": "Note"}).to_string(),
        faulty("c", json!([])),
        faulty("d-longer", json!(4711)),
    ];
    fs_err::write(&file, documents.join("\n")).unwrap();
    let ran = audit(file.to_str().unwrap(), &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let blocks: Vec<&str> =
        ran.out.lines().filter(|line| line.starts_with("not decodable `(document)`")).collect();
    assert_eq!(blocks.len(), 3, "{ran:?}");
    assert!(ran.out.contains("missing field `body`"), "{ran:?}");
    assert!(ran.out.contains("in 2 documents, first in `a`"), "{ran:?}");
    let all = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(all.contains("0 rejected; 4 not decodable"), "{ran:?}");
    let mut table = ran.out.lines();
    assert_eq!(table.next(), Some("path        seen  not decodable  why"), "{ran:?}");
    assert!(!ran.out.contains("4711"), "{ran:?}");
}

#[test]
fn what_cannot_be_read_is_reported_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.jsonl");
    fs_err::write(&broken, format!("{}\n{{\"a\":\n", document("a", "x"))).unwrap();
    let ran = audit(broken.to_str().unwrap(), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("line 2 of") && ran.err.contains("is not a document"), "{ran:?}");
    let binary = directory.path().join("binary.json");
    fs_err::write(&binary, [0x1f, 0x8b, 0xff, 0xfe]).unwrap();
    let ran = audit(binary.to_str().unwrap(), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("binary.json cannot be read") && ran.err.contains("hint:"), "{ran:?}");
    let ran = audit(directory.path().join("missing.jsonl").to_str().unwrap(), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    check(before::<STALE>(), "audit nope --docs x", 2, "there is no pillow `nope`");
    check(before::<STALE>(), "audit notes --docs x", 2, "did you mean `note`?");
    check(before::<STALE>(), "audit note --docs x --target solr", 2, "opensearch 3.6");
}

#[test]
fn what_has_no_documents_is_reported_without_a_table() {
    let directory = tempfile::tempdir().unwrap();
    let ran = audit(directory.path().to_str().unwrap(), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("no document is for the index of `note`"), "{ran:?}");
    assert!(!ran.out.contains("never seen"), "{ran:?}");
    assert!(ran.err.contains("there are no documents in"), "{ran:?}");
}

#[test]
fn a_missing_database_of_an_address_is_not_blamed_on_the_configuration() {
    let couch = FakeCouch::start(Vec::new(), true);
    let ran = audit(&couch.url.replace("/clinic", "/nosuch"), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("has no database `nosuch`"), "{ran:?}");
    assert!(ran.err.contains("hint: check the name of the database in the address"), "{ran:?}");
}

#[test]
fn a_document_without_an_id_is_called_by_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let long = json!({"doc_type": "Note", "body": "x".repeat(32_767)}).to_string();
    for (name, text, path) in [
        ("lines.jsonl", format!("\u{feff}{}\n{long}\n", document("a", "x")), "first in `line 2`"),
        ("list.json", format!("[\n{},\n{long}]", document("a", "x")), "first in `line 3`"),
    ] {
        let file = directory.path().join(name);
        fs_err::write(&file, text).unwrap();
        let ran = audit(file.to_str().unwrap(), &[]);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.out.contains(path), "{ran:?}");
    }
}

#[test]
fn the_limit_counts_documents_of_the_pillows_type() {
    let documents: Vec<Value> = (0..40)
        .map(|number| {
            let doc_type = if number % 4 == 3 { "Note" } else { "Other" };
            json!({"_id": format!("d{number:02}"), "_rev": "1-a", "doc_type": doc_type, "body": "x"})
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("all.jsonl");
    let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
    fs_err::write(&path, lines.join("\n")).unwrap();
    let couch = FakeCouch::start(documents, true);
    for source in [path.to_str().unwrap(), &couch.url] {
        for (limit, indexed) in [("1", 1), ("7", 7), ("100", 10)] {
            let found = audit(source, &["--limit", limit, "--json"]).json();
            assert_eq!(found["documents"]["indexed"], indexed, "{source}: {found}");
        }
    }
    let found = audit(&couch.url, &["--json"]).json();
    assert_eq!((&found["documents"]["read"], &found["documents"]["indexed"]), (&json!(40), &json!(10)));
}
