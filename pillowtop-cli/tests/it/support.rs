//! A pillow whose struct "changes" between two runs, and what a command did.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pillowtop_cli::{App, Samples};
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, Field, Member, Object, Pillow, Registry};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A directory of its own for each test that writes mappings: a pillow says as a constant where its
/// mapping is.
macro_rules! mapping {
    ($test:literal) => {
        concat!(env!("CARGO_TARGET_TMPDIR"), "/pillowtop-cli/", $test, "/mappings/note.json")
    };
}

pub(crate) const WRITES: usize = 0;
pub(crate) const CHECKS: usize = 1;
pub(crate) const EDITED: usize = 2;
pub(crate) const ORPHANS: usize = 3;
pub(crate) const STALE: usize = 4;
pub(crate) const QUICKSTART: usize = 5;
pub(crate) const OTHERS: usize = 6;

const MAPPINGS: [&str; 7] = [
    mapping!("writes"),
    mapping!("checks"),
    mapping!("edited"),
    mapping!("orphans"),
    mapping!("stale"),
    mapping!("quickstart"),
    mapping!("others"),
];

const KEYWORD: Object =
    Object::new(&[Member::property("body", hash_text("body"), Field::leaf("keyword", &[]))], &[], &[]);
const TEXT: Object =
    Object::new(&[Member::property("body", hash_text("body"), Field::leaf("text", &[]))], &[], &[]);

/// A note; its `body` is a keyword, or a `text` field once it is `CHANGED`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note<const TEST: usize, const CHANGED: bool> {
    body: String,
}

impl<const TEST: usize, const CHANGED: bool> CouchDocument for Note<TEST, CHANGED> {
    const MAPPING: &'static Object = if CHANGED { &TEXT } else { &KEYWORD };
    const DOCUMENT: DocumentInfo =
        DocumentInfo { types: &["Note"], database: Some("notes"), ..DocumentInfo::PART };
}

impl<const TEST: usize, const CHANGED: bool> Pillow for Note<TEST, CHANGED> {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = pillowtop_core::lookup::NoLookup;
    const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
    const COMMITTED: Committed = Committed::OnDisk(MAPPINGS[TEST]);
    fn accepts(&self) -> bool {
        self.body != "secret"
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        Some(self)
    }
}

/// The mapping file of a test, in an empty directory.
pub(crate) fn mapping_of(test: usize) -> PathBuf {
    let path = PathBuf::from(MAPPINGS[test]);
    let directory = path.parent().unwrap();
    // The first time there is none.
    let _ = fs_err::remove_dir_all(directory);
    fs_err::create_dir_all(directory).unwrap();
    path
}

/// The struct before it changed.
pub(crate) fn before<const TEST: usize>() -> App {
    App::new(Registry::new().with::<Note<TEST, false>>())
}

/// The struct after it changed.
pub(crate) fn after<const TEST: usize>() -> App {
    App::new(Registry::new().with::<Note<TEST, true>>())
}

/// With `quickstart` on three changes.
pub(crate) fn with_samples(app: App) -> App {
    app.quickstart(Samples { changes, searches: &[("note", "body", "hello")] })
}

fn changes() -> Vec<String> {
    ["hello", "secret", "hello"]
        .iter()
        .enumerate()
        .map(|(number, body)| change(number + 1, &format!("n{number}"), &format!("\"{body}\"")))
        .collect()
}

/// A line of a changes file.
pub(crate) fn change(number: usize, id: &str, body: &str) -> String {
    format!(
        r#"{{"seq":"{number}-x","id":"{id}","changes":[{{"rev":"1-a"}}],"doc":{{"_id":"{id}","_rev":"1-a","doc_type":"Note","body":{body}}}}}"#
    )
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The one JSON object that it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a command; the arguments are separated by spaces.
pub(crate) fn run(app: App, arguments: &str) -> Ran {
    let words = ["pillowtop"].into_iter().chain(arguments.split_whitespace());
    run_words(app, &words.collect::<Vec<_>>())
}

/// Runs a command whose arguments may have spaces, the program's name first.
pub(crate) fn run_words(app: App, arguments: &[&str]) -> Ran {
    let (out, err) = (Buffer::default(), Buffer::default());
    let code = app.run(arguments, out.clone(), err.clone());
    Ran { code, out: out.text(), err: err.text() }
}

/// Runs a command that must end with a code, and say something to standard error, or to standard
/// output if it is a success.
#[track_caller]
pub(crate) fn check(app: App, arguments: &str, code: u8, expected: &str) -> Ran {
    let ran = run(app, arguments);
    assert_eq!(ran.code, code, "{arguments}: {ran:?}");
    let output = if code == 0 { &ran.out } else { &format!("{}{}", ran.out, ran.err) };
    assert!(output.contains(expected), "{arguments}: `{expected}` is not in {ran:?}");
    ran
}
