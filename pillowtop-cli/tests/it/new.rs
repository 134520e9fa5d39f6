//! `new`: the workspace that it writes is the template, and builds, passes its tests and audits
//! documents outside of the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pillowtop_cli::{App, Dependency, write_workspace};
use pillowtop_core::Registry;
use serde_json::{Value, json};

use crate::fake_couch::FakeCouch;
use crate::support::{Ran, run_words};

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files of a workspace with their contents, without what cargo writes.
fn files(root: &Path, directory: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() && name != "target" {
            files(root, &path, found);
        } else if path.is_file() && name != "Cargo.lock" {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs_err::read_to_string(&path).unwrap());
        }
    }
}

fn all_files(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    files(root, root, &mut found);
    found
}

fn new(directory: &Path, more: &[&str]) -> Ran {
    let words = [&["pillowtop", "new", directory.to_str().unwrap()], more].concat();
    run_words(App::new(Registry::new()), &words)
}

/// Where cargo finds what this test has built before.
fn configuration(above: &Path) {
    let target = checkout().join("target/drift-tests");
    let text = format!("[build]\ntarget-dir = {:?}\n[net]\noffline = true\n", target.to_str().unwrap());
    fs_err::create_dir_all(above.join(".cargo")).unwrap();
    fs_err::write(above.join(".cargo/config.toml"), text).unwrap();
}

#[track_caller]
fn cargo(directory: &Path, arguments: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(directory).output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

fn documents() -> Vec<Value> {
    let types = ["Visit", "CommCareCase", "Visit-Deleted"];
    let document = |number: usize| {
        json!({"_id": format!("d{number:03}"), "_rev": "1-a", "doc_type": types[number % 3], "village": "Kano", "count": number,
            "on": "2024-01-02"})
    };
    (0..30).map(document).collect()
}

#[test]
fn the_template_in_the_tree_is_what_new_writes() {
    let directory = tempfile::tempdir().unwrap();
    write_workspace(directory.path(), &Dependency::Path("../..".into())).unwrap();
    let (written, template) = (all_files(directory.path()), all_files(&checkout().join("examples/template")));
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&template), "write it again: `cargo xtask template`");
    for (path, text) in &written {
        assert_eq!(*text, template[path], "{} is stale: `cargo xtask template`", path.display());
        assert!(!text.contains("{{"), "{}", path.display());
    }
}

#[test]
fn a_new_workspace_builds_and_passes_its_tests_outside_of_the_tree() {
    let directory = tempfile::tempdir().unwrap();
    configuration(directory.path());
    let library = directory.path().join("library");
    let ran = new(&library, &["--pillowtop", checkout().to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // The same versions as here, so that nothing is built twice.
    fs_err::copy(checkout().join("Cargo.lock"), library.join("Cargo.lock")).unwrap();
    let text = cargo(&library, &["test", "--workspace", "--profile", "xtask"], 0);
    assert!(text.contains("mappings_are_committed ... ok"), "{text}");
    cargo(&library, &["fmt", "--all", "--check"], 0);
    let text = cargo(&library, &["xtask", "make-mapping", "--check", "--diff"], 0);
    assert!(text.contains("1 committed mapping is what its struct derives"), "{text}");
    let text = cargo(&library, &["xtask", "audit", "book", "--docs", "samples/books.json"], 0);
    assert!(text.contains("4 documents read, 3 of them for the index of `book`: 0 rejected"), "{text}");
    let refused = new(&library, &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("is not empty"), "{refused:?}");
}

#[test]
fn a_workspace_of_a_database_has_a_pillow_for_each_type_and_audits_it() {
    let directory = tempfile::tempdir().unwrap();
    configuration(directory.path());
    let couch = FakeCouch::start(documents(), true);
    let clinic = directory.path().join("clinic");
    let source = checkout().to_str().unwrap();
    let ran = new(&clinic, &["--from-couch", &couch.url, "--pillowtop", source]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let read = |path: &str| fs_err::read_to_string(clinic.join(path)).unwrap();
    let (visit, case) = (read("documents/src/visit.rs"), read("documents/src/comm_care_case.rs"));
    let couch_attribute =
        "#[couch(doc_type = \"Visit\", deleted = \"Visit-Deleted\", database = \"clinic\")]";
    assert!(visit.contains(couch_attribute), "{visit}");
    assert!(case.contains("pub struct CommCareCase {") && case.contains("pub on: NaiveDate,"), "{case}");
    assert!(read("mappings/visit.json").contains("\"format\": 1"));
    assert!(read("mappings/comm_care_case.json").contains("\"format\": 1"));
    assert!(read("pillowtop.toml").contains(couch.url.strip_suffix("/clinic").unwrap()));
    let text = cargo(&clinic, &["xtask", "make-mapping", "--check"], 0);
    assert!(text.contains("2 committed mappings"), "{text}");
    let text = cargo(&clinic, &["xtask", "audit", "visit", "--docs", &couch.url], 0);
    assert!(text.contains("30 documents read, 10 of them"), "{text}");
    cargo(&clinic, &["fmt", "--all", "--check"], 0);
}

#[test]
fn a_workspace_of_an_index_has_its_mapping() {
    let directory = tempfile::tempdir().unwrap();
    let couch = FakeCouch::start(documents(), true);
    let search = directory.path().join("search");
    let ran = new(&search, &["--from-index", &couch.index(), "--pillowtop", "0.1.0", "--no-build"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("`filter: {\"term\":{\"village\":\"Kano\"}}` of the alias `visits`"), "{ran:?}");
    let read = |path: &str| fs_err::read_to_string(search.join(path)).unwrap();
    let visits = read("documents/src/visits.rs");
    assert!(visits.contains("doc_type = [\"CommCareCase\", \"Visit\", \"Visit-Deleted\"]"), "{visits}");
    assert!(visits.contains("settings = \"src/visits.settings.json\""), "{visits}");
    assert_eq!(read("documents/src/visits.settings.json"), "{\"number_of_shards\": \"2\"}\n");
    assert!(read("documents/src/lib.rs").contains("pillowtop::registry![visits::Visits]"));
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("pillowtop = { version = \"0.1.0\" }"), "{manifest}");
    assert!(
        !read("Dockerfile").contains("--from=pillowtop")
            && !read("compose.yaml").contains("additional_contexts")
    );
    let git = directory.path().join("git");
    let ran = new(&git, &["--pillowtop", "https://example.org/pillowtop.git#v0.1.0"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let manifest = fs_err::read_to_string(git.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("git = \"https://example.org/pillowtop.git\", rev = \"v0.1.0\""), "{manifest}");
}
