//! Having documents processed again, whoever owns the index: by the live owner, or, without one, by
//! this process.
//!
//! Either way the ids go through the claim store as [requests](crate::request), in the one lane
//! that orders every write of a document.
//!
//! ```text
//! ids ─ requests ─┬▶ live owner ─────────────────▶ results
//!                 └▶ this process takes the claim ─┘
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{DatabaseName, DocumentId, IndexName};
use tokio_util::sync::CancellationToken;

use crate::claim::{
    AcquireError, AcquireOptions, ClaimKey, ClaimStore, FollowReport, Owner, Phase, StoreError, WhenHeld,
    is_alive, read,
};
use crate::engine::{Engine, SelectionError, Served};
use crate::hint::Hint;
use crate::member::MemberError;
use crate::request::{IDS, RequestKind, RequestResult, submit, wait, withdraw};
use crate::service::ServiceError;
use crate::target::{OpenError, OpenTarget, TargetRef};

/// Requests that are in the store at once: an owner works on them together, in memory.
const AT_ONCE: usize = 8;
/// How often the owner is checked while its results are awaited.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Part of a pillow with an owner of its own: a target, and a database that is read into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The target.
    pub target: TargetRef,
    /// The database.
    pub database: DatabaseName,
}

impl Part {
    /// The claim on it.
    pub fn claim(&self, served: &Served) -> ClaimKey {
        ClaimKey { target: self.target.uuid.clone(), slice: served.databases.slice(&self.database) }
    }
}

/// What is to be done with which documents.
#[derive(Debug, Clone)]
pub struct Touch {
    /// [`RequestKind::Touch`] or [`RequestKind::Bury`].
    pub kind: RequestKind,
    /// The documents' `_id`s in the database.
    pub ids: Vec<DocumentId>,
    /// How the claim is taken if there is no live owner. It is never waited for.
    pub acquire: AcquireOptions,
}

/// How far a touch is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TouchEvent {
    /// This owner is alive and does the work.
    Owned(String),
    /// Nobody is alive that owns it: this process took the claim.
    TookClaim,
    /// So many ids are done.
    Done(RequestResult),
    /// Nothing can be written now: the reason. It is retried.
    Paused(String),
    /// It is written again.
    Resumed,
}

/// Why a touch ended before all ids were done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TouchError {
    /// The claim store did not do something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The claim cannot be taken, or the member cannot continue.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The target is being loaded.
    #[error("`{target}` is {phase}; its documents can be processed again once it is followed")]
    NotFollowed {
        /// The target.
        target: IndexName,
        /// How far it is.
        phase: Phase,
    },
    /// A stop was asked for.
    #[error("stopped after {} documents", .0.total())]
    Stopped(RequestResult),
}

impl Hint for TouchError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Service(error) => error.hint(),
            Self::Stopped(_) => {
                Some("run this again: documents may be processed any number of times".to_owned())
            }
            _ => None,
        }
    }
}

impl From<MemberError> for TouchError {
    fn from(error: MemberError) -> Self {
        Self::Service(error.into())
    }
}

/// The parts of a pillow that are followed now: every target, from every database.
///
/// # Errors
///
/// When there is no complete target, or no database.
pub async fn parts(engine: &Engine, served: &Served) -> Result<Vec<Part>, ServiceError> {
    let targets = served.destination.targets().await?;
    let databases = engine.selected(&served.databases).await?;
    let of_target = |target: TargetRef| {
        databases.iter().map(move |database| Part { target: target.clone(), database: database.clone() })
    };
    Ok(targets.into_iter().flat_map(of_target).collect())
}

/// Has documents of a part processed again, and waits until they are. `store` is the one that the
/// claims of the target are in. Ids that are not done when a stop is requested are left out.
///
/// # Errors
///
/// See [`TouchError`].
pub async fn touch(
    engine: &Engine,
    served: &Served,
    store: &Arc<dyn ClaimStore>,
    part: &Part,
    touch: &Touch,
    stop: &CancellationToken,
    notify: impl Fn(TouchEvent) + Sync,
) -> Result<RequestResult, TouchError> {
    let end = CancellationToken::new();
    let key = part.claim(served);
    let toucher = Toucher { engine, served, store, part, touch, key, notify, end: end.clone() };
    let requesting = async {
        let result = toucher.request(stop).await;
        end.cancel();
        result
    };
    let owning = async {
        let result = toucher.own().await;
        end.cancel();
        result
    };
    let (requested, owned) = tokio::join!(requesting, owning);
    match (requested, owned) {
        // Every id is done: what failed after that does not matter.
        (Ok(Some(result)), _) => Ok(result),
        (_, Err(error)) | (Err(error), Ok(())) => Err(error),
        // Only a failure of the owner ends the requests.
        (Ok(None), Ok(())) => Err(TouchError::Stopped(RequestResult::default())),
    }
}

struct Toucher<'a, F> {
    engine: &'a Engine,
    served: &'a Served,
    store: &'a Arc<dyn ClaimStore>,
    part: &'a Part,
    touch: &'a Touch,
    key: ClaimKey,
    notify: F,
    /// The requests are done, or nobody can work on them.
    end: CancellationToken,
}

impl<F: Fn(TouchEvent) + Sync> Toucher<'_, F> {
    /// Submits the ids, a few requests at a time, and sums up what became of them. `None` if the
    /// owner failed.
    async fn request(&self, stop: &CancellationToken) -> Result<Option<RequestResult>, TouchError> {
        let mut waiting = VecDeque::new();
        let mut total = RequestResult::default();
        let mut parts = self.touch.ids.chunks(IDS);
        let ended = loop {
            while waiting.len() < AT_ONCE
                && let Some(ids) = parts.next()
            {
                match submit(self.store.as_ref(), &self.key, self.touch.kind, ids).await {
                    Ok(keys) => waiting.extend(keys),
                    Err(error) => {
                        self.withdraw(&mut waiting).await;
                        return Err(error.into());
                    }
                }
            }
            let Some(key) = waiting.front() else { break Ok(Some(total)) };
            let waited = tokio::select! {
                waited = wait(self.store.as_ref(), std::slice::from_ref(key), |_| ()) => waited,
                () = stop.cancelled() => break Err(TouchError::Stopped(total)),
                () = self.end.cancelled() => break Ok(None),
            };
            match waited {
                Ok(result) => {
                    waiting.pop_front();
                    total += result;
                    (self.notify)(TouchEvent::Done(total));
                }
                Err(error) => break Err(error.into()),
            }
        };
        self.withdraw(&mut waiting).await;
        ended
    }

    /// Nobody should work on what nobody waits for.
    async fn withdraw(&self, waiting: &mut VecDeque<String>) {
        let keys = waiting.make_contiguous();
        if let Err(error) = withdraw(self.store.as_ref(), keys).await {
            tracing::warn!(%error, "cannot remove finished requests");
        }
    }

    /// Sees to it that somebody works on the requests, until they are done: the live owner, or this
    /// process.
    async fn own(&self) -> Result<(), TouchError> {
        let mut shown = Shown::default();
        while !self.end.is_cancelled() {
            let owner = tokio::select! {
                owner = self.live_owner() => owner?,
                () = self.end.cancelled() => return Ok(()),
            };
            match owner {
                Some(owner) => self.watch(owner, &mut shown).await?,
                None => {
                    let opened = tokio::select! {
                        opened = self.open() => opened,
                        // A claim that is won just now stays with the lease, which ends with the process.
                        () = self.end.cancelled() => return Ok(()),
                    };
                    match opened {
                        Ok(open) => self.work(open).await?,
                        Err(ServiceError::Open(OpenError::Acquire(
                            AcquireError::Held { .. } | AcquireError::Overtaken { .. },
                        ))) => self.pause().await,
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }

    async fn live_owner(&self) -> Result<Option<Owner>, StoreError> {
        let Some(claim) = read(self.store.as_ref(), &self.key).await? else { return Ok(None) };
        let length = claim.length();
        let Some(owner) = claim.owner else { return Ok(None) };
        Ok(is_alive(self.store.as_ref(), &owner, length).await?.then_some(owner))
    }

    /// Shows who works on the requests, and why it does not when it does not.
    async fn watch(&self, owner: Owner, shown: &mut Shown) -> Result<(), TouchError> {
        if shown.owner.as_ref() != Some(&owner.id) {
            (self.notify)(TouchEvent::Owned(owner.label));
            shown.owner = Some(owner.id);
        }
        let report = FollowReport::read(self.store.as_ref(), &self.key).await?;
        shown.paused(report.and_then(|report| report.paused), &self.notify);
        self.pause().await;
        Ok(())
    }

    async fn pause(&self) {
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
            () = self.end.cancelled() => {}
        }
    }

    async fn open(&self) -> Result<OpenTarget, ServiceError> {
        let Part { target, database } = self.part;
        let slice = self.served.databases.slice(database);
        let begin = self.engine.hub(database).source().identity().await.map_err(SelectionError::from)?;
        let acquire = AcquireOptions { when_held: WhenHeld::Fail, ..self.touch.acquire.clone() };
        Ok(self.served.destination.open(target, slice, Some(begin), acquire).await?)
    }

    /// Works on the requests with the claim that was taken, and releases it.
    async fn work(&self, open: OpenTarget) -> Result<(), TouchError> {
        (self.notify)(TouchEvent::TookClaim);
        let claim = Arc::clone(&open.claim);
        let worked = match claim.state().phase {
            Phase::Loading => Err(TouchError::NotFollowed { target: claim.target(), phase: Phase::Loading }),
            _ => self.run_member(open).await,
        };
        if claim.lost().is_none()
            && let Err(error) = claim.release().await
        {
            tracing::info!(target = %claim.target(), %error, "the claim is not released");
        }
        match worked {
            // Whoever has it now is looked for again.
            Err(TouchError::Service(ServiceError::Member(MemberError::ClaimLost { .. }))) => Ok(()),
            worked => worked,
        }
    }

    async fn run_member(&self, open: OpenTarget) -> Result<(), TouchError> {
        let mut member = self.engine.member(self.served, &self.part.database, open).await?;
        let mut shown = Shown::default();
        let mut running = std::pin::pin!(member.run_requests(&self.end));
        loop {
            tokio::select! {
                ended = &mut running => return Ok(ended?),
                () = tokio::time::sleep(LOOK_INTERVAL) => {
                    shown.paused(self.served.counters.snapshot().paused, &self.notify);
                }
            }
        }
    }
}

/// What was told already.
#[derive(Default)]
struct Shown {
    owner: Option<String>,
    paused: Option<String>,
}

impl Shown {
    fn paused(&mut self, paused: Option<String>, notify: impl Fn(TouchEvent)) {
        match (&self.paused, &paused) {
            (before, Some(reason)) if before.as_ref() != Some(reason) => {
                notify(TouchEvent::Paused(reason.clone()));
            }
            (Some(_), None) => notify(TouchEvent::Resumed),
            _ => {}
        }
        self.paused = paused;
    }
}
