//! Tests of bulk files: the contract of targets by replaying them, and the files themselves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use fs_err as fs;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{NdjsonDestination, NdjsonOptions};
use crate::operation::{Action, Operation, Version};
use crate::target::contract::{self, TargetUnderTest};
use crate::target::test_support::{acquire, database, definition};
use crate::target::{GuardedTarget, Outcome, Target, WriteError};

fn destination(parent: &Path, max_bytes: usize) -> NdjsonDestination {
    NdjsonDestination::new(parent, definition(), NdjsonOptions { max_bytes, ..NdjsonOptions::default() })
}

fn index(id: &str, version: u64) -> Operation {
    let action = Action::Index(Bytes::from(json!({"n": version}).to_string()));
    Operation::new(id.into(), Version(version), action)
}

/// The finished files, in order of their numbers.
fn files(destination: &NdjsonDestination) -> Vec<PathBuf> {
    let entries = fs::read_dir(destination.files()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "ndjson")).collect();
    files.sort();
    files
}

fn names(destination: &NdjsonDestination) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files(destination).iter().map(name).collect()
}

/// What a server has after files were replayed in this order.
fn replayed<'a>(files: impl Iterator<Item = &'a PathBuf>) -> HashMap<String, (u64, Option<Value>)> {
    let mut index: HashMap<String, (u64, Option<Value>)> = HashMap::new();
    for file in files {
        let body = fs::read_to_string(file).unwrap();
        let mut lines = body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        while let Some(action) = lines.next() {
            let (name, of) = action.as_object().unwrap().iter().next().unwrap();
            assert_eq!(of["version_type"], "external_gte");
            assert_eq!(of.get("_index"), None);
            let document = (name == "index").then(|| lines.next().unwrap());
            let (id, version) = (of["_id"].as_str().unwrap(), of["version"].as_u64().unwrap());
            if index.get(id).is_none_or(|(stored, _)| version >= *stored) {
                index.insert(id.to_owned(), (version, document));
            }
        }
    }
    index
}

struct Ndjson(NdjsonDestination);

impl TargetUnderTest for Ndjson {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Target>> {
        async { acquire(&self.0, Some(database())).await.unwrap().guarded(GuardedTarget::LIMIT).target }
            .boxed()
    }

    fn read<'a>(&'a mut self, id: &'a str) -> BoxFuture<'a, Option<Value>> {
        let files = files(&self.0);
        let once = replayed(files.iter());
        assert_eq!(once, replayed(files.iter().rev().chain(&files)), "in another order, and twice");
        let found = once.get(id).and_then(|(_, document)| document.clone());
        async move { found }.boxed()
    }

    fn compares_versions(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn bulk_files_keep_the_contract_of_targets() {
    let directory = tempfile::tempdir().unwrap();
    contract::holds(&mut Ndjson(destination(directory.path(), 200))).await;
    let directory = tempfile::tempdir().unwrap();
    contract::holds(&mut Ndjson(destination(directory.path(), 5_000_000))).await;
}

#[tokio::test]
async fn files_are_finished_when_they_are_full_and_when_they_are_flushed() {
    let directory = tempfile::tempdir().unwrap();
    let destination = destination(directory.path(), 300);
    let open = acquire(&destination, Some(database())).await.unwrap();
    let bulk: Vec<Operation> = (1..=10).map(|version| index("a", version)).collect();
    assert_eq!(open.target.write(&bulk).await, Ok(vec![Outcome::Done; 10]));
    let full = files(&destination);
    assert!(full.len() >= 2, "{full:?}");
    for file in &full {
        let bytes = fs::read(file).unwrap().len();
        assert!((150..=300).contains(&bytes), "{bytes}");
    }
    open.target.flush().await.unwrap();
    open.target.flush().await.unwrap();
    assert_eq!(files(&destination).len(), full.len() + 1);
    assert_eq!(replayed(files(&destination).iter())["a"], (10, Some(json!({"n": 10}))));
}

#[tokio::test]
async fn a_number_is_not_used_twice_and_a_crash_leaves_whole_files() {
    let directory = tempfile::tempdir().unwrap();
    let destination = destination(directory.path(), 1);
    let open = acquire(&destination, Some(database())).await.unwrap();
    open.target.write(&[index("a", 1), index("a", 2), index("a", 3)]).await.unwrap();
    assert_eq!(names(&destination), ["bulk-0000000001.ndjson", "bulk-0000000002.ndjson"]);
    files(&destination).iter().for_each(|file| fs::remove_file(file).unwrap());
    fs::write(destination.files().join("bulk-0000000003.new"), "{\"ind").unwrap();
    drop(open);

    let open = acquire(&destination, None).await.unwrap();
    open.target.write(&[index("a", 4)]).await.unwrap();
    open.target.flush().await.unwrap();
    assert_eq!(names(&destination), ["bulk-0000000003.ndjson"]);
    assert_eq!(replayed(files(&destination).iter())["a"].0, 4);
}

#[tokio::test]
async fn a_full_disk_blocks_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let destination = destination(directory.path(), 5_000_000);
    let open = acquire(&destination, Some(database())).await.unwrap();
    open.target.write(&[index("a", 1)]).await.unwrap();
    // A directory where the next file should be stands in for the full disk.
    let obstacle = destination.files().join("bulk-0000000001.new");
    fs::create_dir(&obstacle).unwrap();
    let blocked = open.target.flush().await;
    assert!(matches!(blocked, Err(WriteError::Blocked(_))), "{blocked:?}");
    fs::remove_dir(&obstacle).unwrap();
    open.target.flush().await.unwrap();
    assert_eq!(replayed(files(&destination).iter())["a"].0, 1);
}
