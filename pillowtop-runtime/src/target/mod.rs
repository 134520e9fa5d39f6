//! Where operations go. A [`Target`] writes bulks; who may write, and how far it is, is a matter of
//! the [claim](crate::claim).
//!
//! | target | what it is |
//! |---|---|
//! | `elastic` | an index of Elasticsearch or OpenSearch |
//! | `ndjson` | files of bulk requests, for `curl` |
//! | `pillowtop_embedded` | an index in a directory of this machine, in a crate of its own |
//! | your own | anything that implements [`Target`] |

mod reader;

mod destination;

mod guarded;

mod dead_letter_files;

pub mod local;

mod custom;

mod bulk_body;

pub mod elastic;

pub mod ndjson;

#[cfg(any(test, feature = "testing"))]
pub mod contract;

#[cfg(any(test, feature = "testing"))]
pub mod test_support;

use std::fmt;

use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;

use crate::operation::Operation;

pub use custom::CustomDestination;
pub use dead_letter_files::DeadLetterFiles;
pub use destination::{Destination, OpenError, OpenTarget, TargetRef};
pub use guarded::GuardedTarget;
pub use local::{LocalError, LocalOptions};
pub use reader::{Extent, IndexedId, ReadError, StoredDocument, TargetReader};

/// What became of one operation of a bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is in the target, or something newer of our own is: the change is acknowledged.
    Done,
    /// A delete of a missing document: acknowledged, and not counted as a deletion.
    Absent,
    /// The document cannot be written as it is. It becomes a dead letter.
    Rejected {
        /// The server's error type, or a name of the target's own.
        error_type: String,
        /// The reason, for people.
        reason: String,
    },
    /// The target was too busy for it. It is retried later.
    Busy {
        /// The reason, for people.
        reason: String,
    },
    /// The target accepts no writes now. The pillow pauses, reports the reason, and retries.
    Blocked {
        /// The reason, for people.
        reason: String,
    },
    /// An unrecognised error. The operation is retried alone a few times, then the pillow pauses.
    Unknown {
        /// The server's error type.
        error_type: String,
        /// The reason, for people.
        reason: String,
    },
    /// The target has something newer that is not ours: another owner writes. The claim is lost.
    Fenced {
        /// The reason, for people.
        reason: String,
    },
}

/// Why a whole bulk has no outcomes. What became of it is unknown, so all of it is retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The target is too busy (429, 503). Retried after a pause.
    #[error("the target is busy: {0}")]
    Busy(String),
    /// No response, a torn one, or a failure of the server. Retried, and halved if the target
    /// accepts other writes.
    #[error("the target does not respond: {0}")]
    Unreachable(String),
    /// The whole request was refused (400). Retried in halves.
    #[error("the target refuses the whole bulk: {0}")]
    Refused(String),
    /// The request is too large (413). Retried in smaller requests, which all later ones are too.
    #[error("the bulk is too large for the target: {0}")]
    TooLarge(String),
    /// The credentials, the index or the lease cannot be used now. The pillow pauses and retries.
    #[error("the target cannot be written: {0}")]
    Blocked(String),
    /// The claim is lost or released, or the target is not the one that was opened. Nothing more is
    /// sent.
    #[error("the claim is lost: {0}")]
    ClaimLost(String),
}

/// Somewhere that operations are written to.
///
/// A pillow has one bulk of a document in flight at a time, and sends the operations of one
/// document in order. An implementation need not retry anything: the pillow does, by the outcome.
///
/// What is written may be written again after a crash, with a higher
/// [version](crate::operation::Version): an implementation must be idempotent by document id, or
/// compare versions.
pub trait Target: Send + Sync + fmt::Debug + 'static {
    /// A name of the target for people, such as "index `cases_1` of OpenSearch 3.6.0 at http://…".
    fn describe(&self) -> String;

    /// Writes a bulk. `Ok` has one outcome for each operation, in order; any other number of them
    /// counts as [`WriteError::Unreachable`], as it does if the future panics.
    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>>;

    /// Makes what was acknowledged durable. Called before a position is saved. The default does
    /// nothing, which is right for a target whose acknowledged writes are durable.
    fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
        Box::pin(async { Ok(()) })
    }

    /// Whether something that was acknowledged becomes durable only with the next save of the claim:
    /// a target in the database of its claim commits both at once.
    fn needs_save(&self) -> bool {
        false
    }

    /// Writes something small to where the document `like` goes, to distinguish a target that does
    /// not respond from a document that it cannot write. The default writes it like any other
    /// operation.
    fn probe<'a>(
        &'a self,
        probe: &'a Operation,
        like: &'a DocumentId,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        let _ = like;
        self.write(std::slice::from_ref(probe))
    }
}
