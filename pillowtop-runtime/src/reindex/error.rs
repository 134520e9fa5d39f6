//! Why an index was not built.

use pillowtop_core::{IndexName, PillowName};

use crate::claim::{AcquireError, ClaimError, DatabaseIdentity, LoadForm, StoreError};
use crate::hint::Hint;
use crate::member::MemberError;
use crate::source::{CouchError, SourceError};
use crate::target::OpenError;
use crate::target::elastic::{ClusterError, Space};

/// Why an index was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReindexError {
    /// The cluster did not do something.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A database cannot be read.
    #[error(transparent)]
    Couch(#[from] CouchError),
    /// A claim cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process builds it, or the right to build it cannot be taken.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// The index cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading or writing cannot continue.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// A claim cannot be changed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The load began on another database of the same name.
    #[error(
        "index `{index}` was begun from database `{}` created at {}, not from `{}` created at {}",
        .expected.name, .expected.instance_start_time, .found.name, .found.instance_start_time
    )]
    OtherDatabase {
        /// The index.
        index: IndexName,
        /// The database that it was begun from.
        expected: Box<DatabaseIdentity>,
        /// The database that was found.
        found: Box<DatabaseIdentity>,
    },
    /// A source does not do what a load needs.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was asked to be read cannot be.
    #[error("the index cannot be loaded from `{form}`: {reason}")]
    Form {
        /// What was asked for.
        form: LoadForm,
        /// Why not.
        reason: String,
    },
    /// The index would not fit onto the disks.
    #[error(
        "the index would need about {} MB on the disks of the cluster, where {} MB are free",
        .0.needed / 1_000_000, .0.available.unwrap_or(0) / 1_000_000
    )]
    Space(Space),
    /// A load that was begun from something else continues from that.
    #[error("the load of `{index}` was begun from `{begun}`, not from `{wanted}`")]
    OtherForm {
        /// The index.
        index: IndexName,
        /// What it was begun from.
        begun: LoadForm,
        /// What was asked for.
        wanted: LoadForm,
    },
    /// Every document of the pillow became a dead letter.
    #[error(
        "none of the {dead_letters} documents of pillow `{pillow}` can be indexed, so `{index}` is not complete"
    )]
    NothingIndexed {
        /// The pillow.
        pillow: PillowName,
        /// The index.
        index: IndexName,
        /// How many.
        dead_letters: u64,
    },
}

impl Hint for ReindexError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Cluster(error) => return error.hint(),
            Self::Couch(error) => return error.hint(),
            Self::Acquire(error) => return error.hint(),
            Self::Open(error) => return error.hint(),
            Self::Member(error) => return error.hint(),
            Self::Source(error) => return error.hint(),
            Self::Form { form: LoadForm::View, .. } => {
                "`PROGRAM couch-view NAME` installs the view and waits until it is built"
            }
            Self::Space(_) => {
                "make room, for instance with `PROGRAM es-manage prune`, or build it all the same with `PROGRAM fast-reindex NAME --force`"
            }
            Self::Form { .. } => "leave out `--from`: the fastest form that can be used is chosen",
            Self::OtherForm { .. } => {
                "leave out `--from` to resume it, or begin another index with `PROGRAM fast-reindex NAME --restart`"
            }
            Self::OtherDatabase { .. } => "start again with `PROGRAM fast-reindex NAME --restart`",
            Self::NothingIndexed { .. } => {
                "`PROGRAM audit NAME --docs …` shows what the mapping rejects, and `PROGRAM dead-letters list NAME` what failed"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
