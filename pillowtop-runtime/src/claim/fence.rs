//! What a target adds to a claim: a fence that lets one epoch write, and the identity of what was
//! written.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// Why a fence was not read or installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FenceError {
    /// The fence of a later owner is installed.
    #[error("the fence of a later owner is installed: {0}")]
    Overtaken(String),
    /// The target is not the one that was opened: it was deleted, or deleted and created again.
    #[error("{0}")]
    TargetGone(String),
    /// A missing permission.
    #[error("{0}")]
    Forbidden(String),
    /// It may work later.
    #[error("{0}")]
    Unavailable(String),
}

/// The fence of a target, or of a slice of it.
pub trait Fence: Send + Sync + fmt::Debug + 'static {
    /// The history of each part of the target. Another history means that acknowledged documents
    /// may be missing.
    fn histories(&self) -> BoxFuture<'_, Result<BTreeMap<String, String>, FenceError>>;

    /// The highest epoch that is installed; 0 without any. A fence may outlive the claim's
    /// document.
    fn installed(&self) -> BoxFuture<'_, Result<u64, FenceError>>;

    /// Lets an epoch write, and refuses the writes of all earlier ones from then on.
    /// [`FenceError::Overtaken`] if a later epoch is installed.
    fn install(&self, epoch: u64) -> BoxFuture<'_, Result<(), FenceError>>;
}

/// The fence of a target that has none: a directory that is locked, or a service that compares
/// versions.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFence;

impl Fence for NoFence {
    fn histories(&self) -> BoxFuture<'_, Result<BTreeMap<String, String>, FenceError>> {
        async { Ok(BTreeMap::new()) }.boxed()
    }

    fn installed(&self) -> BoxFuture<'_, Result<u64, FenceError>> {
        async { Ok(0) }.boxed()
    }

    fn install(&self, _: u64) -> BoxFuture<'_, Result<(), FenceError>> {
        async { Ok(()) }.boxed()
    }
}
