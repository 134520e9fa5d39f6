//! Building what a pillow has: an index, or a table.

use std::sync::Arc;

use pillowtop_core::IndexName;
use pillowtop_runtime::claim::AcquireError;
use pillowtop_runtime::member::Counters;
use pillowtop_runtime::reindex::{Reindex, ReindexError, ReindexPlan, ReindexStep, Reindexed};
use pillowtop_runtime::service::ServiceError;
use pillowtop_runtime::target::OpenError;
use tokio_util::sync::CancellationToken;

use super::table::TableBuild;
use crate::exit::Failure;

/// What is built.
pub(crate) enum Build<'a> {
    Index(Box<Reindex<'a>>),
    Table(Box<TableBuild<'a>>),
}

impl Build<'_> {
    pub(super) fn counters(&self) -> &Arc<Counters> {
        match self {
            Self::Index(reindex) => &reindex.served.counters,
            Self::Table(table) => &table.served.counters,
        }
    }

    /// What it would do.
    pub(in crate::commands) async fn plan(&self) -> Result<ReindexPlan, Failure> {
        match self {
            Self::Index(reindex) => Ok(reindex.plan().await?),
            Self::Table(table) => table.plan().await,
        }
    }

    /// How many documents an index or a table has.
    pub(in crate::commands) async fn count(&self, name: &IndexName) -> Result<u64, Failure> {
        match self {
            Self::Index(reindex) => Ok(reindex.cluster.count(name.as_str()).await?),
            Self::Table(table) => table.count(name).await,
        }
    }

    pub(in crate::commands) async fn run(
        self,
        stop: &CancellationToken,
        notify: impl Fn(ReindexStep) + Send + Sync,
    ) -> Result<Reindexed, BuildError> {
        match self {
            Self::Index(reindex) => Ok(reindex.run(stop, notify).await?),
            Self::Table(table) => table.run(stop, notify).await,
        }
    }
}

/// Why nothing was built.
pub(crate) enum BuildError {
    /// This process builds it.
    Held(String, Failure),
    Failed(Failure),
}

impl BuildError {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Held(_, failure) | Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ReindexError> for BuildError {
    fn from(error: ReindexError) -> Self {
        match &error {
            ReindexError::Acquire(AcquireError::Held { owner, .. })
            | ReindexError::Open(OpenError::Acquire(AcquireError::Held { owner, .. })) => {
                Self::Held(owner.to_string(), error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<ServiceError> for BuildError {
    fn from(error: ServiceError) -> Self {
        match &error {
            ServiceError::Open(OpenError::Acquire(AcquireError::Held { owner, .. })) => {
                Self::Held(owner.to_string(), error.into())
            }
            _ => Self::Failed(error.into()),
        }
    }
}
