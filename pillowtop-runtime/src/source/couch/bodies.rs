//! The documents of a listing, each in the revision that was listed or in a later one.
//!
//! `_bulk_get` responds with what a document is now, which is right for an index. But a copy of a
//! shard that lags behind may respond with less than what was listed: nothing, or an earlier
//! revision. Such a document is requested again, by the revision that was listed. If that was
//! superseded, the document is listed again. It is never passed over: changes that are caught up
//! with later begin after the listing, so nothing else would bring it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use tokio::sync::mpsc;

use super::database::CouchDatabase;
use super::documents::rank;
use super::error::CouchError;
use super::page::{PageRequest, PageStart};
use crate::backoff::Backoff;
use crate::claim::DatabaseIdentity;
use crate::row::Row;
use crate::source::listing::ListedDocument;
use crate::source::{FeedEvent, SourceError};

/// About how many bytes a response is to have. It is held in memory whole.
const RESPONSE: usize = 1_500_000;
/// The fewest and the most documents of a request.
const DOCUMENTS: (usize, usize) = (20, 1000);
/// The size of a document before one was read.
const FIRST_SIZE: usize = 4000;
/// How often a document is requested again before its absence from the listing counts: a copy that
/// lags behind may lack it at first.
const ATTEMPTS: usize = 5;
/// How often a response that cannot be read is requested again.
const MALFORMED: usize = 5;

/// Retries what may pass, and reports why it waits.
#[derive(Debug)]
pub(super) struct Patience {
    pub(super) database: CouchDatabase,
    pub(super) identity: DatabaseIdentity,
    pub(super) events: mpsc::Sender<Result<FeedEvent, SourceError>>,
}

impl Patience {
    /// Compares the database with the one that positions belong to.
    pub(super) async fn verify(&self) -> Result<(), CouchError> {
        self.retry(|| self.check().boxed()).await
    }

    async fn check(&self) -> Result<(), CouchError> {
        let found = self.database.info().await?.identity;
        if found.matches(&self.identity) {
            return Ok(());
        }
        Err(CouchError::replaced(&self.identity, &found))
    }

    /// Tries for as long as it takes. After a failure, the database may be another one.
    pub(super) async fn retry<'a, T>(
        &self,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, CouchError>>,
    ) -> Result<T, CouchError> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
        let (mut malformed, mut has_failed) = (0, false);
        loop {
            let checked = if has_failed { self.check().await } else { Ok(()) };
            let result = match checked {
                Ok(()) => attempt().await,
                Err(error) => Err(error),
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // A response that was cut is malformed.
            malformed += usize::from(matches!(error, CouchError::Malformed { .. }));
            let is_cut = matches!(error, CouchError::Malformed { .. }) && malformed < MALFORMED;
            if !error.is_retryable() && !is_cut {
                return Err(error);
            }
            has_failed = true;
            // A receiver that is gone aborts this task.
            let _ = self.events.send(Ok(FeedEvent::Waiting(error.to_string()))).await;
            tokio::time::sleep(backoff.failed()).await;
        }
    }
}

/// Reads documents that are listed.
#[derive(Debug)]
pub(super) struct Bodies {
    pub(super) patience: Patience,
    /// About how large a document is.
    size: AtomicUsize,
}

impl Bodies {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, size: AtomicUsize::new(FIRST_SIZE) }
    }

    /// How many documents to request at once.
    pub(super) fn count(&self) -> usize {
        let (fewest, most) = DOCUMENTS;
        (RESPONSE / self.size.load(Ordering::Relaxed).max(1)).clamp(fewest, most)
    }

    /// Notes how large documents are.
    pub(super) fn note_size(&self, rows: &[Row]) {
        if !rows.is_empty() {
            let bytes: usize = rows.iter().map(Row::len).sum();
            self.size.store(bytes / rows.len(), Ordering::Relaxed);
        }
    }

    /// The documents, in any order.
    pub(super) async fn of(&self, listed: Vec<ListedDocument>) -> Result<Vec<Row>, CouchError> {
        let database = &self.patience.database;
        let ids: Vec<DocumentId> = listed.iter().map(|document| document.id.clone()).collect();
        let found = self.patience.retry(|| database.documents_by(&ids, ids.len()).boxed()).await?;
        self.note_size(&found);
        let mut rows = Vec::with_capacity(found.len());
        // Both are in the order of the request.
        for (row, listed) in found.into_iter().zip(listed) {
            rows.push(if reaches(&row, &listed) { row } else { self.again(listed).await? });
        }
        Ok(rows)
    }

    /// A document of which there was less than what is listed.
    pub(super) async fn again(&self, mut listed: ListedDocument) -> Result<Row, CouchError> {
        let (patience, database) = (&self.patience, &self.patience.database);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let row = patience.retry(|| database.descendant(&listed).boxed()).await?;
            if !row.deleted && reaches(&row, &listed) {
                return Ok(row);
            }
            // The revision may have been deleted beside another one, or the document purged.
            let id = std::slice::from_ref(&listed.id);
            let revision = patience.retry(|| self.listed_now(&listed).boxed()).await?;
            let row = patience.retry(|| database.documents(id).boxed()).await?.pop();
            let row = row.unwrap_or_else(|| Row::missing(listed.id.clone()));
            match revision {
                Some(now) => {
                    if reaches(&row, &now) {
                        return Ok(row);
                    }
                    listed = now;
                }
                None if row.deleted && attempts >= ATTEMPTS => return Ok(row),
                None => {}
            }
            let wait = backoff.failed();
            if attempts == ATTEMPTS {
                let id = &listed.id;
                tracing::warn!(source = database.name().as_str(), %id, "a document is listed and cannot be read in the listed revision; it is requested again");
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// How a document is listed now; `None` if it is not.
    async fn listed_now(&self, listed: &ListedDocument) -> Result<Option<ListedDocument>, CouchError> {
        let start = PageStart::At(listed.id.clone());
        let wanted = PageRequest { start, limit: 1, ..PageRequest::default() };
        let page = self.patience.database.page(&wanted).await?;
        let found = page.entries.into_iter().map(|entry| entry.listed).next();
        Ok(found.filter(|found| found.id == listed.id))
    }
}

/// Whether a document is as it was listed, or later. One that cannot be read becomes a dead letter.
pub(super) fn reaches(row: &Row, listed: &ListedDocument) -> bool {
    row.unreadable.is_some() || (!row.is_missing() && rank(&row.revision) >= rank(&listed.revision))
}
