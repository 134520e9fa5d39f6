//! What was written to a database and when, and what a searcher may find therefore.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;

/// Documents that are written with one request.
const AT_ONCE: usize = 500;
/// The pause between two requests of the writer.
const PAUSE: Duration = Duration::from_millis(250);
/// Documents that the writer changes with one request.
const CHANGED: usize = 20;

/// A state of a document.
struct State {
    /// When its write began and when it was confirmed.
    began: Instant,
    confirmed: Instant,
    /// What it has in the field `written`; nothing where it is not to be found.
    written: Option<i64>,
}

#[derive(Default)]
struct Document {
    revision: Option<String>,
    states: Vec<State>,
}

/// The documents of a database, by their numbers.
pub(crate) struct Ledger {
    documents: Mutex<Vec<Document>>,
    last: Mutex<i64>,
}

/// What is done to a document.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Write,
    Filter,
    Delete,
}

impl Ledger {
    /// A database with so many documents.
    pub(crate) fn filled(world: &World, documents: usize) -> Self {
        let all = (0..documents).map(|_| Document::default()).collect();
        let ledger = Self { documents: Mutex::new(all), last: Mutex::new(0) };
        let numbers: Vec<usize> = (0..documents).collect();
        for chunk in numbers.chunks(AT_ONCE) {
            let changes: Vec<(usize, Change)> = chunk.iter().map(|number| (*number, Change::Write)).collect();
            ledger.write(world, &changes);
        }
        ledger
    }

    fn documents(&self) -> MutexGuard<'_, Vec<Document>> {
        self.documents.lock().expect("no panic while it is held")
    }

    /// How many documents there are, those that are deleted among them.
    pub(crate) fn len(&self) -> usize {
        self.documents().len()
    }

    /// Changes documents in one request. Each number is there once.
    fn write(&self, world: &World, changes: &[(usize, Change)]) {
        // There may be nothing to delete.
        let exists = |number: usize| self.documents()[number].revision.is_some();
        let changes: Vec<(usize, Change)> = changes
            .iter()
            .map(|(number, change)| match change {
                Change::Delete if !exists(*number) => (*number, Change::Filter),
                change => (*number, *change),
            })
            .collect();
        let mut written = Vec::new();
        let bodies: Vec<Value> = changes
            .iter()
            .map(|(number, change)| {
                let mut last = self.last.lock().expect("no panic while it is held");
                *last += 1;
                written.push((*change == Change::Write).then_some(*last));
                self.body(*number, *change, *last)
            })
            .collect();
        let began = Instant::now();
        let response = world.couch("POST", "/_bulk_docs", &json!({ "docs": bodies }));
        let confirmed = Instant::now();
        let rows: Vec<Value> = serde_json::from_str(&response.body).expect("a row for each document");
        let mut documents = self.documents();
        for (((number, change), written), row) in changes.iter().zip(written).zip(rows) {
            let revision = row["rev"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned();
            let document = &mut documents[*number];
            // A deleted document is created again without a revision.
            document.revision = (*change != Change::Delete).then_some(revision);
            document.states.push(State { began, confirmed, written });
        }
    }

    fn body(&self, number: usize, change: Change, written: i64) -> Value {
        let mut body = json!({
            "_id": format!("visit-{number:06}"), "doc_type": "Visit", "number": number, "written": written,
            "place": if change == Change::Filter { "nowhere" } else { "somewhere" },
            "ward": format!("ward {}", number % 7), "filler": "x".repeat(300),
        });
        if let Some(revision) = &self.documents()[number].revision {
            body["_rev"] = json!(revision);
        }
        if change == Change::Delete {
            body["_deleted"] = json!(true);
        }
        body
    }

    /// Changes, deletes and creates documents until it is asked to stop.
    pub(crate) fn keep_writing(&self, world: &World, is_done: impl Fn() -> bool) {
        let mut random = Random(7);
        while !is_done() {
            let first = random.below(self.len());
            let changes: Vec<(usize, Change)> = (0..CHANGED)
                .map(|index| {
                    let change = match random.below(10) {
                        0 => Change::Delete,
                        1 => Change::Filter,
                        _ => Change::Write,
                    };
                    ((first + index * 31) % self.len(), change)
                })
                .collect();
            self.write(world, &changes);
            std::thread::sleep(PAUSE);
        }
    }

    /// Checks what a search of the documents with numbers from `first` on found, which began and
    /// ended at these times: each document in a state that was not yet replaced `lag` before the
    /// search began. Returns the greatest age of a state that was replaced.
    pub(crate) fn check(
        &self,
        found: &[Option<i64>],
        first: usize,
        (began, ended): (Instant, Instant),
        lag: Duration,
    ) -> Result<Duration, String> {
        let documents = self.documents();
        let mut oldest = Duration::ZERO;
        for (offset, found) in found.iter().enumerate() {
            let states = &documents[first + offset].states;
            // The same state may have been there twice: not found, found, not found.
            let ages = states
                .iter()
                .enumerate()
                .filter(|(_, state)| state.written == *found && state.began <= ended);
            let age = ages.map(|(index, _)| match states.get(index + 1) {
                Some(next) => began.saturating_duration_since(next.confirmed),
                None => Duration::ZERO,
            });
            match age.min() {
                Some(age) if age <= lag => oldest = oldest.max(age),
                age => {
                    let mut reason = format!("document {} was found as {found:?}", first + offset);
                    match age {
                        None => reason.push_str(", which it never was"),
                        Some(age) => write!(reason, ", which was replaced {age:?} before").expect("a string"),
                    }
                    return Err(reason);
                }
            }
        }
        Ok(oldest)
    }

    /// What is to be found of each document once everything is indexed.
    pub(crate) fn last(&self) -> Vec<Option<i64>> {
        let last = |document: &Document| document.states.last().and_then(|state| state.written);
        self.documents().iter().map(last).collect()
    }
}

/// Numbers that look like chance and are the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("a small number")
    }
}
