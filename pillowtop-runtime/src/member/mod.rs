//! One pillow on its way from one database into one target: a task of its own, which delays no
//! other.
//!
//! ```text
//! batch ─ decide (on a pool) ─▶ lanes ─┬▶ bulk ─▶ target ─▶ outcome ─┬▶ watermark ─▶ position ─▶ claim
//!                                 ▲    └▶ dead letters ─▶ store ─────┤
//!                                 └─ retried, a dead letter, resolved ◀┘
//! ```
//!
//! A member that is paused for longer than a few seconds is **suspended**: it gives up what is on
//! its way, which is read again from its own position once the target accepts a probe. So a paused
//! member holds no memory and delays no other.

mod counters;
mod lookups;

mod decide;
mod watermark;

mod concurrency;
mod entry;

mod isolation;
mod lanes;

mod loaded_ids;
mod options;
mod pool;
mod reporter;

mod pipeline;

mod requests;

mod purges;
mod responses;

mod session;

#[cfg(test)]
mod lane_tests;

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, DocumentId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::isolation::probe_target;
pub(crate) use self::lookups::MemberLookup;
use self::pipeline::Pipeline;
pub(crate) use self::pool::Deciders;
use self::requests::FetchContext;
use self::session::{Session, SessionEnd};
use crate::backoff::Backoff;
use crate::claim::{ClaimError, Phase};
use crate::dead_letter::DeadLetterError;
use crate::operation::{Action, Operation, Version};
use crate::reader::{Hub, ReadMode};
use crate::source::SourceError;
use crate::target::{OpenTarget, WriteError};

pub use counters::{Counters, Counts};
pub use decide::{Decided, Decider, Decision};
pub use lanes::BulkLimits;
pub use lookups::SharedLookup;
pub use options::MemberOptions;
pub use pool::DecidePool;
pub(crate) use session::RequestQueue;

/// A session of this length has worked: what fails then is not a repetition.
const WORKED: Duration = Duration::from_mins(1);
/// The epoch of a claim's first owner: nobody wrote before it.
const FIRST_EPOCH: u64 = 1;
/// How often open dead letters are counted again while there are too many.
const RECOUNT_INTERVAL: Duration = Duration::from_secs(10);

/// How a member ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberEnd {
    /// Everything that there was is acknowledged and saved.
    CaughtUp,
    /// It was requested to stop.
    Stopped,
}

/// Why a member cannot continue. Nothing is lost: what is not acknowledged is read again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The source is broken for good.
    #[error("{0}")]
    Source(String),
    /// The source cannot be subscribed to.
    #[error(transparent)]
    Subscribe(#[from] SourceError),
    /// The claim is lost, or cannot be used.
    #[error("`{member}` stops: {reason}")]
    ClaimLost {
        /// The member.
        member: String,
        /// How it was noticed.
        reason: String,
    },
    /// Open dead letters cannot be read.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// A load made too many dead letters: the mapping or the transform is wrong, not the documents.
    #[error("{dead_letters} of the first {documents} documents became dead letters; the last one: {example}")]
    TooManyDeadLetters {
        /// Dead letters so far.
        dead_letters: u64,
        /// Documents so far.
        documents: u64,
        /// Error type and id of one of them.
        example: String,
    },
    /// A filter or a transform does not end.
    #[error("the filter or the transform of document `{id}` does not end")]
    Hung {
        /// The document.
        id: DocumentId,
    },
    /// A task of the runtime panicked, which is a bug.
    #[error("a task of the member failed: {0}")]
    Task(String),
}

/// A pillow, the hub of a database that it reads, and an open target that it writes to.
pub struct Member {
    hub: Arc<Hub>,
    pipeline: Pipeline,
    deciders: Deciders,
    queue: RequestQueue,
    load_begins: bool,
}

/// What a member is made of.
pub struct MemberParts {
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// The readers of its database.
    pub hub: Arc<Hub>,
    /// The target, whose claim is held.
    pub open: OpenTarget,
    /// What logs and counters call it.
    pub name: String,
    /// Whether ids in the target are `<database>/<_id>`.
    pub prefixes_ids: bool,
    /// What it has done.
    pub counters: Arc<Counters>,
    /// Its bounds.
    pub options: MemberOptions,
    /// The cores that decide.
    pub pool: DecidePool,
    /// What the pillow's transform looks up, if it does.
    pub lookup: Option<Arc<SharedLookup>>,
}

impl Member {
    /// A member that has not begun to read.
    ///
    /// # Errors
    ///
    /// When the open dead letters cannot be read.
    pub async fn new(parts: MemberParts, queue: RequestQueue) -> Result<Self, MemberError> {
        let MemberParts { pillow, hub, open, name: member, prefixes_ids, counters, options, pool, lookup } =
            parts;
        let open = open.guarded(options.target_limit);
        let state = open.claim.state();
        let open_dead_letters = open.dead_letters.open().await?;
        let database = state.database.name.clone();
        let decider = Decider {
            pillow,
            target: state.target.clone(),
            database,
            prefixes_ids,
            keeps_bodies: options.keeps_bodies,
        };
        // A load that is resumed sends its deletes: what was written before is not known, also by an owner
        // that saved no position.
        let load_begins = state.phase == Phase::Loading
            && open.claim.epoch() == FIRST_EPOCH
            && state.load.as_ref().is_some_and(|load| load.position == pillowtop_core::Sequence::start());
        let pipeline = Pipeline::new(member, open, counters, options, &open_dead_letters, load_begins);
        let lookup = lookup.map(|shared| Arc::new(MemberLookup::new(shared)));
        let deciders = Deciders { decider, pool, lookup };
        Ok(Self { hub, pipeline, deciders, queue, load_begins })
    }

    /// The claim, the target and the dead letters.
    pub fn open(&self) -> &OpenTarget {
        &self.pipeline.open
    }

    /// Reads and writes until the end of what there is, or until a stop is requested. May be called
    /// again.
    ///
    /// # Errors
    ///
    /// When the source is broken for good or the claim is lost. Whatever else fails pauses the
    /// member and is retried.
    pub async fn run(&mut self, mode: ReadMode, stop: &CancellationToken) -> Result<MemberEnd, MemberError> {
        self.run_sessions(Some(mode), stop).await
    }

    /// Works on the requests of other processes until a stop is requested. The feed is not read, so
    /// the position stays.
    ///
    /// # Errors
    ///
    /// When the source is another database or the claim is lost. Whatever else fails pauses the
    /// member and is retried.
    pub async fn run_requests(&mut self, stop: &CancellationToken) -> Result<(), MemberError> {
        self.run_sessions(None, stop).await.map(drop)
    }

    async fn run_sessions(
        &mut self,
        mode: Option<ReadMode>,
        stop: &CancellationToken,
    ) -> Result<MemberEnd, MemberError> {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));
        loop {
            let began = Instant::now();
            let ended = self.session(mode, stop).await?;
            if began.elapsed() >= WORKED {
                backoff.reset();
            }
            match ended {
                SessionEnd::CaughtUp => return Ok(MemberEnd::CaughtUp),
                SessionEnd::Stopped => return Ok(MemberEnd::Stopped),
                SessionEnd::Detached => backoff.reset(),
                SessionEnd::Suspended(reason) if self.pipeline.has_too_many_dead_letters() => {
                    self.pipeline.is_suspended = true;
                    self.pipeline.show(Some(reason));
                    if !self.wait_for_dead_letters(stop).await? {
                        return Ok(MemberEnd::Stopped);
                    }
                }
                SessionEnd::Suspended(reason) => {
                    if !self.wait_for_target(reason, &mut backoff, stop).await? {
                        return Ok(MemberEnd::Stopped);
                    }
                }
            }
        }
    }

    async fn session(
        &mut self,
        mode: Option<ReadMode>,
        stop: &CancellationToken,
    ) -> Result<SessionEnd, MemberError> {
        let state = self.pipeline.open.claim.state();
        if !std::mem::take(&mut self.load_begins) || mode.is_none() {
            self.pipeline.forget_loaded();
        }
        let reads_selector =
            state.phase == Phase::Loading && state.load.as_ref().is_some_and(|load| load.uses_selector);
        let definition = self.deciders.decider.pillow.definition();
        let selector =
            if reads_selector { definition.selector.clone() } else { definition.follow_selector() };
        let subscribing = async {
            match mode {
                Some(mode) => {
                    self.hub.subscribe(state.position(), &state.database, mode, selector.as_ref()).await
                }
                None => self.hub.subscribe_to_nothing(&state.database).await,
            }
        };
        let subscription = tokio::select! {
            subscribed = subscribing => subscribed?,
            () = stop.cancelled() => return Ok(SessionEnd::Stopped),
        };
        // A server that was upgraded reports a start time that it did not report before.
        if subscription.identity != state.database && subscription.identity.has_start_time() {
            match self.pipeline.open.claim.save_database(subscription.identity.clone()).await {
                Err(ClaimError::Lost { reason, .. }) => {
                    return Err(MemberError::ClaimLost { member: self.pipeline.member.clone(), reason });
                }
                Err(error) => tracing::warn!(%error, "the start time of the database is not stored"),
                Ok(()) => {}
            }
        }
        self.pipeline.show(None);
        let context = FetchContext { source: Arc::clone(self.hub.source()), deciders: self.deciders.clone() };
        Session::new(&mut self.pipeline, context, &mut self.queue, mode.is_some())
            .run(subscription, stop)
            .await
    }

    /// Works on requests, such as replays, until dead letters are resolved. `false` if a stop was
    /// asked for.
    async fn wait_for_dead_letters(&mut self, stop: &CancellationToken) -> Result<bool, MemberError> {
        while self.pipeline.has_too_many_dead_letters() {
            let pause = stop.child_token();
            let recount = pause.clone();
            let timer = AbortOnDropHandle::new(tokio::spawn(async move {
                tokio::time::sleep(RECOUNT_INTERVAL).await;
                recount.cancel();
            }));
            self.session(None, &pause).await?;
            drop(timer);
            if stop.is_cancelled() {
                return Ok(false);
            }
            let open = self.pipeline.open.dead_letters.open().await;
            match open {
                Ok(open) => self.pipeline.dead_letters.set(&open),
                Err(error) => tracing::debug!(%error, "open dead letters are not counted"),
            }
        }
        Ok(true)
    }

    /// Probes the target and the lookup until they work. `false` if a stop was requested.
    async fn wait_for_target(
        &mut self,
        mut reason: String,
        backoff: &mut Backoff,
        stop: &CancellationToken,
    ) -> Result<bool, MemberError> {
        loop {
            self.pipeline.is_suspended = true;
            self.pipeline.show(Some(reason));
            if let Some(report) = self.pipeline.report() {
                reporter::store(Arc::clone(&self.pipeline.open.claim), report).await;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.failed()) => {}
                () = stop.cancelled() => return Ok(false),
            }
            match self.probe().await {
                Ok(()) => match self.probe_lookup().await {
                    Ok(()) => return Ok(true),
                    Err(error) => reason = error,
                },
                Err(WriteError::ClaimLost(reason)) => {
                    return Err(MemberError::ClaimLost { member: self.pipeline.member.clone(), reason });
                }
                Err(error) => reason = error.to_string(),
            }
        }
    }

    async fn probe_lookup(&self) -> Result<(), String> {
        match &self.deciders.lookup {
            Some(lookup) => lookup.probe().await,
            None => Ok(()),
        }
    }

    async fn probe(&self) -> Result<(), WriteError> {
        let OpenTarget { claim, target, .. } = &self.pipeline.open;
        if !claim.versions().has_room() {
            match claim.save(None).await {
                Err(ClaimError::Lost { reason, .. }) => return Err(WriteError::ClaimLost(reason)),
                Err(error) => return Err(WriteError::Blocked(error.to_string())),
                Ok(()) => {}
            }
        }
        let Some(version) = claim.versions().stamp() else {
            return Err(WriteError::Blocked("no versions are left below the reserved ceiling".to_owned()));
        };
        let like = Operation::new(DocumentId::from("_local/pillowtop"), Version(0), Action::Delete);
        probe_target(target, version, &like).await
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Member").field(&self.pipeline.member).finish()
    }
}
