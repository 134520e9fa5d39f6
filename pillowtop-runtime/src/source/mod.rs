//! Where changes come from. A [`Source`] is a CouchDB database, a file of changes, a directory of
//! documents, or your own.
//!
//! A feed runs as a task of its own and hands over what it read through a small channel. Reading
//! stops while the channel is full.

mod listing;
pub mod ranges;

mod couch;
mod file;

mod directory;

use std::fmt;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use pillowtop_core::{DatabaseName, DocumentId, Sequence};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::claim::DatabaseIdentity;
use crate::row::{Row, RowError};

#[cfg(test)]
pub(crate) use couch::scripted;
pub use couch::{
    CouchDatabase, CouchError, CouchListing, CouchLoad, CouchServer, DatabaseInfo, Head, PurgedIds, ViewName,
    Written,
};
pub use directory::DocumentDirectory;
pub use file::ChangesFile;
pub use listing::{ListedDocument, ListedPage};
pub use ranges::{IdRange, Listing};

/// Events that wait in the channel between a source and its session.
const CHANNEL: usize = 4;
/// Rows of one event.
const ROWS: usize = 256;
/// Bytes of the rows of one event.
const BYTES: usize = 1_000_000;

/// How much of a feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMode {
    /// The changes that there are now. Then the feed ends.
    OneShot,
    /// The changes that there are now and all later ones. The feed has no end.
    Continuous,
}

/// Which changes a feed brings.
#[derive(Debug, Clone)]
pub struct FeedRequest {
    /// Changes after this position.
    pub since: Sequence,
    /// The database that the position belongs to. It is compared before the position is used, on
    /// each connection.
    pub identity: DatabaseIdentity,
    /// How much is read.
    pub mode: FeedMode,
    /// A Mango selector that the source may apply. It may be ignored: the reader's members decide
    /// on each document anyway. It never withholds deletions.
    pub selector: Option<serde_json::Value>,
}

impl SourceError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Couch(error) => error.is_retryable(),
            Self::Io(_) => true,
            Self::Other { is_retryable, .. } => *is_retryable,
            _ => false,
        }
    }
}

impl FeedRequest {
    /// Checks that the position belongs to a source that is not a CouchDB.
    fn check_identity(&self, found: &DatabaseIdentity) -> Result<(), SourceError> {
        if self.identity.matches(found) {
            return Ok(());
        }
        Err(if self.identity.name == found.name {
            SourceError::OtherSource {
                database: found.name.clone(),
                expected: self.identity.instance_start_time.clone(),
                found: found.instance_start_time.clone(),
            }
        } else {
            SourceError::OtherDatabase { expected: self.identity.name.clone(), found: found.name.clone() }
        })
    }
}

/// A database of documents with a feed of their changes.
pub trait Source: Send + Sync + fmt::Debug + 'static {
    /// A name of the source for people, such as "database `hq` at http://…".
    fn describe(&self) -> String;

    /// Which database it is now.
    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>>;

    /// Opens a feed. A passing failure is an event ([`FeedEvent::Waiting`]) and is retried for as
    /// long as it takes.
    fn open(&self, request: FeedRequest) -> Feed;

    /// The documents of some ids as they are now, one row for each id, in any order. A document
    /// that does not exist, or is deleted, is a row that is [deleted](Row::deleted). One that
    /// cannot be read is an [unreadable](Row::unreadable) row.
    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>>;

    /// Lists all documents without their bodies, in any order. A document may be listed again: its
    /// last entry counts. A listing that does not come to its end is an error.
    fn list(&self) -> BoxStream<'_, Result<ListedPage, SourceError>> {
        listing::by_feed(self).boxed()
    }

    /// Whether one reading to the end brings all that an earlier one brought. Not so in a cluster
    /// that keeps several copies of a shard (`n` above 1): a copy may lag behind the one that
    /// was read before.
    fn has_one_copy(&self) -> BoxFuture<'_, Result<bool, SourceError>> {
        Box::pin(async { Ok(true) })
    }

    /// The documents that were purged since a purge position, which is not a position of the feed.
    /// `None` if the position did not move, or the source does not purge. Without `since` only
    /// the position is read.
    fn purges<'a>(
        &'a self,
        since: Option<&'a Sequence>,
    ) -> BoxFuture<'a, Result<Option<Purges>, SourceError>> {
        let _ = since;
        Box::pin(async { Ok(None) })
    }

    /// How many changes there are, where that is known without a request.
    fn total(&self) -> Option<u64> {
        None
    }
}

/// Documents that were purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purges {
    /// Their ids. A purged document may still exist, in an older revision.
    pub ids: Vec<DocumentId>,
    /// The purge position to continue from.
    pub position: Sequence,
    /// Whether none can be missing.
    pub is_complete: bool,
}

/// The present end of a database's feed: the position after its last change, taken by opening the
/// feed there. Where the database keeps several copies of a shard, that is the end of the copies
/// that responded, and a change that only another copy has comes after it.
///
/// # Errors
///
/// When the database is another one, or does not respond.
pub async fn head(source: &dyn Source, identity: &DatabaseIdentity) -> Result<Sequence, SourceError> {
    let (since, identity) = (Sequence::from("now"), identity.clone());
    let mut feed = source.open(FeedRequest { since, identity, mode: FeedMode::OneShot, selector: None });
    let mut head = None;
    while let Some(event) = feed.next().await {
        match event? {
            FeedEvent::Position { sequence, .. } => head = Some(sequence),
            FeedEvent::Rows(_) => {}
            FeedEvent::Waiting(reason) => return Err(SourceError::Other { reason, is_retryable: true }),
        }
    }
    let reason = || format!("{} did not report the end of its feed", source.describe());
    head.ok_or_else(|| SourceError::Other { reason: reason(), is_retryable: false })
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
        /// How many changes are left, unfiltered, if the source reports it.
        pending: Option<u64>,
    },
    /// The source does not respond. It is retried.
    Waiting(String),
}

/// Why a feed ended, or a request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// CouchDB's response; a retry would not help.
    #[error(transparent)]
    Couch(#[from] CouchError),
    /// A file or directory cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line of a changes file is broken.
    #[error("line {line} of {} is not a change: {reason}", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: RowError,
    },
    /// A line of a changes file cannot be read, mostly because it is not UTF-8.
    #[error("line {line} of {} cannot be read: {reason}", .path.display())]
    UnreadableLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: std::io::Error,
    },
    /// A document of a directory is broken.
    #[error("{} is not a JSON object: {reason}", .path.display())]
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
    /// The feed was opened with a position of another database.
    #[error("a position of database `{expected}` means nothing in database `{found}`")]
    OtherDatabase {
        /// The database of the position.
        expected: DatabaseName,
        /// The database that was opened.
        found: DatabaseName,
    },
    /// The position was stored while something else was followed under this name: a database, a
    /// file, a directory.
    #[error("the position of `{database}` was stored for another source: {expected}, not {found}")]
    OtherSource {
        /// The database.
        database: DatabaseName,
        /// What the stored identity names.
        expected: String,
        /// What is followed now.
        found: String,
    },
    /// A changes file became shorter while it was followed.
    #[error(
        "{} became shorter while it was followed: {length} bytes, of which {read} were read before; \
         a changes file may only grow", .path.display()
    )]
    Shrunk {
        /// The file.
        path: PathBuf,
        /// Its length now.
        length: u64,
        /// How much of it was read.
        read: u64,
    },
    /// An error of a source of your own.
    #[error("{reason}")]
    Other {
        /// The reason, for people. It quotes no document.
        reason: String,
        /// Whether the same request may succeed later.
        is_retryable: bool,
    },
    /// The task that reads panicked, which is a bug. What it read before is not a whole feed.
    #[error("the task that reads the source failed: {0}")]
    Task(String),
}

/// A running source.
#[derive(Debug)]
pub struct Feed {
    events: mpsc::Receiver<Result<FeedEvent, SourceError>>,
    /// `None` once its end was delivered.
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

    /// A feed of a source of your own. The stream runs as a task of its own, and no further than
    /// what is taken from the feed.
    pub fn of_stream(events: impl Stream<Item = Result<FeedEvent, SourceError>> + Send + 'static) -> Self {
        Self::spawn(async move |sender: Sender| {
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                sender
                    .events
                    .send(event)
                    .await
                    .map_err(|_| SourceError::Task("the feed has no reader".to_owned()))?;
            }
            Ok(())
        })
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
    /// Where events go, for what reports beside the rows.
    fn events(&self) -> mpsc::Sender<Result<FeedEvent, SourceError>> {
        self.events.clone()
    }

    /// Keeps a row. Returns whether there are enough to be [handed over](Self::flush).
    fn keep(&mut self, row: Row) -> bool {
        self.bytes += row.len();
        self.rows.push(row);
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }

    /// The rows that were kept.
    fn rows(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    /// Keeps a row, and hands over those that were kept when there are enough.
    async fn row(&mut self, row: Row) {
        if self.keep(row) {
            self.flush().await;
        }
    }

    /// Hands over the rows that were kept.
    async fn flush(&mut self) {
        if !self.rows.is_empty() {
            self.bytes = 0;
            let rows = std::mem::take(&mut self.rows);
            self.tell(FeedEvent::Rows(rows)).await;
        }
    }

    /// Hands over a position after the rows before it.
    async fn position(&mut self, sequence: Sequence, pending: Option<u64>) {
        self.flush().await;
        self.tell(FeedEvent::Position { sequence, pending }).await;
    }

    /// Hands over an event before the rows that were kept. A receiver that is gone is not an error:
    /// the task is about to be aborted.
    async fn tell(&mut self, event: FeedEvent) {
        let _ = self.events.send(Ok(event)).await;
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
    async fn a_reader_that_panics_is_not_an_end() {
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
    async fn a_source_of_your_own_makes_a_feed_of_a_stream() {
        let position = FeedEvent::Position { sequence: "1".into(), pending: Some(0) };
        let error = SourceError::Other { reason: "away".to_owned(), is_retryable: true };
        let mut feed = Feed::of_stream(futures_util::stream::iter([Ok(position), Err(error)]));
        assert!(matches!(feed.next().await, Some(Ok(FeedEvent::Position { .. }))));
        assert!(feed.next().await.is_some_and(|event| event.is_err_and(|error| error.is_retryable())));
        assert!(feed.next().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_ends_well_is_an_end() {
        let mut feed = Feed::spawn(async |_| Ok(()));
        assert!(feed.next().await.is_none());
        assert!(feed.next().await.is_none());
    }
}
