//! What a pillow has done, for progress, summaries and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts of one pillow since it was opened. Shared: the pipeline counts, anybody reads.
#[derive(Debug, Default)]
pub struct Counters {
    seen: AtomicU64,
    indexed: AtomicU64,
    deleted: AtomicU64,
    filtered: AtomicU64,
    dead_letters: AtomicU64,
    retries: AtomicU64,
    hold: Mutex<Option<String>>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Changes of the pillow's own document types, and deletions.
    pub seen: u64,
    /// Documents written.
    pub indexed: u64,
    /// Documents deleted because they were deleted in the database.
    pub deleted: u64,
    /// Documents that the filter or the transform keeps out of the index.
    pub filtered: u64,
    /// Changes that could not be indexed.
    pub dead_letters: u64,
    /// Operations that were sent again.
    pub retries: u64,
    /// Why the pillow holds, if it does.
    pub hold: Option<String>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// A change of the pillow's own.
    Seen,
    /// A document written.
    Indexed,
    /// A document deleted.
    Deleted,
    /// A document kept out.
    Filtered,
    /// A dead letter stored.
    DeadLetter,
    /// An operation sent again.
    Retry,
}

impl Counters {
    /// One more.
    pub(super) fn add(&self, what: Count) {
        self.counter(what).fetch_add(1, Ordering::Relaxed);
    }

    /// Says why the pillow holds, or that it does not.
    pub(crate) fn set_hold(&self, reason: Option<String>) {
        *self.hold.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// The counts now.
    pub fn snapshot(&self) -> Counts {
        let get = |what| self.counter(what).load(Ordering::Relaxed);
        Counts {
            seen: get(Count::Seen),
            indexed: get(Count::Indexed),
            deleted: get(Count::Deleted),
            filtered: get(Count::Filtered),
            dead_letters: get(Count::DeadLetter),
            retries: get(Count::Retry),
            hold: self.hold.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn counter(&self, what: Count) -> &AtomicU64 {
        match what {
            Count::Seen => &self.seen,
            Count::Indexed => &self.indexed,
            Count::Deleted => &self.deleted,
            Count::Filtered => &self.filtered,
            Count::DeadLetter => &self.dead_letters,
            Count::Retry => &self.retries,
        }
    }
}
