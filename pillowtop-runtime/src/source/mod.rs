//! Where changes come from. A [`Source`] is a CouchDB database, a file of changes, a directory of documents, or your own.
//!
//! A feed runs as a task of its own and hands over what it read through a small channel. When nobody takes it, reading stops.

mod couch;
mod couch_error;
mod feed_reader;
mod file;
mod folder;

use std::fmt;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, Sequence};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::claim::DatabaseIdentity;
use crate::row::{Row, RowError};

pub use couch::{CouchDatabase, CouchServer, DatabaseInfo};
pub use couch_error::CouchError;
pub use feed_reader::FeedMode;
pub use file::ChangesFile;
pub use folder::DocumentFolder;

/// Events that wait in the channel between a source and its session.
const CHANNEL: usize = 4;
/// Rows of one event.
const ROWS: usize = 256;
/// Bytes of the rows of one event.
const BYTES: usize = 1_000_000;

/// Which changes a feed brings.
#[derive(Debug, Clone)]
pub struct FeedRequest {
    /// Changes after this position.
    pub since: Sequence,
    /// The database that the position belongs to. It is compared before the position is used, on each connection.
    pub identity: DatabaseIdentity,
    /// How much is read.
    pub mode: FeedMode,
    /// A Mango selector that the source may apply. It may be ignored: whoever reads decides on each document anyway. It never
    /// withholds deletions.
    pub selector: Option<serde_json::Value>,
}

/// A database of documents with a feed of their changes.
pub trait Source: Send + Sync + fmt::Debug + 'static {
    /// A name of the source for people, such as "database `hq` at http://…".
    fn describe(&self) -> String;

    /// Which database it is now.
    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>>;

    /// Opens a feed. A passing failure is an event ([`FeedEvent::Waiting`]) and is retried for as long as it takes.
    fn open(&self, request: FeedRequest) -> Feed;

    /// The documents of some ids as they are now, one row for each id, in any order. A document that does not exist, or is
    /// deleted, is a row that is [deleted](Row::deleted). One that cannot be read is a row that says so.
    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>>;

    /// Whether one reading to the end brings all that an earlier one brought. Not so in a cluster that keeps several copies of a
    /// shard (`n` above 1): a copy may lag behind the one that was read before.
    fn has_one_copy(&self) -> BoxFuture<'_, Result<bool, SourceError>> {
        Box::pin(async { Ok(true) })
    }

    /// How many changes there are, where that is known without asking.
    fn total(&self) -> Option<u64> {
        None
    }
}

/// What a source hands over.
#[derive(Debug)]
pub enum FeedEvent {
    /// Rows, in the feed's order.
    Rows(Vec<Row>),
    /// Everything handed over so far lies before this position.
    Position {
        /// The position.
        sequence: Sequence,
        /// How many changes are left, unfiltered, if the source says so.
        pending: Option<u64>,
    },
    /// The source does not respond. It is retried.
    Waiting(String),
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// CouchDB answered with something that another try would not mend.
    #[error(transparent)]
    Couch(#[from] CouchError),
    /// A file or folder cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line of a changes file is broken.
    #[error("line {line} of {} is no change: {reason}", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: RowError,
    },
    /// A line of a changes file cannot be read, mostly because it is no UTF-8.
    #[error("line {line} of {} cannot be read: {reason}", .path.display())]
    UnreadableLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: std::io::Error,
    },
    /// A document of a folder is broken.
    #[error("{} is no JSON object: {reason}", .path.display())]
    BrokenDocument {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: RowError,
    },
    /// A stored position is not in the file.
    #[error("position `{since}` is not in {}: it is another file than the one that was read before", .path.display())]
    UnknownPosition {
        /// The file.
        path: PathBuf,
        /// The position.
        since: Sequence,
    },
    /// The task that reads panicked, which is a bug. What it read before is no whole feed.
    #[error("the task that reads the source failed: {0}")]
    Task(String),
}

/// A running source.
#[derive(Debug)]
pub struct Feed {
    events: mpsc::Receiver<Result<FeedEvent, SourceError>>,
    /// Gone once its end was told.
    task: Option<JoinHandle<()>>,
}

impl Feed {
    /// The next event; `None` when the source came to its end. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<FeedEvent, SourceError>> {
        if let Some(event) = self.events.recv().await {
            return Some(event);
        }
        // A task that panicked closes its channel too.
        let ended = self.task.as_mut()?.await;
        self.task = None;
        ended.err().map(|error| Err(SourceError::Task(error.to_string())))
    }

    /// Runs a source.
    pub(crate) fn spawn<F>(source: impl FnOnce(Sender) -> F) -> Self
    where
        F: Future<Output = Result<(), SourceError>> + Send + 'static,
    {
        let (sender, events) = mpsc::channel(CHANNEL);
        let reading = source(Sender { events: sender.clone(), rows: Vec::new(), bytes: 0 });
        let task = tokio::spawn(async move {
            if let Err(error) = reading.await {
                // Whoever listened may be gone.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { events, task: Some(task) }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Collects rows and hands them over in portions.
pub(crate) struct Sender {
    events: mpsc::Sender<Result<FeedEvent, SourceError>>,
    rows: Vec<Row>,
    bytes: usize,
}

impl Sender {
    /// Hands over a row, or keeps it until there are enough.
    async fn row(&mut self, row: Row) {
        self.bytes += row.len();
        self.rows.push(row);
        if self.rows.len() >= ROWS || self.bytes >= BYTES {
            self.flush().await;
        }
    }

    /// Hands over the rows that were kept. Nobody listening any more is no error: the task is about to be aborted.
    async fn flush(&mut self) {
        if !self.rows.is_empty() {
            self.bytes = 0;
            let rows = std::mem::take(&mut self.rows);
            let _ = self.events.send(Ok(FeedEvent::Rows(rows))).await;
        }
    }

    /// Hands over a position after the rows before it.
    async fn position(&mut self, sequence: Sequence, pending: Option<u64>) {
        self.flush().await;
        let _ = self.events.send(Ok(FeedEvent::Position { sequence, pending })).await;
    }

    /// Says that the source does not answer.
    async fn waiting(&mut self, reason: String) {
        self.flush().await;
        let _ = self.events.send(Ok(FeedEvent::Waiting(reason))).await;
    }
}

#[cfg(test)]
impl Feed {
    /// A feed that a task of a test sends.
    pub(crate) fn of_task<F>(task: impl FnOnce(mpsc::Sender<Result<FeedEvent, SourceError>>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, events) = mpsc::channel(CHANNEL);
        Self { events, task: Some(tokio::spawn(task(sender))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_panics_is_no_end() {
        let mut feed = Feed::spawn(async |mut sender: Sender| -> Result<(), SourceError> {
            sender.position("1".into(), None).await;
            panic!("a bug");
        });
        assert!(matches!(feed.next().await, Some(Ok(FeedEvent::Position { .. }))));
        let error = feed.next().await.expect("an error").unwrap_err();
        assert!(error.to_string().contains("a bug"), "{error}");
        assert!(feed.next().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_ends_well_is_an_end() {
        let mut feed = Feed::spawn(async |_| Ok(()));
        assert!(feed.next().await.is_none());
        assert!(feed.next().await.is_none());
    }
}
