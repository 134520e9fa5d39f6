//! A database in memory: one shard, with copies that may lag behind each other, and opaque
//! sequences.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DatabaseName, DocumentId, Sequence};
use serde_json::Value;
use tokio::time::Instant;

use super::Gauge;
use crate::claim::DatabaseIdentity;
use crate::row::Row;
use crate::source::{Feed, FeedEvent, FeedMode, FeedRequest, Purges, Source, SourceError};

/// Rows of one event.
const PAGE: usize = 7;

#[derive(Debug, Clone)]
struct Change {
    id: String,
    /// What follows `"changes": …` in its row.
    rest: String,
    time: Instant,
}

#[derive(Debug)]
pub(crate) struct FakeDatabase {
    name: DatabaseName,
    log: Arc<Mutex<Vec<Change>>>,
    /// By how much each copy lags.
    lags: Vec<Duration>,
    /// Which copies respond to the next requests, in turn; then random ones.
    pub(crate) script: Arc<Mutex<Vec<usize>>>,
    started: Mutex<String>,
    purged: Mutex<Vec<DocumentId>>,
    /// How often a feed was opened, and from where.
    pub(crate) opened: Mutex<Vec<String>>,
    /// Rows that feeds have sent.
    pub(crate) sent: Arc<AtomicUsize>,
    /// Feeds that are open.
    pub(crate) feeds: Arc<Gauge>,
    /// Why it does not respond now.
    pub(crate) down: Arc<Mutex<Option<&'static str>>>,
}

impl FakeDatabase {
    pub(crate) fn new() -> Arc<Self> {
        Self::with_copies(vec![Duration::ZERO])
    }

    /// One of several, whose feeds are counted together.
    pub(crate) fn counted(name: &DatabaseName, feeds: &Arc<Gauge>) -> Arc<Self> {
        let database = Arc::into_inner(Self::new()).unwrap();
        Arc::new(Self { name: name.clone(), feeds: Arc::clone(feeds), ..database })
    }

    pub(crate) fn with_copies(lags: Vec<Duration>) -> Arc<Self> {
        Arc::new(Self {
            name: "db".into(),
            log: Arc::default(),
            lags,
            script: Arc::default(),
            started: Mutex::new("1".to_owned()),
            purged: Mutex::default(),
            opened: Mutex::default(),
            sent: Arc::default(),
            feeds: Arc::default(),
            down: Arc::default(),
        })
    }

    /// Writes a document: `rest` is the part of its row after the revision.
    pub(crate) fn write(&self, id: &str, rest: &str) {
        let change = Change { id: id.to_owned(), rest: rest.to_owned(), time: Instant::now() };
        self.log.lock().unwrap().push(change);
    }

    /// Writes a note.
    pub(crate) fn note(&self, id: &str, n: u32) {
        self.write(id, &format!("\"doc\":{{\"doc_type\":\"Note\",\"n\":{n},\"keep\":true}}"));
    }

    /// Deletes a document.
    pub(crate) fn delete(&self, id: &str) {
        self.write(id, "\"deleted\":true,\"doc\":{\"_deleted\":true}");
    }

    /// Purges a document: it is gone, and no change says so.
    pub(crate) fn purge(&self, id: &str) {
        self.log.lock().unwrap().retain(|change| change.id != id);
        self.purged.lock().unwrap().push(id.into());
    }

    /// The database is deleted and created again.
    pub(crate) fn create_again(&self) {
        self.log.lock().unwrap().clear();
        "2".clone_into(&mut self.started.lock().unwrap());
    }

    /// The ids of notes that an index should hold, with their numbers.
    pub(crate) fn expected(&self) -> Vec<(String, u64)> {
        let mut held = BTreeMap::new();
        for change in self.log.lock().unwrap().iter() {
            let row = row(change, 0, None);
            let note =
                row.document().and_then(|document| serde_json::from_str::<serde_json::Value>(document).ok());
            let note = note.filter(|note| note["doc_type"] == "Note" && note["keep"] == true);
            match note.and_then(|note| note["n"].as_u64()) {
                Some(n) => held.insert(change.id.clone(), n),
                None => held.remove(&change.id),
            };
        }
        held.into_iter().collect()
    }

    /// The documents that are not deleted, in order of their ids, as they are now.
    pub(crate) fn listed(&self) -> Vec<Row> {
        let log = self.log.lock().unwrap();
        let mut rows: Vec<Row> = changes(&log, 0, log.len())
            .into_iter()
            .map(|(number, change)| row(&change, number, None))
            .filter(|row| !row.deleted)
            .collect();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        rows
    }

    fn copy(&self) -> usize {
        let mut script = self.script.lock().unwrap();
        if script.is_empty() { fastrand::usize(..self.lags.len()) } else { script.remove(0) }
    }

    /// How many changes a copy has.
    fn visible(log: &[Change], lag: Duration) -> usize {
        let now = Instant::now();
        log.iter().take_while(|change| now.duration_since(change.time) >= lag).count()
    }
}

fn position(number: usize) -> Sequence {
    Sequence::new(format!("{number}-{:08x}", fastrand::u32(..)))
}

fn number_of(since: &Sequence) -> usize {
    since.as_str().split('-').next().unwrap().parse().unwrap()
}

fn row(change: &Change, number: usize, sequence: Option<&Sequence>) -> Row {
    let sequence = sequence.map_or_else(|| "null".to_owned(), |sequence| format!("\"{sequence}\""));
    let line = format!(
        "{{\"seq\":{sequence},\"id\":\"{}\",\"changes\":[{{\"rev\":\"{number}-0\"}}],{}}}",
        change.id, change.rest
    );
    Row::parse(line.into()).unwrap()
}

/// Whether a row passes a selector of `$and`, `$or`, `$in` and `$eq`. Deletions pass any.
fn passes(selector: &Value, row: &Row) -> bool {
    fn matches(selector: &Value, document: &Value) -> bool {
        selector.as_object().unwrap().iter().all(|(name, operand)| match name.as_str() {
            "$and" => operand.as_array().unwrap().iter().all(|inner| matches(inner, document)),
            "$or" => operand.as_array().unwrap().iter().any(|inner| matches(inner, document)),
            name => operand.as_object().unwrap().iter().all(|(operator, operand)| match operator.as_str() {
                "$eq" => document.get(name) == Some(operand),
                "$in" => document.get(name).is_some_and(|value| operand.as_array().unwrap().contains(value)),
                other => panic!("the database has no `{other}`"),
            }),
        })
    }
    let document = row.document().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    row.deleted || matches(selector, &document)
}

/// The last change of each document after a position, in order, as a copy has them.
fn changes(log: &[Change], since: usize, visible: usize) -> Vec<(usize, Change)> {
    let mut last = BTreeMap::new();
    for (index, change) in log.iter().enumerate().take(visible) {
        last.insert(change.id.clone(), (index + 1, change.clone()));
    }
    let mut found: Vec<_> = last.into_values().filter(|(number, _)| *number > since).collect();
    found.sort_by_key(|(number, _)| *number);
    found
}

impl Source for FakeDatabase {
    fn describe(&self) -> String {
        "fake".to_owned()
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        let instance_start_time = self.started.lock().unwrap().clone();
        let identity = DatabaseIdentity { name: self.name.clone(), instance_start_time };
        async { Ok(identity) }.boxed()
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let (log, lag, sent) = (Arc::clone(&self.log), self.lags[self.copy()], Arc::clone(&self.sent));
        self.opened.lock().unwrap().push(format!("{:?} {}", request.mode, request.since));
        let (feeds, down) = (Arc::clone(&self.feeds), Arc::clone(&self.down));
        Feed::of_task(move |sender| async move {
            let _open = feeds.count();
            let mut since = match request.since.as_str() {
                "now" => FakeDatabase::visible(&log.lock().unwrap(), lag),
                _ => number_of(&request.since),
            };
            loop {
                let reason = *down.lock().unwrap();
                if let Some(reason) = reason {
                    let event = FeedEvent::Waiting(reason.to_owned());
                    if sender.send(Ok(event)).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
                let found = {
                    let log = log.lock().unwrap();
                    changes(&log, since, FakeDatabase::visible(&log, lag))
                };
                let is_empty = found.is_empty();
                for part in found.chunks(PAGE) {
                    let rows = part.iter().enumerate().map(|(index, (number, change))| {
                        // As with `seq_interval`, not every row has a sequence.
                        let sequence = (index % 3 == 2).then(|| position(*number));
                        since = *number;
                        row(change, *number, sequence.as_ref())
                    });
                    let selector = request.selector.as_ref();
                    let passing = rows.filter(|row| selector.is_none_or(|selector| passes(selector, row)));
                    let rows: Vec<Row> = passing.collect();
                    sent.fetch_add(rows.len(), Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..5))).await;
                    if sender.send(Ok(FeedEvent::Rows(rows))).await.is_err() {
                        return;
                    }
                }
                if !is_empty || request.mode == FeedMode::OneShot {
                    let event = FeedEvent::Position { sequence: position(since), pending: Some(0) };
                    if sender.send(Ok(event)).await.is_err() {
                        return;
                    }
                }
                if request.mode == FeedMode::OneShot {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
                if sender.is_closed() {
                    return;
                }
            }
        })
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        let log = self.log.lock().unwrap();
        let rows = ids.iter().map(|id| {
            let found = log.iter().enumerate().rev().find(|(_, change)| change.id == id.as_str());
            match found {
                Some((index, change)) => row(change, index + 1, None),
                None => {
                    let rest = "\"deleted\":true".to_owned();
                    row(&Change { id: id.to_string(), rest, time: Instant::now() }, 0, None)
                }
            }
        });
        let rows: Vec<Row> = rows.collect();
        async { Ok(rows) }.boxed()
    }

    fn purges<'a>(
        &'a self,
        since: Option<&'a Sequence>,
    ) -> BoxFuture<'a, Result<Option<Purges>, SourceError>> {
        let purged = self.purged.lock().unwrap().clone();
        let position = Sequence::new(format!("{}-p", purged.len()));
        let found = match since {
            Some(since) if *since == position => None,
            Some(_) => Some(Purges { ids: purged, position, is_complete: true }),
            None => Some(Purges { ids: Vec::new(), position, is_complete: true }),
        };
        async { Ok(found) }.boxed()
    }

    fn has_one_copy(&self) -> BoxFuture<'_, Result<bool, SourceError>> {
        async { Ok(self.lags.len() == 1) }.boxed()
    }
}
