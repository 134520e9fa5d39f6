//! What a load does: taking its claim, reading what was chosen, and helping the load of another
//! process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{IndexName, PillowName};
use tokio_util::sync::CancellationToken;

use super::build::{Found, OfDatabase, Reindex};
use super::error::ReindexError;
use super::form::{Chosen, choose, listing_of, of_index};
use super::ranges::{RangedLoad, RangedTarget, RangesEnd};
use super::step::ReindexStep;
use crate::claim::{
    AcquireOptions, Claim, ClaimKey, ClaimState, DatabaseIdentity, FenceError, LoadForm, LoadState, Phase,
    Slice, read,
};
use crate::member::{Counts, MemberEnd};
use crate::reader::ReadMode;
use crate::source::{CouchDatabase, CouchLoad, DatabaseInfo, Listing as _, Source as _, head};
use crate::target::elastic::{Cluster, ElasticDestination, IndexFence, Space};
use crate::target::{OpenError, OpenTarget, TargetRef};

/// How often the progress of a server that copies an index is read.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

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
        initial: Option<ClaimState>,
        acquire: AcquireOptions,
    ) -> BoxFuture<'_, Result<OpenTarget, OpenError>> {
        async move { self.destination.open_with(&self.target, slice, initial, acquire).await }.boxed()
    }

    fn close<'a>(&'a self, slices: &'a [Slice]) -> BoxFuture<'a, Result<(), FenceError>> {
        let TargetRef { name, uuid } = &self.target;
        let fence = |slice| IndexFence::new(self.cluster, name, uuid, slice, self.pillow);
        let fences: Vec<IndexFence> = slices.iter().map(fence).collect();
        async move { IndexFence::remove_all(&fences).await }.boxed()
    }
}

impl Reindex<'_> {
    /// Takes the claim for one database. A load begins in an empty index, or slice of one, alone:
    /// then this tells what it reads.
    pub(super) async fn open(
        &self,
        found: &Found,
        database: &CouchDatabase,
        info: &DatabaseInfo,
    ) -> Result<(OpenTarget, Option<Chosen>), ReindexError> {
        let (definition, slice) =
            (self.served.pillow.definition(), self.served.databases.slice(&info.identity.name));
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
            let reads = self.choose(database, info).await?;
            let load = self.begin(database, info, &reads).await?;
            let state =
                ClaimState::new(definition, found.target.name.clone(), info.identity.clone(), Some(load));
            let purges = match &reads.index {
                // What the other index has not fetched again is copied.
                Some(index) => index.state.purges.clone(),
                None if reads.form == LoadForm::Feed => None,
                None => database.purges(None).await?.map(|purges| purges.position),
            };
            let ceiling = reads.index.as_ref().map_or(state.ceiling, |index| index.state.ceiling);
            initial = Some(ClaimState { purges, ceiling, ..state });
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
        if let Some(source) = &reads.index {
            // What is not in the other index yet comes after its position.
            let load = LoadState::new(source.state.position(), reads.form);
            return Ok(LoadState { index: Some(source.index.clone()), ..load });
        }
        let view = reads.view.as_ref().map(ToString::to_string);
        let Some(listing) = listing_of(reads.form, view.as_deref()) else {
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
        Ok(LoadState { view, boundaries, ..LoadState::new(start, reads.form) })
    }

    /// What would be read from each database.
    pub(super) async fn choose_all(
        &self,
        infos: &[DatabaseInfo],
    ) -> Result<Vec<(DatabaseIdentity, Chosen)>, ReindexError> {
        let mut all = Vec::new();
        for (database, info) in self.databases.iter().zip(infos) {
            all.push((info.identity.clone(), self.choose(database, info).await?));
        }
        Ok(all)
    }

    /// What the index needs, where the databases report the sizes of their documents. A view lists a
    /// part of them.
    pub(super) async fn space(
        &self,
        infos: &[DatabaseInfo],
        chosen: &[(DatabaseIdentity, Chosen)],
    ) -> Result<Option<Space>, ReindexError> {
        let of_database = |(info, (_, chosen)): (&DatabaseInfo, &(DatabaseIdentity, Chosen))| {
            let share = if chosen.form == LoadForm::View { chosen.documents } else { info.documents };
            let bytes = u128::from(info.bytes?) * u128::from(share.min(info.documents));
            u64::try_from(bytes / u128::from(info.documents.max(1))).ok()
        };
        let bytes: Option<u64> = infos.iter().zip(chosen).map(of_database).sum();
        match bytes {
            Some(bytes) => Ok(Some(self.cluster.space(self.served.pillow.definition(), bytes).await?)),
            None => Ok(None),
        }
    }

    /// What would be read from one database.
    async fn choose(&self, database: &CouchDatabase, info: &DatabaseInfo) -> Result<Chosen, ReindexError> {
        let definition = self.served.pillow.definition();
        if self.wanted.form != Some(LoadForm::OldIndex) {
            return choose(definition, database, info, &self.wanted).await;
        }
        let chosen = of_index(self.cluster, definition).await?;
        let of_database = chosen.index.as_ref().is_some_and(|source| {
            source.state.database.matches(&info.identity)
                && self.served.databases.slice(database.name()) == Slice::Whole
        });
        if of_database {
            return Ok(chosen);
        }
        let reason = format!("the index that is searched is not one of database `{}`", database.name());
        Err(ReindexError::Form { form: LoadForm::OldIndex, reason })
    }

    /// Loads and catches up from one database.
    pub(super) async fn fill_from(
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
        if self.load_ranges(&from, &claim, stop, progress).await? == MemberEnd::Stopped
            || self.copy_index(&from, &claim, stop, progress).await? == MemberEnd::Stopped
        {
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

    /// Has the server copy another index, if the load is from one, and enters the next phase. A copy
    /// that was interrupted begins again, and passes over the documents that it wrote.
    async fn copy_index(
        &self,
        from: &OfDatabase<'_>,
        claim: &Claim,
        stop: &CancellationToken,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<MemberEnd, ReindexError> {
        let (cluster, state) = (self.cluster, claim.state());
        let source = state.load.as_ref().and_then(|load| load.index.as_ref());
        let Some(source) = source.filter(|_| state.phase == Phase::Loading) else {
            return Ok(MemberEnd::CaughtUp);
        };
        let failed = |reason: String| ReindexError::Form { form: LoadForm::OldIndex, reason };
        let TargetRef { name, uuid } = from.target;
        let fence = IndexFence::new(cluster, name, uuid, &claim.key().slice, &state.pillow);
        // The server writes under this claim, as long as it is ours.
        claim.save(None).await?;
        let task = cluster.start_copy(source, &fence.alias(claim.epoch())).await?;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                () = stop.cancelled() => {
                    cluster.cancel_copy(&task).await;
                    return Ok(MemberEnd::Stopped);
                }
            }
            if let Some(reason) = claim.lost() {
                cluster.cancel_copy(&task).await;
                return Err(claim.lose(reason).into());
            }
            let status = cluster.copy_status(&task).await?;
            progress(ReindexStep::Copied(status.done, status.total));
            if let Some(reason) = status.failure {
                return Err(failed(reason));
            }
            if status.is_complete {
                break;
            }
        }
        // Its versions are those of the other index, whose owner may have written meanwhile.
        let gone = || failed(format!("index `{source}` was deleted"));
        let uuid = cluster.index_uuid(source).await?.ok_or_else(gone)?;
        let other = read(self.lease.store().as_ref(), &ClaimKey::whole(uuid)).await?.ok_or_else(gone)?;
        claim.versions().raise(other.state.ceiling);
        claim.enter(Phase::CatchingUp).await?;
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
    pub(super) async fn help(
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
}
