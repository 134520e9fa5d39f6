//! A target of a user's own as the destination of a pillow: its claims and dead letters are in a
//! directory of this machine.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use pillowtop_core::{Definition, DocumentId, IndexName};

use super::local::{
    DirectoryDestination, DirectoryLock, LocalDestination, LocalDirectory, LocalError, LocalKind,
    LocalOptions,
};
use super::{Outcome, Target, WriteError};
use crate::operation::Operation;

/// Follows a pillow into any [`Target`], with claims and dead letters in
/// `<directory>/<name>_<hash>/`.
///
/// One process at a time writes to the target. Another content hash of the pillow, as after a
/// change of its transform, is another target: it begins at the start of the feed. Deleting the
/// directory does the same.
#[derive(Debug)]
pub struct CustomDestination {
    inner: LocalDestination<Custom>,
}

/// A target of a user's own as a kind of target in a directory.
#[derive(Debug, Clone)]
pub struct Custom {
    target: Arc<dyn Target>,
}

/// A target, and the lock of its directory.
#[derive(Debug)]
pub struct LockedTarget {
    target: Arc<dyn Target>,
    _lock: DirectoryLock,
}

impl CustomDestination {
    /// The target under a name. Nothing is created or written yet.
    pub fn new(
        target: Arc<dyn Target>,
        name: &str,
        directory: impl AsRef<Path>,
        definition: Definition,
        options: LocalOptions,
    ) -> Self {
        let name = IndexName::new(format!("{name}_{}", definition.hash.short()));
        let directory = LocalDirectory::new(directory.as_ref(), name);
        Self { inner: LocalDestination::new(Custom { target }, directory, definition, options) }
    }
}

impl DirectoryDestination for CustomDestination {
    type Kind = Custom;

    fn local(&self) -> &LocalDestination<Custom> {
        &self.inner
    }
}

impl LocalKind for Custom {
    type Target = LockedTarget;
    type Error = LocalError;

    fn open(&self, _: &LocalDirectory, lock: DirectoryLock, _: bool) -> Result<LockedTarget, LocalError> {
        Ok(LockedTarget { target: Arc::clone(&self.target), _lock: lock })
    }
}

impl Target for LockedTarget {
    fn describe(&self) -> String {
        self.target.describe()
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.target.write(operations)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
        self.target.flush()
    }

    fn needs_save(&self) -> bool {
        self.target.needs_save()
    }

    fn probe<'a>(
        &'a self,
        probe: &'a Operation,
        like: &'a DocumentId,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.target.probe(probe, like)
    }
}
