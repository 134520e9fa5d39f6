//! Building what a pillow has: an index, or a table.

use std::sync::Arc;

use pillowtop_core::IndexName;
use pillowtop_runtime::member::Counters;
use pillowtop_runtime::reindex::{Reindex, ReindexPlan, ReindexStep, Reindexed};
use tokio_util::sync::CancellationToken;

use super::build_error::BuildError;
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
