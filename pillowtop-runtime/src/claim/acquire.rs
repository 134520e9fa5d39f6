//! Taking a claim.
//!
//! | the claim | what is done |
//! |---|---|
//! | is missing | it is created, if there is a state to begin with |
//! | has no owner, or one that certainly died on this machine | taken at once |
//! | has an owner whose lease is marked as expired | taken at once |
//! | has another owner | its lease is watched. Once it is unchanged for its whole length, by our own clock, it is marked as expired and the claim is taken. Once it changes, the owner is alive |
//!
//! Taking is: win the compare-and-set, which reserves versions above all earlier ones; install the
//! fence, so that what the last owner still sends is refused; read the claim again; only then
//! continue from its position.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::IndexName;
use serde_json::json;

use super::fence::{Fence, FenceError};
use super::held::{Claim, describe_owner, read_claim};
use super::lease::{self, Lease, LeaseDocument, LeaseError};
use super::state::{ClaimState, Phase};
use super::store::{ClaimDocument, ClaimKey, Owner, StoreError, Token, changed_histories};
use crate::clock::{VersionClock, boot_time, now_text};

/// How often a held lease is read, within a lease.
const LOOKS: u32 = 10;
/// The shortest and the longest time between two reads.
const LOOK_INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What to do when another process holds the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenHeld {
    /// Fail with an error that names the owner, as soon as it shows that it is alive, which takes a
    /// third of a lease.
    Fail,
    /// Wait for it, for as long as it takes.
    Standby,
}

/// A function that is called when a claim is waited for.
#[derive(Clone)]
pub struct Notify(pub Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Notify {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notify")
    }
}

/// Options for [`Claim::acquire`].
#[derive(Debug, Clone)]
pub struct AcquireOptions {
    /// What to do when another process holds it. Default: wait.
    pub when_held: WhenHeld,
    /// Called once, with a sentence, when an owner is waited for. Default: a log line.
    pub notify: Notify,
}

impl Default for AcquireOptions {
    fn default() -> Self {
        let notify = Notify(Arc::new(|sentence: &str| tracing::info!("{sentence}")));
        Self { when_held: WhenHeld::Standby, notify }
    }
}

/// Why a claim was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The store of the claim did not do something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fence cannot be read or installed.
    #[error("the fence of `{target}` cannot be installed: {source}")]
    Fence {
        /// The target.
        target: IndexName,
        /// Why.
        source: FenceError,
    },
    /// The own lease is lost.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Another process has it.
    #[error("`{target}` is owned by {owner}, which is alive: it has just renewed its lease of {length:?}")]
    Held {
        /// The target.
        target: IndexName,
        /// Who has it.
        owner: Box<Owner>,
        /// How long its lease lasts without being renewed.
        length: Duration,
    },
    /// There is no stored state, and none was given to begin with.
    #[error("`{0}` has no stored state: it was never loaded, or its claim is lost")]
    NoState(IndexName),
    /// The target was restored from a snapshot, or a shard was given up: acknowledged documents may
    /// be missing.
    #[error(
        "`{target}` is not the one that its claim was stored for ({reason}); {}",
        match phase {
            Phase::Loading => "the load has to start again, in a new index",
            Phase::CatchingUp | Phase::Following =>
                "rewind its checkpoint to before the snapshot and verify, or build a new index",
        }
    )]
    IdentityChanged {
        /// The target.
        target: IndexName,
        /// How far it was.
        phase: Phase,
        /// Which parts.
        reason: String,
    },
    /// Another process took it at the same time.
    #[error("another process took `{target}` at the same time: {reason}")]
    Overtaken {
        /// The target.
        target: IndexName,
        /// How that was noticed.
        reason: String,
    },
}

impl AcquireError {
    /// Whether a process that waits for the claim retries.
    fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Fence { source, .. } => matches!(source, FenceError::Unavailable(_)),
            Self::Lease(error) => *error == LeaseError::Expired,
            Self::Overtaken { .. } => true,
            _ => false,
        }
    }
}

impl Claim {
    /// Takes the claim on a target, which errors call `target`. `initial` is the state to begin
    /// with when none is stored; without it that is an error.
    ///
    /// # Errors
    ///
    /// See [`AcquireError`]. With [`WhenHeld::Standby`], what may pass is retried for as long as it
    /// takes.
    pub async fn acquire(
        lease: &Arc<Lease>,
        key: ClaimKey,
        target: &IndexName,
        fence: Arc<dyn Fence>,
        options: AcquireOptions,
        initial: Option<ClaimState>,
    ) -> Result<Self, AcquireError> {
        let attempt = Attempt { lease, key, target, fence, options, initial };
        let (mut watched, mut told) = (None, None);
        loop {
            match attempt.once(&mut watched).await {
                Ok(Step::Taken(claim)) => return Ok(*claim),
                Ok(Step::Wait(wait)) => tokio::time::sleep(wait).await,
                Err(error) if attempt.stands_by() && error.is_passing() => {
                    let reason = error.to_string();
                    if told.as_ref() != Some(&reason) {
                        tracing::warn!(%target, reason, "the claim cannot be taken yet");
                        told = Some(reason);
                    }
                    tokio::time::sleep(LOOK_INTERVAL.1).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

struct Attempt<'a> {
    lease: &'a Arc<Lease>,
    key: ClaimKey,
    target: &'a IndexName,
    fence: Arc<dyn Fence>,
    options: AcquireOptions,
    initial: Option<ClaimState>,
}

enum Step {
    Taken(Box<Claim>),
    Wait(Duration),
}

/// An owner's lease, and since when it is unchanged.
struct Watched {
    owner_id: String,
    token: Option<Token>,
    since: Duration,
}

/// A won claim document.
struct Won {
    document: ClaimDocument,
    token: Token,
    versions: VersionClock,
}

impl Attempt<'_> {
    fn stands_by(&self) -> bool {
        self.options.when_held == WhenHeld::Standby
    }

    async fn once(&self, watched: &mut Option<Watched>) -> Result<Step, AcquireError> {
        let owner = self.lease.owner();
        self.lease.check(&owner)?;
        let seen = read_claim(self.lease.store().as_ref(), &self.key).await?;
        if let Some((document, _)) = &seen
            && let Some(wait) = self.must_wait(document, &owner, watched).await?
        {
            return Ok(Step::Wait(wait));
        }
        let Ok(_permit) = self.lease.takeovers().acquire().await else {
            return Ok(Step::Wait(LOOK_INTERVAL.0));
        };
        match self.win(seen, owner).await? {
            Some(won) => Ok(Step::Taken(Box::new(self.fenced(won).await?))),
            // Another process was faster.
            None => Ok(Step::Wait(LOOK_INTERVAL.0)),
        }
    }

    /// How long to wait before looking again; `None` when the claim may be taken.
    async fn must_wait(
        &self,
        document: &ClaimDocument,
        own: &Owner,
        watched: &mut Option<Watched>,
    ) -> Result<Option<Duration>, AcquireError> {
        let Some(owner) = &document.owner else { return Ok(None) };
        if owner.id == own.id || owner.is_dead() {
            return Ok(None);
        }
        let store = self.lease.store();
        let stored = store.read(&owner.lease()).await?;
        let token = stored.as_ref().map(|stored| stored.token);
        let lease: Option<LeaseDocument> =
            stored.and_then(|stored| serde_json::from_value(stored.value).ok());
        if lease.is_some_and(|lease| lease.expired_by.is_some()) {
            return Ok(None);
        }
        let length = document.length();
        let now = boot_time();
        match watched {
            Some(seen) if seen.owner_id == owner.id && seen.token == token => {
                if now.saturating_sub(seen.since) >= length {
                    tracing::info!(target = %self.target, %owner, "the lease ran out and is marked as expired");
                    if lease::expire(store.as_ref(), owner, token, own).await? {
                        return Ok(None);
                    }
                    *watched = None;
                }
            }
            Some(seen) if seen.owner_id == owner.id && !self.stands_by() => {
                let (target, owner) = (self.target.clone(), Box::new(owner.clone()));
                return Err(AcquireError::Held { target, owner, length });
            }
            _ => {
                if watched.as_ref().is_none_or(|seen| seen.owner_id != owner.id) {
                    (self.options.notify.0)(&self.waiting_for(owner, length));
                }
                *watched = Some(Watched { owner_id: owner.id.clone(), token, since: now });
            }
        }
        Ok(Some((length / LOOKS).clamp(LOOK_INTERVAL.0, LOOK_INTERVAL.1)))
    }

    fn waiting_for(&self, owner: &Owner, length: Duration) -> String {
        let target = self.target;
        if self.stands_by() {
            format!("standing by: `{target}` is owned by {owner}")
        } else {
            let seconds = length.as_secs();
            format!("`{target}` is owned by {owner}: checking for up to {seconds} s whether that is alive")
        }
    }

    /// Writes the claim as its owner; `None` when another process was faster.
    async fn win(
        &self,
        seen: Option<(ClaimDocument, Token)>,
        owner: Owner,
    ) -> Result<Option<Won>, AcquireError> {
        let failed = |source| AcquireError::Fence { target: self.target.clone(), source };
        let histories = self.fence.histories().await.map_err(failed)?;
        let installed = self.fence.installed().await.map_err(failed)?;
        let (mut document, token) = match seen {
            Some((document, token)) => {
                self.check_identity(&document, &histories)?;
                (ClaimDocument { histories, ..document }, Some(token))
            }
            None => (self.first_document(histories)?, None),
        };
        let versions = VersionClock::above(document.state.ceiling);
        document.epoch = document.epoch.max(installed) + 1;
        document.state.ceiling = versions.next_ceiling();
        document.owner = Some(owner);
        document.lease_ms = self.lease.length_ms();
        document.saved = now_text();
        match self.lease.store().write(&self.key.claim(), &json!(document), token).await {
            Ok(token) => {
                versions.reserved(document.state.ceiling);
                Ok(Some(Won { document, token, versions }))
            }
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn first_document(&self, histories: BTreeMap<String, String>) -> Result<ClaimDocument, AcquireError> {
        let state = self.initial.clone().ok_or_else(|| AcquireError::NoState(self.target.clone()))?;
        Ok(ClaimDocument { state, owner: None, lease_ms: 0, epoch: 0, histories, saved: now_text() })
    }

    fn check_identity(
        &self,
        document: &ClaimDocument,
        histories: &BTreeMap<String, String>,
    ) -> Result<(), AcquireError> {
        if document.histories.is_empty() || document.histories == *histories {
            return Ok(());
        }
        Err(AcquireError::IdentityChanged {
            target: self.target.clone(),
            phase: document.state.phase,
            reason: changed_histories(&document.histories, histories),
        })
    }

    async fn fenced(&self, won: Won) -> Result<Claim, AcquireError> {
        let overtaken = |reason: String| AcquireError::Overtaken { target: self.target.clone(), reason };
        match self.fence.install(won.document.epoch).await {
            Ok(()) => {}
            Err(FenceError::Overtaken(reason)) => return Err(overtaken(reason)),
            Err(source) => {
                self.release(&won).await;
                return Err(AcquireError::Fence { target: self.target.clone(), source });
            }
        }
        match read_claim(self.lease.store().as_ref(), &self.key).await? {
            Some((_, token)) if token == won.token => {}
            other => return Err(overtaken(describe_owner(other.map(|(document, _)| document)))),
        }
        let Won { document, token, versions } = won;
        let (lease, fence) = (Arc::clone(self.lease), Arc::clone(&self.fence));
        Ok(Claim::new(lease, self.key.clone(), fence, versions, document, token))
    }

    /// Nobody should have to wait for an owner that never wrote. A claim that cannot be released
    /// stays with the lease.
    async fn release(&self, won: &Won) {
        let document = ClaimDocument { owner: None, ..won.document.clone() };
        let store = self.lease.store();
        if let Err(error) = store.write(&self.key.claim(), &json!(document), Some(won.token)).await {
            tracing::warn!(target = %self.target, %error, "the claim cannot be released");
        }
    }
}
