//! Building an index from its databases.
//!
//! ```text
//! loading ─ everything there is ─▶ catching up ─ what changed since ─▶ settings restored ─▶ following
//! ```
//!
//! Each database has a claim of its own on the index, with the load's position. A load that was
//! interrupted resumes there. Catching up continues from the load's own last position, or from
//! where the database stood before the load if the load was read through a selector: a change after
//! which a document no longer matches the selector is not in it.
//!
//! Only an empty index is loaded anew. One that has documents and no claim is left alone, as
//! anything may be in it: a document that was deleted since would come neither in the load nor in
//! what is caught up.

use std::sync::Arc;

use pillowtop_core::{IndexName, PillowName, Sequence};
use tokio_util::sync::CancellationToken;

use crate::claim::{
    AcquireError, AcquireOptions, BuildLock, ClaimError, ClaimKey, ClaimState, DatabaseIdentity, Lease,
    LoadState, Phase, Slice, StoreError,
};
use crate::engine::{DatabaseSelection, Engine, Served};
use crate::hint::Hint;
use crate::member::{Counts, MemberEnd, MemberError};
use crate::reader::ReadMode;
use crate::source::{CouchDatabase, CouchError, DatabaseInfo};
use crate::target::elastic::{Cluster, ClusterError, ControlIndex, ElasticDestination, IndexUse};
use crate::target::{OpenError, OpenTarget, TargetRef};

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
            Self::OtherDatabase { .. } => "start again with `PROGRAM fast-reindex NAME --restart`",
            Self::NothingIndexed { .. } => {
                "`PROGRAM audit NAME --docs …` shows what the mapping rejects, and `PROGRAM dead-letters list NAME` what failed"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

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
    /// Documents of a database are loaded, about so many.
    Loading(DatabaseIdentity, u64),
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
#[non_exhaustive]
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
    Create,
}

/// Building the index of one pillow from its databases.
pub struct Reindex<'a> {
    /// Where the index is.
    pub cluster: &'a Cluster,
    /// The databases, at least one.
    pub databases: Vec<CouchDatabase>,
    /// The pillow.
    pub served: Served,
    /// What reads and decides.
    pub engine: Arc<Engine>,
    /// The lease that claims are taken under.
    pub lease: Arc<Lease>,
    /// Build another index even if one exists. It takes the hashed alias when it is complete.
    pub restart: bool,
    /// How claims are taken.
    pub acquire: AcquireOptions,
}

/// The index that is built.
struct Found {
    target: TargetRef,
    /// Whether it is empty, and its load begins now.
    is_fresh: bool,
    /// Whether nothing is left to do.
    is_done: bool,
}

impl Reindex<'_> {
    /// What [`run`](Self::run) would do.
    ///
    /// # Errors
    ///
    /// When a server does not respond.
    pub async fn plan(&self) -> Result<ReindexPlan, ReindexError> {
        let infos = self.infos().await?;
        Ok(match self.existing(&infos, &|_| ()).await? {
            Some(found) if found.is_done => ReindexPlan::Complete(found.target.name),
            Some(found) => ReindexPlan::Continue(found.target.name),
            None => ReindexPlan::Create,
        })
    }

    /// Builds the index, or continues to build it, until it is complete or a stop is requested.
    ///
    /// # Errors
    ///
    /// When a server refuses something, a claim is lost, or a database is another one than the load
    /// began with. What was done is kept, and the next run continues there.
    pub async fn run(
        self,
        stop: &CancellationToken,
        progress: impl Fn(ReindexStep) + Send + Sync,
    ) -> Result<Reindexed, ReindexError> {
        let name = self.served.pillow.definition().hashed_alias(self.cluster.prefix());
        // Two processes that find no index must not create one each.
        let lock = tokio::select! {
            lock = BuildLock::acquire(&self.lease, &name, &self.acquire) => lock?,
            () = stop.cancelled() => {
                let index = name.as_str().into();
                return Ok(Reindexed { index, documents: 0, stopped: true, already_complete: false });
            }
        };
        let ended = self.run_alone(stop, &progress).await;
        lock.release().await;
        ended
    }

    async fn run_alone(
        &self,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Send + Sync),
    ) -> Result<Reindexed, ReindexError> {
        // Before anything else: what changes from here on is caught up.
        let infos = self.infos().await?;
        let found = match self.existing(&infos, progress).await? {
            Some(found) if found.is_done => {
                let index = found.target.name;
                let documents = self.cluster.count(index.as_str()).await?;
                return Ok(Reindexed { index, documents, stopped: false, already_complete: true });
            }
            Some(found) => found,
            None => self.create(progress).await?,
        };
        let index = found.target.name.clone();
        let stopped = match self.build(&found, &infos, stop, progress).await {
            // No load of it can be continued, so a restart builds another index.
            Err(ReindexError::Open(OpenError::Acquire(AcquireError::IdentityChanged { target, .. })))
                if self.restart =>
            {
                progress(ReindexStep::LeftAlone(target));
                let found = self.create(progress).await?;
                self.build(&found, &infos, stop, progress).await?
            }
            built => built?,
        };
        let documents = if stopped { 0 } else { self.cluster.count(index.as_str()).await? };
        Ok(Reindexed { index, documents, stopped, already_complete: false })
    }

    async fn infos(&self) -> Result<Vec<DatabaseInfo>, CouchError> {
        let mut infos = Vec::new();
        for database in &self.databases {
            infos.push(database.info().await?);
        }
        Ok(infos)
    }

    fn slice(&self, database: &DatabaseIdentity) -> Slice {
        match &self.served.databases {
            DatabaseSelection::One(_) => Slice::Whole,
            DatabaseSelection::Several { .. } => Slice::Database(database.name.clone()),
        }
    }

    fn keys(&self, uuid: &str, infos: &[DatabaseInfo]) -> Vec<ClaimKey> {
        let slices = infos.iter().map(|info| self.slice(&info.identity));
        slices.map(|slice| ClaimKey { target: uuid.to_owned(), slice }).collect()
    }

    /// The index of this hash to continue, if there is one.
    async fn existing(
        &self,
        infos: &[DatabaseInfo],
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<Option<Found>, ReindexError> {
        let definition = self.served.pillow.definition();
        let aliased = self.cluster.index_of(&definition.hashed_alias(self.cluster.prefix())).await?;
        for index in self.cluster.indices_after(definition, aliased.as_ref()).await? {
            let Some(found) = self.begun(index, infos).await? else { continue };
            // It is complete if the alias alone is missing; a restart continues none of these.
            if !found.is_done || !self.restart {
                progress(ReindexStep::Continuing(found.target.name.clone()));
                return Ok(Some(Found { is_done: false, ..found }));
            }
        }
        let Some(index) = aliased.filter(|_| !self.restart) else { return Ok(None) };
        self.cluster.check_mapping(definition, &index).await?;
        if let Some(found) = self.begun(index.clone(), infos).await? {
            return Ok(Some(found));
        }
        self.cluster.refresh(&index).await?;
        if self.cluster.count(index.as_str()).await? > 0 {
            progress(ReindexStep::LeftAlone(index));
            return Ok(None);
        }
        let Some(uuid) = self.cluster.index_uuid(&index).await? else { return Ok(None) };
        Ok(Some(Found { target: TargetRef { name: index, uuid }, is_fresh: true, is_done: false }))
    }

    /// An index with claims of these databases: it is done when all of them are complete. An index
    /// of another database is an error unless another one is to be built anyway.
    async fn begun(&self, index: IndexName, infos: &[DatabaseInfo]) -> Result<Option<Found>, ReindexError> {
        let Some(uuid) = self.cluster.index_uuid(&index).await? else { return Ok(None) };
        let keys = self.keys(&uuid, infos);
        let claims = ControlIndex::new(self.cluster).claims(&keys).await?;
        if claims.is_empty() {
            return Ok(None);
        }
        for (key, info) in keys.iter().zip(infos) {
            let Some(claim) = claims.get(key).filter(|claim| !claim.state.database.matches(&info.identity))
            else {
                continue;
            };
            if self.restart {
                return Ok(None);
            }
            let (expected, found) = (Box::new(claim.state.database.clone()), Box::new(info.identity.clone()));
            return Err(ReindexError::OtherDatabase { index, expected, found });
        }
        let is_done =
            keys.iter().all(|key| claims.get(key).is_some_and(|claim| claim.state.phase == Phase::Following));
        Ok(Some(Found { target: TargetRef { name: index, uuid }, is_fresh: false, is_done }))
    }

    async fn create(&self, progress: &(impl Fn(ReindexStep) + Sync)) -> Result<Found, ReindexError> {
        let created = self.cluster.create_index(self.served.pillow.definition(), IndexUse::Loading).await?;
        progress(ReindexStep::Created(created.name.clone(), created.added));
        let target = TargetRef { name: created.name, uuid: created.uuid };
        Ok(Found { target, is_fresh: true, is_done: false })
    }

    /// Fills the index and makes it one that is followed. Returns whether it was stopped before.
    async fn build(
        &self,
        found: &Found,
        infos: &[DatabaseInfo],
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<bool, ReindexError> {
        let mut opened: Vec<OpenTarget> = Vec::new();
        let built = self.fill(found, infos, stop, progress, &mut opened).await;
        // Whatever happened: no other process should have to wait until the lease runs out.
        let mut released = Ok(());
        for open in &opened {
            if open.claim.lost().is_none() {
                released = released.and(open.claim.release().await);
            }
        }
        let stopped = built?;
        released?;
        Ok(stopped)
    }

    async fn fill(
        &self,
        found: &Found,
        infos: &[DatabaseInfo],
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
        opened: &mut Vec<OpenTarget>,
    ) -> Result<bool, ReindexError> {
        for info in infos {
            let open = self.open(found, info).await?;
            opened.push(open.clone());
            if self.fill_from(info, open, found.is_fresh, stop, progress).await? == MemberEnd::Stopped {
                return Ok(true);
            }
        }
        self.finish(&found.target.name, opened, progress).await?;
        Ok(false)
    }

    /// Takes the claim for one database. A load begins in an empty index, or slice of one, alone.
    async fn open(&self, found: &Found, info: &DatabaseInfo) -> Result<OpenTarget, ReindexError> {
        let definition = self.served.pillow.definition();
        let slice = self.slice(&info.identity);
        let begins = found.is_fresh || slice != Slice::Whole;
        let initial = begins.then(|| {
            let load = LoadState {
                start: info.update_sequence.clone(),
                position: Sequence::start(),
                // With several copies of a shard, `start` may be ahead of the copy that the load reads.
                uses_selector: definition.selector.is_some() && info.copies <= 1,
            };
            ClaimState::new(definition, found.target.name.clone(), info.identity.clone(), Some(load))
        });
        let destination = ElasticDestination::new(self.cluster, definition, &self.lease);
        Ok(destination.open_with(&found.target, slice, initial, self.acquire.clone()).await?)
    }

    /// Loads and catches up from one database.
    async fn fill_from(
        &self,
        info: &DatabaseInfo,
        open: OpenTarget,
        is_fresh: bool,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<MemberEnd, ReindexError> {
        let claim = Arc::clone(&open.claim);
        let mut member = self.engine.member(&self.served, &info.identity.name, open).await?;
        loop {
            let phase = claim.state().phase;
            let identity = info.identity.clone();
            match phase {
                Phase::Loading if is_fresh => progress(ReindexStep::Loading(identity, info.documents)),
                Phase::Loading => progress(ReindexStep::Resuming(identity)),
                Phase::CatchingUp => progress(ReindexStep::CatchingUp(identity)),
                Phase::Following => return Ok(MemberEnd::CaughtUp),
            }
            if member.run(ReadMode::ToEnd, stop).await? == MemberEnd::Stopped {
                return Ok(MemberEnd::Stopped);
            }
            if phase == Phase::CatchingUp {
                return Ok(MemberEnd::CaughtUp);
            }
            self.check_loaded(&claim.target())?;
            claim.enter(Phase::CatchingUp).await?;
        }
    }

    /// An index whose documents were all rejected is not complete.
    fn check_loaded(&self, index: &IndexName) -> Result<(), ReindexError> {
        let Counts { indexed, dead_letters, .. } = self.served.counters.snapshot();
        if indexed > 0 || dead_letters == 0 {
            return Ok(());
        }
        let pillow = self.served.pillow.definition().pillow.clone();
        Err(ReindexError::NothingIndexed { pillow, index: index.clone(), dead_letters })
    }

    /// Makes a filled index one that is followed.
    async fn finish(
        &self,
        index: &IndexName,
        opened: &[OpenTarget],
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<(), ReindexError> {
        let definition = self.served.pillow.definition();
        progress(ReindexStep::Restoring);
        self.cluster.restore_settings(definition, index).await?;
        self.cluster.wait_for_copies(index, false, 60).await?;
        for open in opened {
            open.claim.enter(Phase::Following).await?;
        }
        let alias = definition.hashed_alias(self.cluster.prefix());
        let plan = self.cluster.plan_flip(&alias, index).await?;
        self.cluster.flip(&plan).await?;
        progress(ReindexStep::Done);
        Ok(())
    }
}
