//! Comparing a target with its database, while changes are followed.
//!
//! ```text
//! database: ids and revisions ─┐                        ┌ in both, other revision ─────────────┐
//!                              ├▶ partitions by id hash ┼ in the target only ──────────────────┤
//! target:   ids and revisions ─┘    (memory, file)      ├ in the database only ─ fetch, decide ┼▶ settle ─▶ differences
//!                                                       └ equal: a sample ─ fetch, decide ─────┘
//! ```
//!
//! A document that is in the database only may be missing, or filtered out. Its body tells which:
//! it is fetched and decided as in following. Nothing that a load was read from, such as a view, is
//! asked.
//!
//! What counts as a difference is in `settle`, how memory is bounded in `spill`. Nothing is
//! written. To repair differences, have the documents processed again ([`touch`](crate::touch)):
//! the owner then fetches each of them by its id, so it deletes one only after the database itself
//! reports it as deleted, missing, or not the pillow's.

mod spill;

mod compare;

mod body;
mod findings;

mod look;

mod settle;

mod listing;

mod comparison;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use pillowtop_core::{DatabaseName, IndexName, Revision};
use tokio_util::sync::CancellationToken;

use self::compare::compare;
use self::comparison::Comparison;
use self::listing::list;
use self::look::Sides;
use crate::caught_up::PATIENCE;
use crate::claim::{ClaimStore, DatabaseIdentity, Phase, StoreError, Verified};
use crate::clock::now_text;
use crate::dead_letter::DeadLetterError;
use crate::engine::{Engine, Served};
use crate::hint::Hint;
use crate::source::SourceError;
use crate::target::elastic::ClusterError;
use crate::target::{Extent, ReadError, TargetRef};
use crate::touch::Part;

pub use self::findings::{Difference, Found, Ids, Kind};

/// Whose bodies are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// Those of so many documents, chosen at random.
    Sample(usize),
    /// Those of all documents.
    All,
}

/// Options for [`Verify`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Whose bodies are compared. Default: a sample of 300.
    pub bodies: Bodies,
    /// Paths of members that a transform makes of something else than the document, such as the
    /// time. They are not compared.
    pub ignore: Vec<String>,
    /// How long a change is waited for that is not yet applied. Default: [`PATIENCE`].
    pub patience: Duration,
    /// How many examples of each kind are kept. Default: 10.
    pub examples: usize,
    /// How much of the listings is kept in memory, in bytes; the rest is in a temporary file.
    /// Buffers may be twice as large. Default: 32 MB.
    pub memory: usize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            bodies: Bodies::Sample(300),
            ignore: Vec::new(),
            patience: PATIENCE,
            examples: 10,
            memory: 32_000_000,
        }
    }
}

/// Why nothing is known of the differences. None of these is a difference.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The target is of a kind that cannot be read back.
    #[error("`{target}` cannot be read back, so it cannot be compared")]
    NotReadable {
        /// The target.
        target: IndexName,
    },
    /// There is no claim.
    #[error("`{target}` was never loaded from this database")]
    NeverLoaded {
        /// The target.
        target: IndexName,
    },
    /// The target is not complete.
    #[error("`{target}` is {phase}; it can be compared once it is complete")]
    Incomplete {
        /// The target.
        target: IndexName,
        /// How far it is.
        phase: Phase,
    },
    /// The database is not the one that the target was filled from, or became another one
    /// meanwhile.
    #[error(
        "database `{}` created at {} is not the one that was compared: `{}` created at {}",
        .found.name, .found.instance_start_time, .expected.name, .expected.instance_start_time
    )]
    OtherDatabase {
        /// The one that it was.
        expected: DatabaseIdentity,
        /// The one that it is.
        found: DatabaseIdentity,
    },
    /// The target was deleted or built again meanwhile.
    #[error("`{target}` was deleted while it was compared")]
    TargetReplaced {
        /// The target.
        target: IndexName,
    },
    /// The owner is so far behind that what it has not applied cannot be told from what it lost.
    #[error("`{target}` is more than {most} changes behind its database; compare it once they are applied")]
    Behind {
        /// The target.
        target: IndexName,
        /// How many changes it may be behind.
        most: u64,
    },
    /// The database cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target cannot be read.
    #[error(transparent)]
    Target(ReadError),
    /// The claim cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Open dead letters cannot be read.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// The temporary file cannot be used.
    #[error("the temporary file of the comparison cannot be used: {0}")]
    Spill(#[from] io::Error),
    /// A filter, a transform or what it looks up does not end.
    #[error("filter, transform and lookup of some documents did not end within {0:?}")]
    Hung(Duration),
    /// A task panicked, which is a bug.
    #[error("a task of the comparison failed: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// A stop was requested.
    #[error("stopped before everything was compared")]
    Stopped,
}

impl Hint for VerifyError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::Target(error) => return error.downcast_ref::<ClusterError>().and_then(Hint::hint),
            Self::NeverLoaded { .. } | Self::Incomplete { .. } => {
                "`PROGRAM fast-reindex NAME` builds or resumes it"
            }
            Self::OtherDatabase { .. } => {
                "build an index of the new database by `PROGRAM fast-reindex NAME --restart`"
            }
            Self::Behind { .. } => "`PROGRAM run NAME` applies them",
            Self::Spill(_) => "TMPDIR names another directory for temporary files",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyEvent {
    /// So many of about so many entries of both sides are listed.
    Listing {
        /// Listed.
        done: u64,
        /// All.
        total: u64,
    },
    /// So many of all listed documents are compared.
    Comparing {
        /// Compared.
        done: u64,
        /// All.
        total: u64,
    },
    /// Documents that may differ are checked until that is certain.
    Settling {
        /// How many.
        documents: u64,
    },
}

/// What a comparison found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verification {
    /// When it began, RFC 3339 in UTC.
    pub began: String,
    /// When it ended, RFC 3339 in UTC.
    pub ended: String,
    /// Documents of the database, of all types.
    pub database_documents: u64,
    /// Documents of the target.
    pub index_documents: u64,
    /// How many bodies were compared.
    pub bodies_compared: u64,
    /// Whether the target keeps documents as they were written. Otherwise no bodies can be
    /// compared.
    pub keeps_bodies: bool,
    /// What was found, by kind.
    pub found: BTreeMap<Kind, Found>,
    /// The documents that can be repaired by processing them again.
    pub repairable: Ids,
}

impl Verification {
    /// How many documents of a kind were found.
    pub fn count(&self, kind: Kind) -> u64 {
        self.found.get(&kind).map_or(0, |found| found.count)
    }

    /// What is stored of it, after so many documents were processed again.
    pub fn record(&self, repaired: u64) -> Verified {
        Verified {
            began: self.began.clone(),
            ended: self.ended.clone(),
            documents: self.index_documents,
            missing: self.count(Kind::Missing),
            stale: self.count(Kind::Stale),
            extra: self.count(Kind::Extra),
            bodies: self.count(Kind::Body),
            collisions: self.count(Kind::Collision),
            pending: self.count(Kind::Pending),
            dead_letters: self.count(Kind::DeadLetter),
            bodies_compared: self.bodies_compared,
            repaired,
        }
    }
}

/// A comparison of one part of a pillow.
pub struct Verify<'a> {
    /// What reads and decides.
    pub engine: &'a Engine,
    /// The pillow.
    pub served: &'a Served,
    /// Where the claims of the target are.
    pub store: &'a Arc<dyn ClaimStore>,
    /// The target and the database.
    pub part: &'a Part,
    /// How it is compared.
    pub options: VerifyOptions,
}

impl Verify<'_> {
    /// Compares. Nothing is written.
    ///
    /// # Errors
    ///
    /// See [`VerifyError`]. A partial listing is an error, never a difference.
    pub async fn run(
        &self,
        stop: &CancellationToken,
        notify: impl Fn(VerifyEvent) + Sync,
    ) -> Result<Verification, VerifyError> {
        tokio::select! {
            result = self.compare(&notify) => result,
            () = stop.cancelled() => Err(VerifyError::Stopped),
        }
    }

    async fn compare(&self, notify: &(dyn Fn(VerifyEvent) + Sync)) -> Result<Verification, VerifyError> {
        let began = now_text();
        let sides = self.open().await?;
        let indexed = sides.reader.prepare().await.map_err(VerifyError::Target)?;
        let mut spill = list(&sides, indexed, notify).await?;
        sides.check_same().await?;
        let mut comparison = Comparison::new(&sides, notify, spill.entries);
        comparison.take_strays().await?;
        for partition in 0..spill.partitions() {
            let mut choice = comparison.choice;
            let comparing = tokio::task::spawn_blocking(move || {
                let bytes = spill.take(partition)?;
                let compared = compare(&bytes, &mut choice);
                io::Result::Ok((spill, choice, compared))
            });
            let compared;
            (spill, comparison.choice, compared) = comparing.await??;
            comparison.take(compared).await?;
        }
        let comparison = comparison.finish().await?;
        sides.check_same().await?;
        let Comparison { findings, documents, indexed, bodies_compared, .. } = comparison;
        Ok(Verification {
            began,
            ended: now_text(),
            database_documents: documents,
            index_documents: indexed,
            bodies_compared,
            keeps_bodies: sides.reader.keeps_bodies(),
            found: findings.found,
            repairable: findings.repairable,
        })
    }

    async fn open(&self) -> Result<Sides<'_>, VerifyError> {
        let Part { target, database } = self.part;
        let reader = self.served.destination.reader(target);
        let reader = reader.ok_or_else(|| VerifyError::NotReadable { target: target.name.clone() })?;
        let source = Arc::clone(self.engine.hub(database).source());
        let sides = Sides {
            reader,
            identity: source.identity().await?,
            has_one_copy: source.has_one_copy().await?,
            source,
            deciders: self.engine.deciders(self.served, database, &target.name),
            store: Arc::clone(self.store),
            key: self.part.claim(self.served),
            target: target.clone(),
            databases: &self.served.databases,
            options: &self.options,
        };
        sides.claim().await?;
        sides.check_same().await?;
        Ok(sides)
    }
}

/// Documents of a target that are of none of the databases that a pillow reads: of one that is
/// gone, or not written by the runtime. Where a pillow reads a single database, a comparison finds
/// them.
///
/// # Errors
///
/// When the target cannot be read.
pub async fn strays(
    served: &Served,
    target: &TargetRef,
    databases: &BTreeSet<DatabaseName>,
    most_examples: usize,
) -> Result<Found, VerifyError> {
    let reader = served.destination.reader(target);
    let reader = reader.ok_or_else(|| VerifyError::NotReadable { target: target.name.clone() })?;
    reader.prepare().await.map_err(VerifyError::Target)?;
    let mut found = Found::default();
    let mut pages = reader.list(Extent::OfNone(databases.iter().cloned().collect()));
    while let Some(page) = pages.try_next().await.map_err(VerifyError::Target)? {
        for stray in page {
            let detail = "of none of the databases".to_owned();
            let database_revision = Revision::from("");
            found.add(
                Difference { id: stray.id, database_revision, index_revision: None, detail },
                most_examples,
            );
        }
    }
    Ok(found)
}
