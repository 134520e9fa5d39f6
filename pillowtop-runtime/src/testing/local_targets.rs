//! Following into the targets of this machine: a changes file, bulk files, a target of a user's
//! own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fs_err as fs;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::Definition;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::note::note_pillow;
use crate::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use crate::member::{Counters, Counts, MemberOptions};
use crate::operation::{Action, Operation};
use crate::reader::ReadMode;
use crate::service::{ServiceOptions, WhenFailing, serve};
use crate::source::ChangesFile;
use crate::target::ndjson::{NdjsonDestination, NdjsonOptions};
use crate::target::{CustomDestination, Destination, LocalOptions, Outcome, Target, WriteError};

/// A file of changes of notes, and what became of each of them.
struct Notes {
    directory: tempfile::TempDir,
    lines: String,
    seq: u32,
    expected: BTreeMap<String, Value>,
}

impl Notes {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, lines: String::new(), seq: 0, expected: BTreeMap::new() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("changes.jsonl")
    }

    fn change(&mut self, id: &str, document: Option<Value>) {
        self.seq += 1;
        let revision = format!("{}-a", self.seq);
        let mut document = document.unwrap_or_else(|| json!({"_deleted": true}));
        document["_id"] = json!(id);
        document["_rev"] = json!(revision);
        let row = json!({
            "seq": format!("{}-x", self.seq), "id": id, "changes": [{"rev": revision}],
            "deleted": document.get("_deleted").is_some(), "doc": document,
        });
        self.lines.extend([row.to_string().as_str(), "\n"]);
        fs::write(self.path(), &self.lines).unwrap();
    }

    fn note(&mut self, id: &str, n: u32) {
        self.change(id, Some(json!({"doc_type": "Note", "n": n, "keep": true})));
        self.expected.insert(id.to_owned(), json!(n));
    }

    fn broken(&mut self, id: &str) {
        self.change(id, Some(json!({"doc_type": "Note", "n": "x", "keep": true})));
    }

    fn delete(&mut self, id: &str) {
        self.change(id, None);
        self.expected.remove(id);
    }

    /// Follows to the end of the file.
    async fn follow(&self, destination: Arc<dyn Destination>) -> Counts {
        let source = Arc::new(ChangesFile::open(&self.path(), "db".into()).unwrap());
        let databases = OneDatabase { name: "db".into(), source };
        let engine = Engine::new(Arc::new(databases), EngineOptions::default());
        let counters = Arc::new(Counters::default());
        let served = Served {
            pillow: note_pillow(),
            destination,
            databases: DatabaseSelection::One("db".into()),
            counters: Arc::clone(&counters),
            options: MemberOptions { target_limit: Duration::from_millis(500), ..MemberOptions::default() },
        };
        let options = ServiceOptions {
            mode: ReadMode::ToEnd,
            when_failing: WhenFailing::Stop,
            ..ServiceOptions::default()
        };
        serve(&engine, vec![served], &options, &CancellationToken::new()).await.unwrap();
        counters.snapshot()
    }

    /// Follows twice from the start to the end, with changes in between, and compares what the
    /// target has.
    async fn check(
        &mut self,
        destination: impl Fn(&Path, Definition) -> Arc<dyn Destination>,
        dead_letters: impl Fn(&Path) -> usize,
        read: impl Fn(&Path) -> BTreeMap<String, Value>,
    ) {
        let directory = self.directory.path().join("target");
        let open = || destination(&directory, note_pillow().definition().clone());
        for n in 0..200 {
            self.note(&format!("d{}", n % 50), n);
        }
        self.delete("d7");
        self.broken("d8");
        self.broken("e");
        let counts = self.follow(open()).await;
        assert_eq!(counts.dead_letters, 2, "{counts:?}");
        assert_eq!(read(&directory), self.expected);
        assert_eq!(dead_letters(&directory), 2);
        // From the saved position: nothing is read again.
        assert_eq!(self.follow(open()).await.seen, 0);

        self.note("d7", 1);
        self.note("d8", 2);
        self.delete("e");
        self.delete("d9");
        let counts = self.follow(open()).await;
        assert_eq!(counts.indexed, 2, "{counts:?}");
        assert_eq!(read(&directory), self.expected);
        assert_eq!(dead_letters(&directory), 0);
    }
}

/// The dead letters of the only target in a directory.
fn dead_letters(directory: &Path) -> usize {
    let target = fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
    crate::target::DeadLetterFiles::list(&target.join("dead-letters")).unwrap().len()
}

#[tokio::test]
async fn bulk_files_have_what_the_file_has() {
    let open = |directory: &Path, definition| -> Arc<dyn Destination> {
        let options = NdjsonOptions { max_bytes: 2000, ..NdjsonOptions::default() };
        Arc::new(NdjsonDestination::new(directory, definition, options))
    };
    let read = |directory: &Path| {
        let definition = note_pillow().definition().clone();
        let files = NdjsonDestination::new(directory, definition, NdjsonOptions::default()).files();
        let mut newest: BTreeMap<String, (u64, Option<Value>)> = BTreeMap::new();
        for file in fs::read_dir(files).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "ndjson") {
                continue;
            }
            let body = fs::read_to_string(&file).unwrap();
            let mut lines = body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            while let Some(action) = lines.next() {
                let number = action.get("index").map(|_| lines.next().unwrap()["n"].clone());
                let of = action.get("index").or(action.get("delete")).unwrap();
                let (id, version) = (of["_id"].as_str().unwrap(), of["version"].as_u64().unwrap());
                let entry = newest.entry(id.to_owned()).or_default();
                if version >= entry.0 {
                    *entry = (version, number);
                }
            }
        }
        newest.into_iter().filter_map(|(id, (_, number))| Some((id, number?))).collect()
    };
    Notes::new().check(open, dead_letters, read).await;
}

/// A target of a user's own, which fails in every way before it works.
#[derive(Debug, Default)]
struct Memory {
    calls: Mutex<usize>,
    documents: Mutex<BTreeMap<String, Value>>,
}

impl Target for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        async move {
            match call {
                1 => panic!("not connected yet"),
                2 => std::future::pending().await,
                3 => return Ok(Vec::new()),
                _ => {}
            }
            let mut documents = self.documents.lock().unwrap();
            for operation in operations {
                let id = operation.id.to_string();
                match &operation.action {
                    Action::Index(source) => {
                        let document: Value = serde_json::from_slice(source).unwrap();
                        documents.insert(id, document["n"].clone());
                    }
                    Action::Delete => drop(documents.remove(&id)),
                }
            }
            Ok(vec![Outcome::Done; operations.len()])
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_target_of_ones_own_has_what_the_file_has() {
    let memory = Arc::new(Memory::default());
    let open = |directory: &Path, definition| -> Arc<dyn Destination> {
        let target = Arc::clone(&memory) as Arc<dyn Target>;
        Arc::new(CustomDestination::new(target, "memory", directory, definition, LocalOptions::default()))
    };
    Notes::new().check(open, dead_letters, |_| memory.documents.lock().unwrap().clone()).await;
    assert!(*memory.calls.lock().unwrap() > 3);
}
