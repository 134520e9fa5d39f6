//! Opening the targets of a pillow: which there are now, and taking the claim on one.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use pillowtop_core::IndexName;

use super::Target;
use super::reader::TargetReader;
use crate::claim::{AcquireError, AcquireOptions, Claim, DatabaseIdentity, Slice};
use crate::dead_letter::DeadLetterStore;

/// A target of a pillow, not opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetRef {
    /// Its name: a physical index.
    pub name: IndexName,
    /// Its uuid: a target that was deleted and created again has another one.
    pub uuid: String,
}

/// A target whose claim is held.
#[derive(Debug, Clone)]
pub struct OpenTarget {
    /// The claim.
    pub claim: Arc<Claim>,
    /// Where operations go.
    pub target: Arc<dyn Target>,
    /// Where failed changes go.
    pub dead_letters: Arc<dyn DeadLetterStore>,
}

/// Why a target cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody has to do something first, such as building the index.
    #[error("{reason}")]
    NotReady {
        /// What is missing.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The claim cannot be taken.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// A server did not do something.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// Where one pillow is followed into.
pub trait Destination: Send + Sync + fmt::Debug + 'static {
    /// The targets that must be followed now. For a cluster: every complete index of the committed
    /// hash that carries the hashed alias or the search alias.
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>>;

    /// Takes the claim on a target, or on a slice of it. `begin` is the database to begin with
    /// where no state is stored and it is certain that the target, or the slice, holds nothing.
    /// Where that is not certain, a missing state is an error.
    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>>;

    /// Reads a target back, without a claim on it. `None` where that is not supported.
    fn reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        let _ = target;
        None
    }
}
