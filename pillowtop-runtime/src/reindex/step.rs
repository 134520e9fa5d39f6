//! What a reindex does, has done, and would do.

use pillowtop_core::IndexName;

use super::form::Chosen;
use crate::claim::DatabaseIdentity;
use crate::target::elastic::Space;

/// What a reindex is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReindexStep {
    /// An index was created. Settings and fields that index templates of the cluster added are
    /// named.
    Created(IndexName, Vec<String>),
    /// An index that an earlier run began is continued. The hashed alias is on another one until it
    /// is complete.
    Continuing(IndexName),
    /// It is not known what an index holds: its claim is lost, or it has other shards. Another
    /// index is built.
    LeftAlone(IndexName),
    /// An index is about to be created: what it needs, where that can be estimated.
    Space(Space),
    /// Documents of a database are loaded: from what.
    Loading(DatabaseIdentity, Chosen),
    /// A range of the listing is loaded: its number, from 1, and how many there are.
    Range(usize, usize),
    /// So many of so many documents of another index are copied.
    Copied(u64, u64),
    /// Another process builds this index. This one helps it by loading ranges of the listing.
    Helping(IndexName),
    /// A load that was interrupted resumes.
    Resuming(DatabaseIdentity),
    /// Changes since the load began are applied.
    CatchingUp(DatabaseIdentity),
    /// Refresh interval and replicas are restored.
    Restoring,
    /// The index is complete.
    Done,
}

/// What a reindex has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindexed {
    /// The physical index.
    pub index: IndexName,
    /// The documents in it.
    pub documents: u64,
    /// Whether it was stopped before it was complete.
    pub stopped: bool,
    /// Whether it was complete before, so that nothing was done.
    pub already_complete: bool,
}

/// What a reindex would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReindexPlan {
    /// Nothing: the index is complete.
    Complete(IndexName),
    /// Continue an index that an earlier run began.
    Continue(IndexName),
    /// Create an index and load it.
    Create {
        /// What is read from each database.
        databases: Vec<(DatabaseIdentity, Chosen)>,
        /// What it needs, where that can be estimated.
        space: Option<Space>,
    },
}
