//! Requests to the owner of a claim, from other processes: documents in the claim store.
//!
//! Only the owner of a claim writes to its target. Whoever wants documents to be processed again,
//! for instance to replay dead letters, to repair a difference or to fill a new field, leaves their
//! ids in the store. The owner stamps their versions, fetches them, decides, and acknowledges them
//! like rows of its feed; then it writes what became of them into the request. An owner that dies
//! in between leaves the request to the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pillowtop_core::DocumentId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use crate::claim::{ClaimKey, ClaimStore, StoreError};
use crate::clock::{now_micros, now_text};

/// Ids of one request. More are split.
pub(crate) const IDS: usize = 500;
/// How often a process that waits reads whether its requests are done.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// What a request asks the owner of a claim to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestKind {
    /// Fetch the documents again, decide, and write or delete them.
    Touch,
    /// Give up on these documents: they are processed as by [`Touch`](Self::Touch), and one that
    /// fails with an unrecognised error becomes a dead letter at once, so that the pillow
    /// continues. That is about their present revisions.
    Bury,
    /// Read the claim again: it was changed from outside.
    Reload,
}

/// What became of the ids of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestResult {
    /// Documents written.
    pub indexed: u64,
    /// Documents that were removed from the target: deleted, filtered out or of another type.
    pub removed: u64,
    /// Documents that are not for the target and were not in it, those that do not exist among them.
    #[serde(default)]
    pub not_indexed: u64,
    /// Documents that could not be indexed.
    pub dead_letters: u64,
    /// Documents that the pillow has nothing to do with.
    pub ignored: u64,
}

impl RequestResult {
    /// How many ids that are.
    pub fn total(&self) -> u64 {
        self.indexed + self.removed + self.not_indexed + self.dead_letters + self.ignored
    }
}

impl std::ops::AddAssign for RequestResult {
    fn add_assign(&mut self, other: Self) {
        self.indexed += other.indexed;
        self.removed += other.removed;
        self.not_indexed += other.not_indexed;
        self.dead_letters += other.dead_letters;
        self.ignored += other.ignored;
    }
}

/// The document of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What is requested.
    pub kind: RequestKind,
    /// The documents' `_id`s in the database.
    pub ids: Vec<DocumentId>,
    /// When it was made, RFC 3339 in UTC.
    pub made: String,
    /// What became of it, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RequestResult>,
}

/// Leaves a request for the owner of a claim. Gives the keys of its documents, for [`wait`].
///
/// # Errors
///
/// When the store cannot be written.
pub async fn submit(
    store: &dyn ClaimStore,
    claim: &ClaimKey,
    kind: RequestKind,
    ids: &[DocumentId],
) -> Result<Vec<String>, StoreError> {
    let mut keys = Vec::new();
    let mut parts: Vec<&[DocumentId]> = ids.chunks(IDS).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    for part in parts {
        let key = format!("{}{:020}-{:08x}", claim.requests(), now_micros(), fastrand::u32(..));
        let request = Request { kind, ids: part.to_vec(), made: now_text(), result: None };
        store.write(&key, &json!(request), None).await?;
        keys.push(key);
    }
    Ok(keys)
}

/// Waits until requests are done, removes them, and gives what became of their ids. `done` is
/// called with what is done so far.
///
/// # Errors
///
/// When the store cannot be read, or a request is missing.
pub async fn wait(
    store: &dyn ClaimStore,
    keys: &[String],
    done: impl Fn(RequestResult),
) -> Result<RequestResult, StoreError> {
    let mut total = RequestResult::default();
    for key in keys {
        loop {
            let Some(stored) = store.read(key).await? else {
                let reason = "it was removed before it was done".to_owned();
                return Err(StoreError::Refused { doing: format!("waiting for {key}"), reason });
            };
            if let Ok(Request { result: Some(result), .. }) = serde_json::from_value(stored.value) {
                total += result;
                done(total);
                match store.remove(key, stored.token).await {
                    Ok(()) | Err(StoreError::Conflict { .. }) => break,
                    Err(error) => return Err(error),
                }
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
    Ok(total)
}

/// Removes requests that nobody waits for any more. Their owner may have begun to work on them.
///
/// # Errors
///
/// When the store cannot be read or written.
pub async fn withdraw(store: &dyn ClaimStore, keys: &[String]) -> Result<(), StoreError> {
    for key in keys {
        // The owner may be writing its result at the same time.
        while let Some(stored) = store.read(key).await? {
            match store.remove(key, stored.token).await {
                Ok(()) => break,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// What became of one id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processed {
    Indexed,
    Removed,
    NotIndexed,
    DeadLetter,
    Ignored,
}

/// A request that its owner works on: it counts the ids that are acknowledged, and reports once all
/// are.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) key: String,
    left: AtomicU64,
    counts: [AtomicU64; 5],
    completed: mpsc::UnboundedSender<(String, RequestResult)>,
}

impl Ticket {
    /// A ticket for so many ids, at least one.
    pub(crate) fn new(
        key: String,
        ids: usize,
        completed: mpsc::UnboundedSender<(String, RequestResult)>,
    ) -> Arc<Self> {
        let left = AtomicU64::new(ids as u64);
        Arc::new(Self { key, left, counts: Default::default(), completed })
    }

    /// An id is acknowledged.
    pub(crate) fn acknowledge(&self, processed: Processed) {
        self.counts[processed as usize].fetch_add(1, Ordering::Relaxed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let count = |processed: Processed| self.counts[processed as usize].load(Ordering::Relaxed);
            let result = RequestResult {
                indexed: count(Processed::Indexed),
                removed: count(Processed::Removed),
                not_indexed: count(Processed::NotIndexed),
                dead_letters: count(Processed::DeadLetter),
                ignored: count(Processed::Ignored),
            };
            // The member may have ended: the request is then done again by the next owner.
            let _ = self.completed.send((self.key.clone(), result));
        }
    }
}
