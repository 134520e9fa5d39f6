//! What a pillow has done, for progress, summaries and metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::clock::now_micros;

/// Counts of one pillow since the process started. Shared by its members, of which each reads one
/// database.
#[derive(Debug, Default)]
pub struct Counters {
    seen: AtomicU64,
    indexed: AtomicU64,
    deleted: AtomicU64,
    filtered: AtomicU64,
    dead_letters: AtomicU64,
    retries: AtomicU64,
    /// By member, so that one that continues does not hide that another one is paused.
    members: Mutex<BTreeMap<String, MemberState>>,
}

#[derive(Debug, Default)]
struct MemberState {
    paused: Option<String>,
    pending: Option<u64>,
    /// When everything that was there was acknowledged, in microseconds since 1970.
    caught_up: Option<u64>,
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
    /// Documents that the filter or the transform keeps out of the target.
    pub filtered: u64,
    /// Changes that became dead letters.
    pub dead_letters: u64,
    /// Operations that were retried.
    pub retries: u64,
    /// Why the pillow is paused, if it is; with the database where it reads several.
    pub paused: Option<String>,
    /// Changes that are left in its databases, unfiltered, as far as their servers say.
    pub pending: Option<u64>,
    /// How long ago everything was acknowledged, in milliseconds: the longest of its members.
    pub lag_ms: Option<u64>,
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
    /// A dead letter recorded.
    DeadLetter,
    /// An operation retried.
    Retry,
}

impl Counters {
    /// Adds to a count.
    pub(super) fn add(&self, what: Count, count: u64) {
        self.counter(what).fetch_add(count, Ordering::Relaxed);
    }

    /// Sets why a member is paused, or that it is not. Logs when that changes, once.
    pub(crate) fn set_paused(&self, member: &str, reason: Option<String>) {
        let mut members = self.members();
        let state = members.entry(member.to_owned()).or_default();
        match (&state.paused, &reason) {
            (None, Some(reason)) => tracing::warn!(member, reason, "paused"),
            (Some(_), None) => tracing::info!(member, "resumed"),
            (Some(before), Some(now)) if before != now => {
                tracing::debug!(member, reason = now, "still paused");
            }
            _ => {}
        }
        state.paused = reason;
    }

    /// Sets how many changes are left for a member.
    pub(super) fn set_pending(&self, member: &str, pending: Option<u64>) {
        self.members().entry(member.to_owned()).or_default().pending = pending;
    }

    /// Notes that a member has acknowledged everything that was there.
    pub(super) fn set_caught_up(&self, member: &str) {
        self.members().entry(member.to_owned()).or_default().caught_up = Some(now_micros());
    }

    /// Forgets the state of a member that ended.
    pub(crate) fn remove(&self, member: &str) {
        self.members().remove(member);
    }

    /// The counts now.
    pub fn snapshot(&self) -> Counts {
        let get = |what| self.counter(what).load(Ordering::Relaxed);
        let members = self.members();
        let mut paused = members.iter().filter_map(|(name, state)| Some((name, state.paused.as_ref()?)));
        let first = paused.next();
        let others = paused.count();
        let paused = first.map(|(name, reason)| match (members.len(), others) {
            (1, _) => reason.clone(),
            (_, 0) => format!("{name}: {reason}"),
            (_, others) => format!("{name}: {reason} (and {others} more)"),
        });
        let pending: Vec<u64> = members.values().filter_map(|state| state.pending).collect();
        let caught_up = members.values().filter_map(|state| state.caught_up).min();
        Counts {
            seen: get(Count::Seen),
            indexed: get(Count::Indexed),
            deleted: get(Count::Deleted),
            filtered: get(Count::Filtered),
            dead_letters: get(Count::DeadLetter),
            retries: get(Count::Retry),
            paused,
            pending: (!pending.is_empty()).then(|| pending.iter().sum()),
            lag_ms: caught_up.map(|caught_up| now_micros().saturating_sub(caught_up) / 1000),
        }
    }

    fn members(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, MemberState>> {
        // Nothing panics while it is held.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
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
