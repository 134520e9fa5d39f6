//! Loading an index by ranges of a listing, which several processes share.
//!
//! ```text
//! claim of the load: start, form, boundaries            range 0: claim, position ─ member ─┐
//!   (held by the process that builds the index)   ────▶ range 1: claim, position ─ member ─┼▶ index
//!                                                       range 2: …                         ┘
//! ```
//!
//! Each range has a claim of its own, with its own fence and its own versions, and is loaded by
//! whoever takes that claim: the process that builds the index, and others that help it. A range
//! whose owner died is taken over like any claim, and resumes from its position.
//!
//! Nobody writes under the claim of a range after all of them are complete: their fences are
//! removed before catching up begins, and its versions lie above those of all ranges. A process
//! that takes the claim of a range looks at the load's claim afterwards. The documents of complete
//! ranges are removed only once that is past loading, so a process that was late sees it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::error::ReindexError;
use crate::claim::{
    AcquireError, AcquireOptions, Claim, ClaimDocument, ClaimError, ClaimKey, ClaimState, ClaimStore,
    FenceError, LoadState, Phase, Slice, StoreError, WhenHeld, overwrite, read,
};
use crate::engine::{Engine, Served};
use crate::member::{MemberEnd, MemberError};
use crate::operation::Version;
use crate::reader::ReadMode;
use crate::source::{IdRange, Listing};
use crate::target::{OpenError, OpenTarget};

/// The pause after a range turned out to be taken.
const PAUSE: Duration = Duration::from_millis(200);

/// What ranges are loaded into.
pub(crate) trait RangedTarget: Send + Sync {
    /// Takes the claim of a range. `initial` is its state if nobody took it before; without it a
    /// missing claim is an error.
    fn open(
        &self,
        slice: Slice,
        initial: Option<ClaimState>,
        acquire: AcquireOptions,
    ) -> BoxFuture<'_, Result<OpenTarget, OpenError>>;

    /// Removes the fences of ranges: whatever is still on its way under them is refused.
    fn close<'a>(&'a self, slices: &'a [Slice]) -> BoxFuture<'a, Result<(), FenceError>>;
}

/// How a process ended to load ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangesEnd {
    /// All of them are complete.
    Loaded,
    /// A stop was requested.
    Stopped,
    /// There is nothing to load any more: another process entered the next phase.
    Gone,
}

/// A load by ranges, as one process takes part in it.
pub(crate) struct RangedLoad<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) served: &'a Served,
    pub(crate) store: &'a Arc<dyn ClaimStore>,
    pub(crate) target: &'a dyn RangedTarget,
    pub(crate) listing: &'a dyn Listing,
    /// The claim of the load.
    pub(crate) key: ClaimKey,
    /// Called with the number of a range that this process begins or resumes, from 1, and how many
    /// there are.
    pub(crate) progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// Claims of ranges that other processes hold, and that are waited for.
type Waiting<'a> = FuturesUnordered<BoxFuture<'a, (u32, Result<OpenTarget, OpenError>)>>;

impl RangedLoad<'_> {
    /// Loads ranges until all are complete.
    pub(crate) async fn run(&self, stop: &CancellationToken) -> Result<RangesEnd, ReindexError> {
        let (mut waiting, mut waited_for) = (Waiting::new(), BTreeSet::new());
        loop {
            let Some(state) = self.loading().await? else { return Ok(RangesEnd::Gone) };
            let open = self.open_ranges(&state).await?;
            if open.is_empty() {
                return Ok(RangesEnd::Loaded);
            }
            let free: Vec<u32> = open.iter().filter(|(_, is_free)| *is_free).map(|(n, _)| *n).collect();
            let (number, taken) = if let Some(number) = fastrand::choice(&free) {
                let taking = self.take(*number, &state, WhenHeld::Fail);
                tokio::select! {
                    taken = taking => (*number, taken),
                    () = stop.cancelled() => return Ok(RangesEnd::Stopped),
                }
            } else {
                for (number, _) in open {
                    if waited_for.insert(number) {
                        let (state, take) = (state.clone(), async move |state: ClaimState| {
                            self.take(number, &state, WhenHeld::Standby).await
                        });
                        waiting.push(Box::pin(async move { (number, take(state).await) }));
                    }
                }
                tokio::select! {
                    Some(taken) = waiting.next() => taken,
                    () = stop.cancelled() => return Ok(RangesEnd::Stopped),
                }
            };
            waited_for.remove(&number);
            let open = match taken {
                Ok(open) => open,
                Err(OpenError::Acquire(
                    AcquireError::Held { .. } | AcquireError::Overtaken { .. } | AcquireError::NoState(_),
                )) => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.loading().await?.is_none() {
                self.abandon(number, &open.claim).await;
                return Ok(RangesEnd::Gone);
            }
            if open.claim.state().phase != Phase::Loading {
                release(&open.claim).await;
                continue;
            }
            // A claim that is won meanwhile would have an owner that does nothing.
            waiting.clear();
            waited_for.clear();
            if self.load(number, &state, open, stop).await? == MemberEnd::Stopped {
                return Ok(RangesEnd::Stopped);
            }
        }
    }

    /// Ends a load whose ranges are all complete, before its claim enters the next phase: from then
    /// on nothing is written under the claim of a range, and the versions of `claim` are higher.
    pub(crate) async fn close(&self, claim: &Claim) -> Result<(), ReindexError> {
        let Some(load) = claim.state().load else { return Ok(()) };
        let mut highest = Version(0);
        for key in self.keys(&load) {
            if let Some(document) = read(self.store.as_ref(), &key).await? {
                highest = highest.max(document.state.ceiling);
            }
        }
        claim.versions().raise(highest);
        let slices: Vec<Slice> = self.keys(&load).into_iter().map(|key| key.slice).collect();
        let target = claim.target();
        self.target
            .close(&slices)
            .await
            .map_err(|source| ReindexError::Acquire(AcquireError::Fence { target, source }))
    }

    /// Removes the claims of ranges, once the load's claim is past loading.
    pub(crate) async fn forget(&self, load: &LoadState) -> Result<(), StoreError> {
        for key in self.keys(load) {
            // A process that was late may be releasing it.
            overwrite(self.store.as_ref(), &key.claim(), |_| None).await?;
        }
        Ok(())
    }

    fn keys(&self, load: &LoadState) -> Vec<ClaimKey> {
        let ranges = u32::try_from(load.boundaries.len() + 1).unwrap_or(u32::MAX);
        (0..ranges).map(|number| self.range(number)).collect()
    }

    fn range(&self, number: u32) -> ClaimKey {
        ClaimKey { target: self.key.target.clone(), slice: self.key.slice.range(number) }
    }

    /// The state of the load; `None` once it is past loading.
    async fn loading(&self) -> Result<Option<ClaimState>, StoreError> {
        let state = read(self.store.as_ref(), &self.key).await?.map(|document| document.state);
        Ok(state.filter(|state| {
            state.phase == Phase::Loading && state.load.as_ref().is_some_and(|load| load.form.has_ranges())
        }))
    }

    /// The ranges that are not complete, and whether nobody has them.
    async fn open_ranges(&self, state: &ClaimState) -> Result<Vec<(u32, bool)>, StoreError> {
        let Some(load) = &state.load else { return Ok(Vec::new()) };
        let mut open = Vec::new();
        for (number, key) in (0..).zip(self.keys(load)) {
            match read(self.store.as_ref(), &key).await? {
                None => open.push((number, true)),
                Some(ClaimDocument { state, .. }) if state.phase != Phase::Loading => {}
                Some(document) => open.push((number, document.live_owner().is_none())),
            }
        }
        Ok(open)
    }

    async fn take(
        &self,
        number: u32,
        state: &ClaimState,
        when_held: WhenHeld,
    ) -> Result<OpenTarget, OpenError> {
        let load = state.load.as_ref().map(|load| LoadState::new(load.start.clone(), load.form));
        let initial = ClaimState { load, ceiling: Version(0), ..state.clone() };
        // A claim that is waited for exists. One that was removed is not created again.
        let initial = Some(initial).filter(|_| when_held == WhenHeld::Fail);
        // That others load too is nothing to tell.
        let notify = crate::claim::Notify(Arc::new(|sentence: &str| tracing::debug!("{sentence}")));
        let acquire = AcquireOptions { when_held, notify };
        self.target.open(self.range(number).slice, initial, acquire).await
    }

    async fn load(
        &self,
        number: u32,
        state: &ClaimState,
        open: OpenTarget,
        stop: &CancellationToken,
    ) -> Result<MemberEnd, ReindexError> {
        let boundaries = state.load.as_ref().map_or(&[][..], |load| &load.boundaries);
        let mut ranges = IdRange::all(boundaries);
        let count = ranges.len();
        (self.progress)(number as usize + 1, count);
        let source = self.listing.range(ranges.swap_remove(number as usize));
        let claim = Arc::clone(&open.claim);
        let mut member = self.engine.loader(self.served, &state.database.name, source, open).await?;
        let ended = match member.run(ReadMode::ToEnd, stop).await {
            Ok(MemberEnd::CaughtUp) => {
                claim.complete().await.map(|()| MemberEnd::CaughtUp).map_err(ReindexError::from)
            }
            ended => ended.map_err(ReindexError::from),
        };
        match ended {
            // Whoever has it now continues.
            Err(
                ReindexError::Member(MemberError::ClaimLost { .. })
                | ReindexError::Claim(ClaimError::Lost { .. }),
            ) => {
                tracing::warn!(target = %claim.target(), number, "another process took this range over");
                Ok(MemberEnd::CaughtUp)
            }
            ended => {
                release(&claim).await;
                ended
            }
        }
    }

    /// Gives up a range that was taken after the load had ended.
    async fn abandon(&self, number: u32, claim: &Claim) {
        release(claim).await;
        let key = self.range(number);
        if let Err(error) = self.target.close(std::slice::from_ref(&key.slice)).await {
            tracing::debug!(%error, "the fence of a range is not removed");
        }
        if let Err(error) = overwrite(self.store.as_ref(), &key.claim(), |_| None).await {
            tracing::debug!(%error, "the claim of a range is not removed");
        }
    }
}

/// No other process should have to wait until the lease runs out.
async fn release(claim: &Claim) {
    if claim.lost().is_none()
        && let Err(error) = claim.release().await
    {
        tracing::debug!(target = %claim.target(), %error, "the claim of a range is not released");
    }
}
