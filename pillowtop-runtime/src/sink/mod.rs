//! Where operations go: an index whose lease this process holds. Opening one is each product's own; what the pipeline needs is [`Sink`].

use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::Sequence;

use crate::clock::VersionClock;
use crate::dead_letter::DeadLetter;
use crate::operation::{Operation, WriteMode};
use crate::state::{IndexState, Phase};

pub mod elastic;
#[cfg(feature = "embedded")]
pub mod embedded;

/// What became of one operation of a bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemOutcome {
    /// It is in the index, or something newer of our own is: the change is acknowledged.
    Done,
    /// A delete of what was not there: acknowledged, and not counted as a deletion.
    Absent,
    /// The document cannot be indexed as it is: a dead letter.
    Rejected {
        /// The server's error type.
        error_type: String,
        /// The server's reason.
        reason: String,
    },
    /// The server was too busy for it: sent again later.
    Busy {
        /// The server's reason.
        reason: String,
    },
    /// The index takes no writes now: the pillow holds, says so, and tries again.
    Held {
        /// The server's reason.
        reason: String,
    },
    /// An answer that is on no list: sent again alone some times, then the pillow holds.
    Unknown {
        /// The server's error type.
        error_type: String,
        /// The server's reason.
        reason: String,
    },
    /// Something newer is there that is not ours: another owner writes.
    Fenced {
        /// The server's reason.
        reason: String,
    },
}

/// Why a whole bulk has no answers. Its outcome is unknown, so all of it is sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// 429 or 503: wait.
    #[error("the index is busy: {0}")]
    Busy(String),
    /// No answer, or a torn one.
    #[error("the index does not answer: {0}")]
    Unreachable(String),
    /// 413, or 400 for the whole request: sent again in halves.
    #[error("the index refuses the whole bulk: {0}")]
    Refused(String),
    /// The credentials, the index or the lease are not usable now: hold.
    #[error("the index cannot be written: {0}")]
    Held(String),
    /// The lease is lost or given back: stop sending.
    #[error("the lease is lost: {0}")]
    LeaseLost(String),
}

/// Why a state or a dead letter could not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Another process owns the index now.
    #[error("the lease of index `{index}` is lost: {reason}")]
    LeaseLost {
        /// The index.
        index: String,
        /// How it was noticed.
        reason: String,
    },
    /// It may work later.
    #[error("storing {what} of index `{index}` failed: {reason}")]
    Unavailable {
        /// The index.
        index: String,
        /// What was to be stored.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

/// An index whose lease this process holds.
pub trait Sink: Send + Sync + 'static {
    /// A name of it for people.
    fn describe(&self) -> String;

    /// The state as last stored.
    fn state(&self) -> IndexState;

    /// Makes the versions of its operations.
    fn versions(&self) -> &VersionClock;

    /// Sends a bulk. The answer has one outcome for each operation, in order. Nothing is retried here.
    fn write<'a>(
        &'a self,
        operations: &'a [Operation],
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<Vec<ItemOutcome>, WriteError>>;

    /// Stores dead letters, durably, before their changes count as acknowledged.
    fn bury(&self, letters: Vec<DeadLetter>) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Stores the position, renews the lease and reserves versions, in one write. `None` leaves the position as it is.
    fn save(&self, position: Option<Sequence>) -> BoxFuture<'_, Result<(), SinkError>>;

    /// How long the lease lasts without being renewed.
    fn lease(&self) -> Duration;

    /// Renews the lease and reserves versions, unless that was done within the last third of the lease.
    fn renew(&self) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Goes to the next phase: fences whoever wrote in the last one, then stores the state.
    fn enter(&self, phase: Phase) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Gives the lease back, after the last save.
    fn release(&self) -> BoxFuture<'_, Result<(), SinkError>>;
}
