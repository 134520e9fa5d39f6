//! What commands ask of a server that has targets of pillows, whatever it is: a cluster with
//! indices, or an SQL database with tables.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::IndexName;
use pillowtop_runtime::claim::{ClaimDocument, ClaimKey, ClaimStore};
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::target::elastic::{Cluster, ControlIndex, DeadLetterFilter, DeadLetterPage, NextPage};

use crate::exit::Failure;

/// A claim on a target that exists.
pub(crate) type TargetClaim = (IndexName, ClaimKey, ClaimDocument);

/// A table of a pillow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableInfo {
    pub(crate) target: TargetRef,
    /// The hash of the definition that it was created for.
    pub(crate) hash: String,
    /// Whether the views show it.
    pub(crate) is_shown: bool,
    pub(crate) is_complete: bool,
}

/// A server that has targets of pillows.
pub(crate) trait TargetServer: Send + Sync {
    /// Where the claims on its targets are.
    fn store(&self) -> Arc<dyn ClaimStore>;

    /// The claims on targets that exist.
    fn claims(&self) -> BoxFuture<'_, Result<Vec<TargetClaim>, Failure>>;

    /// A page of dead letters, the oldest first. Without the `next` of an earlier page it is the
    /// first one.
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        size: usize,
        page: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<DeadLetterPage, Failure>>;

    /// Removes the dead letters that match, without doing anything about their documents.
    fn purge_dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter) -> BoxFuture<'a, Result<u64, Failure>>;
}

impl TargetServer for Cluster {
    fn store(&self) -> Arc<dyn ClaimStore> {
        Arc::new(ControlIndex::new(self))
    }

    fn claims(&self) -> BoxFuture<'_, Result<Vec<TargetClaim>, Failure>> {
        async { Ok(self.index_claims().await?) }.boxed()
    }

    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        size: usize,
        page: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<DeadLetterPage, Failure>> {
        async move { Ok(Self::dead_letters(self, filter, size, page).await?) }.boxed()
    }

    fn purge_dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter) -> BoxFuture<'a, Result<u64, Failure>> {
        async move { Ok(Self::purge_dead_letters(self, filter).await?) }.boxed()
    }
}
