//! `new-pillow --from-docs`: what is written compiles, reads every sample, loses nothing, and no
//! server refuses a sample.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pillowtop_cli::App;
use pillowtop_core::Registry;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::any_documents::documents;
use crate::support::{check, run};

fn app() -> App {
    App::new(Registry::new())
}

fn samples(directory: &Path, name: &str, documents: &[Value]) -> PathBuf {
    let path = directory.join(format!("{name}.jsonl"));
    let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
    fs_err::write(&path, lines.join("\n")).unwrap();
    path
}

fn visits() -> Vec<Value> {
    vec![
        json!({"_id": "a", "_rev": "1-a", "doc_type": "Visit", "village": "Kano", "count": 1, "at": "2024-01-02T03:04:05Z",
            "day": "2024-01-02", "tags": ["x"], "mixed": "text", "measured": [{"kind": "w", "value": 1}]}),
        json!({"_id": "b", "_rev": "1-b", "doc_type": "Visit", "village": null, "count": 2, "at": "2024-01-02T03:04:05Z",
            "day": "", "tags": [], "mixed": {"a": 1}, "measured": [{"kind": "h", "value": 1.5}]}),
    ]
}

#[test]
fn a_struct_is_inferred_and_what_disagrees_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = samples(directory.path(), "visits", &visits());
    let command = format!("new-pillow visit --from-docs {}", path.display());
    let ran = check(app(), &command, 0, "pub struct Visit {");
    for line in [
        "#[couch(doc_type = \"Visit\")]",
        "    pub village: Option<String>,",
        "    pub count: i64,",
        "    pub at: DateTime<Utc>,",
        "    pub tags: Vec<String>,",
        "    pub mixed: Value,",
        "    pub value: f64,",
    ] {
        assert!(ran.out.lines().any(|found| found == line), "`{line}` is not in {}", ran.out);
    }
    assert!(ran.err.contains("`mixed`: string in 1 (`a`); object in 1 (`b`)"), "{}", ran.err);
    let report = run(app(), &format!("--json {command} --nested measured")).json();
    assert!(report["rust"].as_str().unwrap().contains("#[es(nested)]"), "{report}");
    let notes = report["notes"].as_array().unwrap();
    let mixed = notes.iter().find(|note| note["path"] == "mixed").unwrap();
    assert_eq!(mixed["kinds"][1], json!({"kind": "object", "count": 1, "ids": ["b"]}));
}

#[test]
fn a_member_of_which_almost_all_values_are_dates_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let visit =
        |id: &str, on: &str, day: &str| json!({"_id": id, "doc_type": "Visit", "on": on, "days": [day]});
    let documents = [
        visit("a", "2024-01-02", "2024-01-02"),
        visit("b", "2024-02-30", "2024-01-03"),
        visit("c", "2024-01-03", "2024-01-04"),
        visit("d", "2024-01-04", "yesterday"),
    ];
    let path = samples(directory.path(), "visits", &documents);
    let ran = check(app(), &format!("new-pillow visit --from-docs {}", path.display()), 0, "pub on: String,");
    let note = |path: &str, id: &str| {
        format!("note: `{path}`: 3 of 4 values are dates, but not that of `{id}`: a string, not a date\n")
    };
    for expected in [note("on", "b"), note("days", "d")] {
        assert!(ran.err.contains(&expected), "{expected}{}", ran.err);
    }
}

#[test]
fn the_type_is_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let mut documents = visits();
    documents.push(json!({"_id": "c", "_rev": "1-c", "doc_type": "Other"}));
    let path = samples(directory.path(), "visits", &documents);
    let command = format!("new-pillow visit --from-docs {}", path.display());
    check(app(), &command, 2, "`Other` (1), `Visit` (2)");
    check(app(), &format!("{command} --doc-type Nobody"), 2, "is of the type Nobody");
    check(app(), &format!("{command} --doc-type Visit"), 0, "pub struct Visit {");
}

/// Documents that are hard to type, each set with a type of its own.
fn hard() -> Vec<(&'static str, Vec<Value>)> {
    let mut deep = json!({"end": 1});
    for _ in 0..30 {
        deep = json!({"in": deep});
    }
    let keyed = |number: usize| {
        let members = (0..5).map(|key| (format!("k{}", number * 5 + key), json!(key)));
        json!({"by": members.collect::<serde_json::Map<String, Value>>()})
    };
    vec![
        ("visits", visits()),
        (
            "numbers",
            vec![
                json!({"big": u64::MAX, "wide": u64::MAX, "mixed": 1, "exact": 9_007_199_254_740_993_i64, "scalar": 1, "huge": 1e300}),
                json!({"big": 1, "wide": -1, "mixed": 1.5, "exact": 0.5, "scalar": "one", "huge": -1e300}),
            ],
        ),
        (
            "lists",
            vec![
                json!({"a": [1, null], "b": [[1], [2, 3]], "c": "x", "d": [], "e": null, "f": [{"x": 1}], "g": null, "h": [1, "a"]}),
                json!({"a": [2], "b": [], "c": ["x", "y"], "d": [], "e": null, "f": {"x": 1}, "g": [1], "h": [{"a": 1}]}),
                json!({"f": "text", "i": [{}], "j": {}, "k": [null]}),
            ],
        ),
        (
            "names",
            vec![
                json!({"type": 1, "self": 2, "": 3, "a.b": 4, "größe": 5, "1st": 6, "a b": 7, "a_b": 8, "pillowtop": 9, "_x": 1,
                "in": {"": 1, "ok": 2}, "dots": {"a.b": 1}, "日本": "語", "String": {"vec": 1}, "option": {"Value": {"a": 1}}}),
            ],
        ),
        (
            "invisible",
            vec![
                json!({"sınıf": 1, "sinif": 2, "æon": 3, "aeon": 4, "a\u{202e}b": 5, "\u{200b}": 6, "\u{2067}": {"x": 1}, "ニ": 1, "二": 2,
                "line\nbreak": "a\u{202e}b", "nul\u{0}": 1, "quote\"s'": 1, "back\\slash": 1, "`tick`": {"`": [1, "a"]}, "e\u{301}": 1,
                "\u{ad}soft": {"\u{202e}mixed": "text"}, "*/": 1, "//": 2, "{}": 3, "İstanbul": 1, "istanbul": 2, "ſ": 1, "s": 2, "K": 1}),
                json!({"\u{ad}soft": {"\u{202e}mixed": {"a": 1}}, "\u{202e}": [{"a\u{301}": 1}]}),
            ],
        ),
        (
            "dates",
            vec![
                json!({"plain": "2024-01-02", "offset": "2024-01-02T03:04:05+02:00", "zeros": "2024-01-02T03:04:05.100000Z",
                "blank": "2024-01-02 03:04:05", "some": "", "both": "2024-01-02", "version": "1.2.3-4", "code": "2012"}),
                json!({"plain": "2024-02-29", "offset": "2024-01-02T03:04:05Z", "zeros": "2024-01-02T03:04:05Z",
                "blank": "2023-12-31 23:59:59", "some": "2024-01-02", "both": "2024-01-02T03:04:05Z", "version": "2.0.0-1", "code": "2013"}),
            ],
        ),
        ("deep", vec![json!({"deep": deep, "text": "word ".repeat(9000), "long": "x".repeat(40_000)})]),
        ("points", vec![json!({"at": {"lat": 1.5, "lon": 2.5}, "off": {"lat": 100.5, "lon": 2.5}})]),
        ("keys", (0..9).map(keyed).collect()),
    ]
}

const MANIFEST: &str = r#"
[workspace]
[package]
name = "from-docs"
version = "0.0.0"
edition = "2024"
[dependencies]
chrono = { version = "0.4", default-features = false, features = ["std", "clock", "serde"] }
pillowtop = { path = "CHECKOUT/pillowtop" }
pillowtop-conformance = { path = "CHECKOUT/pillowtop-conformance" }
serde = { version = "1", features = ["derive"] }
serde_json = { version = "1", features = ["float_roundtrip"] }
[profile.dev]
debug = false
incremental = false
"#;

const MAIN: &str = r#"
use pillowtop_conformance::Conformance;
use pillowtop::field_types::Target;
use serde_json::Value;

/// Nothing, an empty list and a missing member are one.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, bare(value)))
            .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())).collect(),
        Value::Array(list) => list.into_iter().map(bare).collect(),
        Value::Number(number) if number.as_f64().is_some_and(|float| float.abs() < 9e15) => number.as_f64().into(),
        other => other,
    }
}

fn check<T: pillowtop::Pillow + serde::Serialize + serde::de::DeserializeOwned>(name: &str) {
    let definition = pillowtop::Definition::of::<T>();
    let conformance = Conformance::new(&definition.mappings, &definition.settings);
    let all = [Target::elasticsearch(7, 10), Target::elasticsearch(8, 14), Target::elasticsearch(9, 4),
        Target::opensearch(2, 19), Target::opensearch(3, 6)];
    let targets: Vec<Target> = all.into_iter().filter(|target| conformance.is_for(*target)).collect();
    assert!(!targets.is_empty(), "{name}: no server has all types");
    for line in std::fs::read_to_string(format!("{name}.jsonl")).expect("samples").lines() {
        let read: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
        let written = serde_json::to_value(&read).expect("it is written");
        let mut sample: Value = serde_json::from_str(line).expect("a sample");
        let members = sample.as_object_mut().expect("an object");
        members.retain(|member, _| !member.starts_with('_') && member != "pillowtop" && !member.is_empty() && !member.contains('.'));
        assert_eq!(bare(written.clone()), bare(sample), "{name}");
        for report in conformance.check_each("id", &written.to_string(), &targets) {
            assert!(!report.is_rejected(), "{name}: {:?}", report.findings);
        }
    }
}

fn main() {
CHECKS}
"#;

#[test]
fn what_is_written_compiles_and_takes_every_sample() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("from-docs");
    if directory.is_dir() {
        fs_err::remove_dir_all(&directory).unwrap();
    }
    fs_err::create_dir_all(directory.join("src")).unwrap();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs_err::write(directory.join("Cargo.toml"), MANIFEST.replace("CHECKOUT", checkout.to_str().unwrap()))
        .unwrap();
    fs_err::copy(checkout.join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let (mut modules, mut checks) = (String::new(), String::new());
    for (name, documents) in all_sets() {
        let typed: Vec<Value> = documents
            .into_iter()
            .enumerate()
            .map(|(number, mut document)| {
                // No reader sees that the text is turned around.
                document["_id"] = json!(format!("{name}-{number}\u{202e}"));
                document["doc_type"] = json!("Sample");
                document
            })
            .collect();
        let path = samples(&directory, &name, &typed);
        let out = directory.join(format!("src/{name}.rs"));
        check(
            app(),
            &format!("new-pillow {name} --from-docs {} --out {}", path.display(), out.display()),
            0,
            "",
        );
        let text = fs_err::read_to_string(&out).unwrap();
        let document = text.split("Pillow)]").nth(1).unwrap().split("pub struct ").nth(1).unwrap();
        let document = document.split_whitespace().next().unwrap();
        writeln!(modules, "pub mod {name};").unwrap();
        writeln!(checks, "    check::<from_docs::{name}::{document}>(\"{name}\");").unwrap();
        fs_err::write(&out, text.replace("alias = \"", "mapping = unchecked, alias = \"")).unwrap();
    }
    fs_err::write(directory.join("src/lib.rs"), format!("//! Written modules.\n\n{modules}")).unwrap();
    fs_err::write(directory.join("src/main.rs"), MAIN.replace("CHECKS", &checks)).unwrap();
    for arguments in [&["clippy", "--lib", "--", "-D", "warnings"][..], &["run"]] {
        let mut command = Command::new(env!("CARGO"));
        command
            .arg(arguments[0])
            .args(["--quiet", "--offline"])
            .args(&arguments[1..])
            .current_dir(&directory);
        command.env("CARGO_TARGET_DIR", checkout.join("target/drift-tests"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The hard sets, some of those that nobody thought of, the example's samples, and each of
/// CommCare's real documents by itself where they are.
fn all_sets() -> Vec<(String, Vec<Value>)> {
    let mut sets: Vec<(String, Vec<Value>)> =
        hard().into_iter().map(|(name, documents)| (name.to_owned(), documents)).collect();
    sets.extend(any_sets());
    for (doc_type, documents) in commcare::samples::versions_by_type() {
        sets.push((format!("sample_{}", doc_type.to_lowercase().replace('-', "_")), documents));
    }
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/docs"));
    for entry in fs_err::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let document: Value = serde_json::from_str(&fs_err::read_to_string(&path).unwrap()).unwrap();
            if document.is_object() {
                let name = format!("real_{}", path.file_stem().unwrap().to_str().unwrap());
                sets.push((name, vec![document]));
            }
        }
    }
    sets
}

/// The same in every run.
fn any_sets() -> Vec<(String, Vec<Value>)> {
    let mut runner = TestRunner::deterministic();
    let mut any = |number: usize| {
        let documents = documents().new_tree(&mut runner).unwrap().current();
        (format!("any_{number}"), documents.into_iter().map(Value::from).collect())
    };
    (0..20).map(&mut any).collect()
}
