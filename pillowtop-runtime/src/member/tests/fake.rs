//! An index in memory that fails in every way, a pillow for it, and a session between the two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{
    ChangeMeta, CouchDocument, DocumentId, DocumentInfo, Object, Pillow, Registry, Sequence,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::DeadLetter;
use crate::clock::{CEILING_AHEAD, VersionClock};
use crate::dead_letter::Stage;
use crate::operation::{Action, Operation, Version, WriteMode};
use crate::pipeline::queued::{Queued, QueuedLetter};
use crate::pipeline::watermark::Ordinal;
use crate::pipeline::{BulkLimits, Counters, Counts, Pipeline, PipelineOptions, Session, SessionEnd};
use crate::row::Row;
use crate::sink::{ItemOutcome, Sink, SinkError, WriteError};
use crate::source::{Feed, FeedEvent};
use crate::state::{DatabaseIdentity, IndexState, Phase};

/// The transform panics on notes of this number.
pub(super) const PANICS: u32 = 99;
/// The index refuses notes of this number.
pub(super) const REFUSED: u32 = 13;
/// No request with a note of this number is ever answered.
pub(super) const POISON: u32 = 66;

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Note {
    n: u32,
    keep: bool,
}

impl CouchDocument for Note {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo =
        DocumentInfo { types: &["Note"], deleted_types: &["Note-Deleted"], ..DocumentInfo::PART };
}

impl Pillow for Note {
    type Document<'text> = Self;
    type Index = Self;
    const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.keep
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        assert!(self.n != PANICS, "no note may have {}", self.n);
        Some(self)
    }
}

/// An index with external versions in memory. `faults` decides what becomes of each request in turn.
pub(super) struct FakeIndex {
    pub(super) state: Mutex<IndexState>,
    versions: VersionClock,
    pub(super) documents: Mutex<HashMap<DocumentId, (Version, Option<String>)>>,
    /// The open letters.
    pub(super) letters: Mutex<HashMap<DocumentId, DeadLetter>>,
    faults: Mutex<Vec<u8>>,
    pub(super) saved: Mutex<Vec<Sequence>>,
    /// How often a position was to be stored, and how often that is still to fail.
    pub(super) saves: Mutex<(u32, u32)>,
    /// Larger requests are refused.
    most_bytes: usize,
    /// Nothing is answered before.
    away_until: Option<Instant>,
    /// The sizes of all bulks, of those that were too large too.
    pub(super) bulks: Mutex<Vec<Bulk>>,
}

/// A bulk as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bulk {
    pub(super) operations: usize,
    pub(super) bytes: usize,
}

impl FakeIndex {
    pub(super) fn new(faults: Vec<u8>) -> Self {
        let versions = VersionClock::above(Version(0));
        versions.reserved(versions.next_ceiling());
        let state = IndexState {
            pillow: "note".into(),
            index: "notes_1".into(),
            hash: String::new(),
            phase: Phase::Following,
            checkpoint: None,
            load: None,
            database: DatabaseIdentity { name: "db".into(), instance_start_time: "0".to_owned() },
            ceiling: Version(0),
            past: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            versions,
            documents: Mutex::default(),
            letters: Mutex::default(),
            faults: Mutex::new(faults),
            saved: Mutex::default(),
            saves: Mutex::default(),
            most_bytes: usize::MAX,
            away_until: None,
            bulks: Mutex::default(),
        }
    }

    /// An index that refuses larger requests.
    pub(super) fn taking(most_bytes: usize) -> Self {
        Self { most_bytes, ..Self::new(Vec::new()) }
    }

    /// An index that answers nothing for so long.
    pub(super) fn away_for(time: Duration) -> Self {
        Self { away_until: Some(Instant::now() + time), ..Self::new(Vec::new()) }
    }

    fn fault(&self) -> u8 {
        self.faults.lock().unwrap().pop().unwrap_or(0)
    }

    fn apply(&self, operation: &Operation) -> ItemOutcome {
        let mut documents = self.documents.lock().unwrap();
        let there = documents.get(&operation.id).map(|(version, _)| *version);
        if there.is_some_and(|there| there > operation.version) {
            return ItemOutcome::Done;
        }
        let source = match &operation.action {
            Action::Index(source) => Some(String::from_utf8(source.to_vec()).unwrap()),
            Action::Delete => None,
        };
        if source.as_deref().is_some_and(|source| has_number(source, REFUSED)) {
            return ItemOutcome::Rejected { error_type: "mapper".to_owned(), reason: "unlucky".to_owned() };
        }
        documents.insert(operation.id.clone(), (operation.version, source));
        let mut letters = self.letters.lock().unwrap();
        if letters.get(&operation.id).is_some_and(|letter| letter.version <= operation.version) {
            letters.remove(&operation.id);
        }
        ItemOutcome::Done
    }

    /// Documents with an open letter, and of which revision.
    pub(super) fn open_letters(&self) -> Vec<(String, String)> {
        let letters = self.letters.lock().unwrap();
        let mut open: Vec<_> =
            letters.values().map(|letter| (letter.id.to_string(), letter.revision.to_string())).collect();
        open.sort();
        open
    }

    pub(super) fn held(&self) -> Vec<(String, u64)> {
        let documents = self.documents.lock().unwrap();
        let mut held: Vec<(String, u64)> = documents
            .iter()
            .filter_map(|(id, (_, source))| {
                let source: serde_json::Value = serde_json::from_str(source.as_deref()?).unwrap();
                Some((id.to_string(), source["n"].as_u64().unwrap()))
            })
            .collect();
        held.sort();
        held
    }
}

impl Sink for FakeIndex {
    fn describe(&self) -> String {
        "fake".to_owned()
    }
    fn state(&self) -> IndexState {
        self.state.lock().unwrap().clone()
    }
    fn versions(&self) -> &VersionClock {
        &self.versions
    }
    fn write<'a>(
        &'a self,
        operations: &'a [Operation],
        _: WriteMode,
    ) -> BoxFuture<'a, Result<Vec<ItemOutcome>, WriteError>> {
        Box::pin(async move {
            let bytes = operations.iter().map(Operation::body_bytes).sum();
            self.bulks.lock().unwrap().push(Bulk { operations: operations.len(), bytes });
            if bytes > self.most_bytes {
                return Err(WriteError::TooLarge("413".to_owned()));
            }
            let is_poisoned = operations.iter().any(|operation| {
                matches!(&operation.action, Action::Index(source)
                    if has_number(&String::from_utf8_lossy(source), POISON))
            });
            if is_poisoned || self.away_until.is_some_and(|until| until > Instant::now()) {
                return Err(WriteError::Unreachable("reset".to_owned()));
            }
            let fault = self.fault();
            tokio::time::sleep(Duration::from_millis(u64::from(fault))).await;
            match fault {
                1..=20 => Err(WriteError::Busy("busy".to_owned())),
                21..=40 => {
                    // It was applied, and the answer is lost.
                    operations.iter().for_each(|operation| drop(self.apply(operation)));
                    Err(WriteError::Unreachable("reset".to_owned()))
                }
                41..=60 if operations.len() > 1 => Err(WriteError::Refused("too large".to_owned())),
                61..=90 => Ok(operations
                    .iter()
                    .enumerate()
                    .map(|(place, operation)| match place % 3 {
                        0 => ItemOutcome::Busy { reason: "queue".to_owned() },
                        1 => ItemOutcome::Unknown { error_type: "odd".to_owned(), reason: "odd".to_owned() },
                        _ => self.apply(operation),
                    })
                    .collect()),
                91..=100 => {
                    Ok(operations.iter().map(|_| ItemOutcome::Held { reason: "closed".to_owned() }).collect())
                }
                _ => Ok(operations.iter().map(|operation| self.apply(operation)).collect()),
            }
        })
    }
    fn bury(&self, letters: Vec<DeadLetter>) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            if self.fault() > 128 {
                let index = "notes_1".to_owned();
                return Err(SinkError::Unavailable {
                    index,
                    what: "dead letters",
                    reason: "busy".to_owned(),
                });
            }
            let bytes: usize = letters.iter().map(|letter| serde_json::to_vec(letter).unwrap().len()).sum();
            if bytes > self.most_bytes {
                let index = "notes_1".to_owned();
                return Err(SinkError::TooLarge { index, what: "dead letters", reason: "413".to_owned() });
            }
            let mut open = self.letters.lock().unwrap();
            for letter in letters {
                let is_newer = open.get(&letter.id).is_none_or(|there| there.version <= letter.version);
                if is_newer {
                    open.insert(letter.id.clone(), letter);
                }
            }
            Ok(())
        })
    }
    fn save(&self, position: Option<Sequence>) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            let fails = {
                let mut saves = self.saves.lock().unwrap();
                let fails = saves.1 > 0;
                *saves = (saves.0 + 1, saves.1.saturating_sub(1));
                fails
            };
            if fails {
                let index = "notes_1".to_owned();
                return Err(SinkError::Unavailable {
                    index,
                    what: "the position",
                    reason: "refused".to_owned(),
                });
            }
            self.versions.reserved(self.versions.next_ceiling());
            self.saved.lock().unwrap().extend(position);
            Ok(())
        })
    }
    fn lease(&self) -> Duration {
        CEILING_AHEAD
    }
    fn renew(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        self.save(None)
    }
    fn enter(&self, phase: Phase) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            self.state.lock().unwrap().enter(phase);
            Ok(())
        })
    }
    fn release(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Whether a source is that of a note of this number.
fn has_number(source: &str, number: u32) -> bool {
    source.contains(&format!("\"n\":{number},"))
}

/// A delete that answers for one row.
pub(in crate::pipeline) fn queued(id: &str, row: u64) -> Queued {
    Queued {
        operation: Operation { id: id.into(), version: Version(row), action: Action::Delete },
        revision: "1-0".into(),
        rows: vec![Ordinal(row)],
        attempts: 0,
        unanswered: 0,
        company: usize::MAX,
        is_deletion: true,
    }
}

/// A letter that answers for one row.
pub(super) fn queued_letter(id: &str, row: u64) -> QueuedLetter {
    let letter = DeadLetter {
        pillow: "note".into(),
        index: "notes_1".into(),
        database: "db".into(),
        id: id.into(),
        revision: "1-0".into(),
        version: Version(row),
        stage: Stage::Decode,
        error_type: "decode_error".to_owned(),
        reason: "no note".to_owned(),
        time: String::new(),
        document: None,
    };
    QueuedLetter::new(letter, vec![Ordinal(row)])
}

pub(super) fn feed(rows: Vec<Row>) -> Feed {
    Feed::of_events(rows.into_iter().map(|row| FeedEvent::Rows(vec![row])).collect())
}

/// Follows the rows into the index until all are acknowledged.
pub(super) async fn run(index: &Arc<FakeIndex>, rows: Vec<Row>) -> SessionEnd {
    run_with(index, rows, small()).await.0
}

/// Bounds of a few operations a bulk.
fn small() -> PipelineOptions {
    PipelineOptions { bulk: BulkLimits { bytes: 2000, operations: 7 }, ..PipelineOptions::default() }
}

/// The same with options; and what was counted.
pub(super) async fn run_with(
    index: &Arc<FakeIndex>,
    rows: Vec<Row>,
    options: PipelineOptions,
) -> (SessionEnd, Counts) {
    let counters = Arc::new(Counters::default());
    let (_keep, stop) = watch::channel(false);
    let end = session_with(index, options, &counters).run(feed(rows), stop).await.unwrap();
    (end, counters.snapshot())
}

/// A session that is not begun.
pub(super) fn session(index: &Arc<FakeIndex>) -> Session {
    session_with(index, small(), &Arc::default())
}

fn session_with(index: &Arc<FakeIndex>, options: PipelineOptions, counters: &Arc<Counters>) -> Session {
    let registry = Registry::new().with::<Note>();
    let sink: Arc<dyn Sink> = Arc::clone(index) as Arc<dyn Sink>;
    let pillow = Arc::clone(&registry.pillows()[0]);
    Session::new(vec![Pipeline::new(pillow, sink, Arc::clone(counters), options)])
}
