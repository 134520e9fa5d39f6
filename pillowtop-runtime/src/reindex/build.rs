//! Building the index of one pillow.

use std::sync::Arc;

use pillowtop_core::IndexName;
use tokio_util::sync::CancellationToken;

use super::error::ReindexError;
use super::form::{Chosen, Wanted};
use super::step::{ReindexPlan, ReindexStep, Reindexed};
use crate::claim::{AcquireError, AcquireOptions, BuildLock, ClaimKey, Lease, Phase, WhenHeld};
use crate::engine::{Engine, Served};
use crate::member::MemberEnd;
use crate::source::{CouchDatabase, CouchError, DatabaseInfo};
use crate::target::elastic::{Cluster, ControlIndex, IndexUse};
use crate::target::{OpenError, OpenTarget, TargetRef};

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
    /// What a load reads.
    pub wanted: Wanted,
    /// How claims are taken.
    pub acquire: AcquireOptions,
}

/// The index that is built.
pub(super) struct Found {
    pub(super) target: TargetRef,
    /// Whether it is empty, and its load begins now.
    pub(super) is_fresh: bool,
    /// Whether nothing is left to do.
    is_done: bool,
}

/// One of the databases that an index is filled from.
pub(super) struct OfDatabase<'a> {
    pub(super) database: &'a CouchDatabase,
    pub(super) info: &'a DatabaseInfo,
    pub(super) target: &'a TargetRef,
    /// What is read, if the load begins now.
    pub(super) chosen: Option<Chosen>,
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
            None => {
                let databases = self.choose_all(&infos).await?;
                let space = self.space(&infos, &databases).await?;
                ReindexPlan::Create { databases, space }
            }
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
        let stopped = || {
            let index = name.as_str().into();
            Reindexed { index, documents: 0, stopped: true, already_complete: false }
        };
        // Two processes that find no index must not create one each.
        let at_once = AcquireOptions { when_held: WhenHeld::Fail, ..self.acquire.clone() };
        let mut lock = BuildLock::acquire(&self.lease, &name, &at_once).await;
        if let Err(error @ AcquireError::Held { .. }) = lock {
            let has_helped = self.help(stop, &progress).await?;
            if !has_helped && self.acquire.when_held == WhenHeld::Fail {
                return Err(error.into());
            }
            // The other process catches up; if it dies, this one does.
            let acquire = AcquireOptions { when_held: WhenHeld::Standby, ..self.acquire.clone() };
            lock = tokio::select! {
                lock = BuildLock::acquire(&self.lease, &name, &acquire) => lock,
                () = stop.cancelled() => return Ok(stopped()),
            };
        }
        let lock = lock?;
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
            None => {
                // What cannot be read, or does not fit, is refused before anything is created.
                let databases = self.choose_all(&infos).await?;
                if let Some(space) = self.space(&infos, &databases).await? {
                    if !space.fits() && !self.wanted.force {
                        return Err(ReindexError::Space(space));
                    }
                    progress(ReindexStep::Space(space));
                }
                self.create(progress).await?
            }
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

    fn keys(&self, uuid: &str, infos: &[DatabaseInfo]) -> Vec<ClaimKey> {
        let slices = infos.iter().map(|info| self.served.databases.slice(&info.identity.name));
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
        for (database, info) in self.databases.iter().zip(infos) {
            let (open, chosen) = self.open(found, database, info).await?;
            opened.push(open.clone());
            let from = OfDatabase { database, info, target: &found.target, chosen };
            if self.fill_from(from, open, stop, progress).await? == MemberEnd::Stopped {
                return Ok(true);
            }
        }
        self.finish(&found.target.name, opened, progress).await?;
        Ok(false)
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
