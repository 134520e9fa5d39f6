//! Building the index of one pillow.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{IndexName, PillowName};
use tokio_util::sync::CancellationToken;

use super::error::ReindexError;
use super::form::{Chosen, Wanted, choose, listing_of};
use super::ranges::{RangedLoad, RangedTarget, RangesEnd};
use super::step::{ReindexPlan, ReindexStep, Reindexed};
use crate::claim::{
    AcquireError, AcquireOptions, BuildLock, Claim, ClaimKey, ClaimState, DatabaseIdentity, FenceError,
    Lease, LoadForm, LoadState, Phase, Slice, WhenHeld, read,
};
use crate::engine::{DatabaseSelection, Engine, Served};
use crate::member::{Counts, MemberEnd};
use crate::reader::ReadMode;
use crate::source::{CouchDatabase, CouchError, CouchLoad, DatabaseInfo, Listing as _, Source as _, head};
use crate::target::elastic::{Cluster, ControlIndex, ElasticDestination, IndexFence, IndexUse};
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

/// An index whose ranges are loaded.
struct IndexRanges<'a> {
    cluster: &'a Cluster,
    destination: ElasticDestination,
    pillow: &'a PillowName,
    target: TargetRef,
}

impl RangedTarget for IndexRanges<'_> {
    fn open(
        &self,
        slice: Slice,
        initial: ClaimState,
        acquire: AcquireOptions,
    ) -> BoxFuture<'_, Result<OpenTarget, OpenError>> {
        async move { self.destination.open_with(&self.target, slice, Some(initial), acquire).await }.boxed()
    }

    fn close<'a>(&'a self, slices: &'a [Slice]) -> BoxFuture<'a, Result<(), FenceError>> {
        let TargetRef { name, uuid } = &self.target;
        let fence = |slice| IndexFence::new(self.cluster, name, uuid, slice, self.pillow);
        let fences: Vec<IndexFence> = slices.iter().map(fence).collect();
        async move { IndexFence::remove_all(&fences).await }.boxed()
    }
}

/// The index that is built.
struct Found {
    target: TargetRef,
    /// Whether it is empty, and its load begins now.
    is_fresh: bool,
    /// Whether nothing is left to do.
    is_done: bool,
}

/// One of the databases that an index is filled from.
struct OfDatabase<'a> {
    database: &'a CouchDatabase,
    info: &'a DatabaseInfo,
    target: &'a TargetRef,
    /// What is read, if the load begins now.
    chosen: Option<Chosen>,
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
            None => ReindexPlan::Create(self.choose_all(&infos).await?),
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
                // What cannot be read is refused before anything is created.
                self.choose_all(&infos).await?;
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

    /// Takes the claim for one database. A load begins in an empty index, or slice of one, alone:
    /// then this tells what it reads.
    async fn open(
        &self,
        found: &Found,
        database: &CouchDatabase,
        info: &DatabaseInfo,
    ) -> Result<(OpenTarget, Option<Chosen>), ReindexError> {
        let (definition, slice) = (self.served.pillow.definition(), self.slice(&info.identity));
        let key = ClaimKey { target: found.target.uuid.clone(), slice: slice.clone() };
        let known = read(self.lease.store().as_ref(), &key).await?;
        let begun = known.as_ref().filter(|claim| claim.state.phase == Phase::Loading);
        if let (Some(begun), Some(wanted)) =
            (begun.and_then(|claim| claim.state.load.as_ref()), self.wanted.form)
            && begun.form != wanted
        {
            let index = found.target.name.clone();
            return Err(ReindexError::OtherForm { index, begun: begun.form, wanted });
        }
        let (mut chosen, mut initial) = (None, None);
        if known.is_none() && (found.is_fresh || slice != Slice::Whole) {
            let reads = choose(definition, database, info, &self.wanted).await?;
            let load = self.begin(database, info, &reads).await?;
            let state =
                ClaimState::new(definition, found.target.name.clone(), info.identity.clone(), Some(load));
            let purges = if reads.form == LoadForm::Feed { None } else { database.purges(None).await? };
            initial = Some(ClaimState { purges: purges.map(|purges| purges.position), ..state });
            chosen = Some(reads);
        }
        let destination = ElasticDestination::new(self.cluster, definition, &self.lease);
        let open = destination.open_with(&found.target, slice, initial, self.acquire.clone()).await?;
        Ok((open, chosen))
    }

    /// The state of a load that begins now.
    async fn begin(
        &self,
        database: &CouchDatabase,
        info: &DatabaseInfo,
        reads: &Chosen,
    ) -> Result<LoadState, ReindexError> {
        let definition = self.served.pillow.definition();
        let Some(listing) = listing_of(reads.form, reads.view.as_ref().map(ToString::to_string).as_deref())
        else {
            // With several copies of a shard, `start` may be ahead of the copy that the load reads.
            let uses_selector = definition.selector.is_some() && info.copies <= 1;
            return Ok(LoadState {
                uses_selector,
                ..LoadState::new(info.update_sequence.clone(), reads.form)
            });
        };
        // What is changed after the feed was opened here comes again when it is caught up with, whether
        // the listing has it or not.
        let start = head(database, &info.identity).await?;
        let boundaries = CouchLoad::new(database.clone(), listing).boundaries(reads.ranges).await?;
        let view = reads.view.as_ref().map(ToString::to_string);
        Ok(LoadState { view, boundaries, ..LoadState::new(start, reads.form) })
    }

    /// What would be read from each database.
    async fn choose_all(
        &self,
        infos: &[DatabaseInfo],
    ) -> Result<Vec<(DatabaseIdentity, Chosen)>, ReindexError> {
        let definition = self.served.pillow.definition();
        let mut all = Vec::new();
        for (database, info) in self.databases.iter().zip(infos) {
            let chosen = choose(definition, database, info, &self.wanted).await?;
            all.push((info.identity.clone(), chosen));
        }
        Ok(all)
    }

    /// Loads and catches up from one database.
    async fn fill_from(
        &self,
        mut from: OfDatabase<'_>,
        open: OpenTarget,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<MemberEnd, ReindexError> {
        let claim = Arc::clone(&open.claim);
        let identity = &from.info.identity;
        if claim.state().phase == Phase::Loading {
            progress(match from.chosen.take() {
                Some(chosen) => ReindexStep::Loading(identity.clone(), chosen),
                None => ReindexStep::Resuming(identity.clone()),
            });
        }
        if self.load_ranges(&from, &claim, stop, progress).await? == MemberEnd::Stopped {
            return Ok(MemberEnd::Stopped);
        }
        let mut member = self.engine.member(&self.served, &identity.name, open).await?;
        loop {
            let phase = claim.state().phase;
            match phase {
                Phase::Loading => {}
                Phase::CatchingUp => progress(ReindexStep::CatchingUp(identity.clone())),
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

    /// Loads by ranges, if the load has some, and enters the next phase.
    async fn load_ranges(
        &self,
        from: &OfDatabase<'_>,
        claim: &Claim,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<MemberEnd, ReindexError> {
        let state = claim.state();
        let Some(load) = &state.load else { return Ok(MemberEnd::CaughtUp) };
        let Some(listing) = listing_of(load.form, load.view.as_deref()) else {
            return Ok(MemberEnd::CaughtUp);
        };
        let listing = CouchLoad::new(from.database.clone(), listing);
        let target = self.index_ranges(from.target);
        let progress = |number, count| progress(ReindexStep::Range(number, count));
        let ranges = self.ranged_load(&target, &listing, claim.key().clone(), &progress);
        if state.phase == Phase::Loading {
            match ranges.run(stop).await? {
                RangesEnd::Loaded => {}
                RangesEnd::Stopped => return Ok(MemberEnd::Stopped),
                RangesEnd::Gone => {
                    let reason = "another process entered the next phase".to_owned();
                    return Err(claim.lose(reason).into());
                }
            }
            self.check_loaded(&claim.target())?;
            ranges.close(claim).await?;
            claim.enter(Phase::CatchingUp).await?;
        }
        ranges.forget(load).await?;
        Ok(MemberEnd::CaughtUp)
    }

    fn index_ranges(&self, target: &TargetRef) -> IndexRanges<'_> {
        let definition = self.served.pillow.definition();
        IndexRanges {
            cluster: self.cluster,
            destination: ElasticDestination::new(self.cluster, definition, &self.lease),
            pillow: &definition.pillow,
            target: target.clone(),
        }
    }

    fn ranged_load<'b>(
        &'b self,
        target: &'b IndexRanges<'b>,
        listing: &'b CouchLoad,
        key: ClaimKey,
        progress: &'b (dyn Fn(usize, usize) + Sync),
    ) -> RangedLoad<'b> {
        let (engine, served, store) = (&*self.engine, &self.served, self.lease.store());
        RangedLoad { engine, served, store, target, listing, key, progress }
    }

    /// Loads ranges of an index that another process builds, until all are complete. `false` if it
    /// has none.
    async fn help(
        &self,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<bool, ReindexError> {
        let definition = self.served.pillow.definition();
        let mut indices = self.cluster.indices_after(definition, None).await?;
        indices.reverse();
        let mut has_helped = false;
        for name in indices {
            let Some(uuid) = self.cluster.index_uuid(&name).await? else { continue };
            let target = TargetRef { name, uuid };
            for database in &self.databases {
                let slice = self.served.databases.slice(database.name());
                let key = ClaimKey { target: target.uuid.clone(), slice };
                let Some(claim) = read(self.lease.store().as_ref(), &key).await? else { continue };
                let load = claim.state.load.filter(|_| claim.state.phase == Phase::Loading);
                let listing = load.and_then(|load| listing_of(load.form, load.view.as_deref()));
                let Some(listing) = listing.filter(|_| claim.owner.is_some()) else { continue };
                if !std::mem::replace(&mut has_helped, true) {
                    progress(ReindexStep::Helping(target.name.clone()));
                }
                let listing = CouchLoad::new(database.clone(), listing);
                let target = self.index_ranges(&target);
                let progress = |number, count| progress(ReindexStep::Range(number, count));
                let ranges = self.ranged_load(&target, &listing, key, &progress);
                if ranges.run(stop).await? == RangesEnd::Stopped {
                    return Ok(true);
                }
            }
        }
        Ok(has_helped)
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
