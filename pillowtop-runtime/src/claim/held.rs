//! A claim that is held: every change of it proves that it still is.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pillowtop_core::{IndexName, Sequence};
use serde_json::json;
use tokio::sync::Mutex as AsyncMutex;

use super::fence::{Fence, FenceError};
use super::lease::{Lease, LeaseError};
use super::past::PastCheckpoints;
use super::state::{ClaimState, DatabaseIdentity, Phase};
use super::store::{ClaimDocument, ClaimKey, ClaimStore, Owner, StoreError, Token, changed_histories};
use super::verified::forget_verified;
use crate::clock::{VersionClock, now_text};
use crate::operation::Version;

/// How often a save is tried over earlier saves of our own whose responses were lost.
const SAVE_TRIES: usize = 3;

/// Why a claim was not changed, or nothing may be written under it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another process has it, it was changed from outside, or the target is another one.
    #[error("the claim on `{target}` is lost: {reason}")]
    Lost {
        /// The target.
        target: IndexName,
        /// How it was noticed.
        reason: String,
    },
    /// It may work later.
    #[error("the claim on `{target}` cannot be used now: {reason}")]
    Unavailable {
        /// The target.
        target: IndexName,
        /// Why.
        reason: String,
    },
}

/// A claim that this process holds.
pub struct Claim {
    lease: Arc<Lease>,
    /// Who took it: the lease may be another owner's by now.
    owner: Option<Owner>,
    key: ClaimKey,
    fence: Arc<dyn Fence>,
    versions: VersionClock,
    /// The document as last stored. Held while storing: one save at a time.
    held: AsyncMutex<Held>,
    /// What may be read without waiting for a save.
    shown: Mutex<Shown>,
    past: AsyncMutex<Option<(PastCheckpoints, Option<Token>)>>,
}

struct Held {
    document: ClaimDocument,
    token: Token,
}

struct Shown {
    state: ClaimState,
    epoch: u64,
    lost: Option<String>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Claim").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Reads the document of a claim, for commands; `None` if there is no claim.
///
/// # Errors
///
/// When the store does not respond, or the document cannot be read.
pub async fn read(store: &dyn ClaimStore, key: &ClaimKey) -> Result<Option<ClaimDocument>, StoreError> {
    Ok(read_claim(store, key).await?.map(|(document, _)| document))
}

/// Reads a claim's document.
pub(super) async fn read_claim(
    store: &dyn ClaimStore,
    key: &ClaimKey,
) -> Result<Option<(ClaimDocument, Token)>, StoreError> {
    let Some(stored) = store.read(&key.claim()).await? else { return Ok(None) };
    let token = stored.token;
    Ok(Some((stored.parse(format_args!("the claim on {key}"))?, token)))
}

/// Changes the state of a claim from outside, as for setting a checkpoint. Whoever holds the claim
/// loses it, notices with the next save or [`Reload`](crate::request::RequestKind::Reload) request,
/// and starts again from what is stored here. `false` when there is no claim.
///
/// # Errors
///
/// When the store cannot be read or written.
pub async fn amend(
    store: &dyn ClaimStore,
    key: &ClaimKey,
    mut change: impl FnMut(&mut ClaimState) + Send,
) -> Result<bool, StoreError> {
    amend_document(store, key, |document| change(&mut document.state)).await
}

/// Sets where reading resumes, from outside, as [`amend`] does. With `accepts_restored` the target
/// is taken as it is: one that was restored from a snapshot, or lost a shard, is otherwise refused
/// when its claim is taken. `false` when there is no claim.
///
/// # Errors
///
/// When the store cannot be read or written.
pub async fn set_position(
    store: &dyn ClaimStore,
    key: &ClaimKey,
    position: &Sequence,
    accepts_restored: bool,
) -> Result<bool, StoreError> {
    amend_document(store, key, |document| {
        document.state.set_position(position.clone());
        if accepts_restored {
            document.histories.clear();
        }
    })
    .await
}

async fn amend_document(
    store: &dyn ClaimStore,
    key: &ClaimKey,
    mut change: impl FnMut(&mut ClaimDocument) + Send,
) -> Result<bool, StoreError> {
    loop {
        let Some((mut document, token)) = read_claim(store, key).await? else { return Ok(false) };
        change(&mut document);
        document.owner = None;
        document.epoch += 1;
        document.saved = now_text();
        match store.write(&key.claim(), &json!(document), Some(token)).await {
            // What was compared was another state.
            Ok(_) => return forget_verified(store, key).await.map(|()| true),
            // A live owner saves every few seconds; the next attempt is sooner.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Describes who has a claim that is not ours any more.
pub(super) fn describe_owner(document: Option<ClaimDocument>) -> String {
    match document {
        None => "its document was removed".to_owned(),
        Some(ClaimDocument { owner: Some(owner), epoch, .. }) => {
            format!("{owner} owns it now, in epoch {epoch}")
        }
        Some(_) => "its state was changed from outside".to_owned(),
    }
}

impl Claim {
    pub(super) fn new(
        lease: Arc<Lease>,
        key: ClaimKey,
        fence: Arc<dyn Fence>,
        versions: VersionClock,
        document: ClaimDocument,
        token: Token,
    ) -> Self {
        let shown = Shown { state: document.state.clone(), epoch: document.epoch, lost: None };
        Self {
            owner: document.owner.clone(),
            lease,
            key,
            fence,
            versions,
            held: AsyncMutex::new(Held { document, token }),
            shown: Mutex::new(shown),
            past: AsyncMutex::new(None),
        }
    }

    /// What the claim is on.
    pub fn key(&self) -> &ClaimKey {
        &self.key
    }

    /// The lease that it is held under.
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// The state as last stored.
    pub fn state(&self) -> ClaimState {
        self.shown().state.clone()
    }

    /// The target's name.
    pub fn target(&self) -> IndexName {
        self.shown().state.target.clone()
    }

    /// The epoch that the fence lets write.
    pub fn epoch(&self) -> u64 {
        self.shown().epoch
    }

    /// Makes the versions of operations.
    pub fn versions(&self) -> &VersionClock {
        &self.versions
    }

    /// Whether a write with these versions may be sent right now; gives the epoch to write in.
    ///
    /// # Errors
    ///
    /// When the claim is lost, the lease ran out, or a version lies above the reserved ceiling.
    pub fn check(&self, highest: Version) -> Result<u64, ClaimError> {
        let shown = self.shown();
        let target = || shown.state.target.clone();
        if let Some(reason) = &shown.lost {
            return Err(ClaimError::Lost { target: target(), reason: reason.clone() });
        }
        match self.check_lease() {
            Ok(()) => {}
            Err(LeaseError::Lost(reason)) => return Err(ClaimError::Lost { target: target(), reason }),
            Err(error @ LeaseError::Expired) => {
                return Err(ClaimError::Unavailable { target: target(), reason: error.to_string() });
            }
        }
        let ceiling = self.versions.ceiling();
        if highest > ceiling {
            let reason = format!("version {highest} is above the reserved {ceiling}");
            return Err(ClaimError::Lost { target: target(), reason });
        }
        Ok(shown.epoch)
    }

    /// How the claim was lost, if it was.
    pub fn lost(&self) -> Option<String> {
        let lost = self.shown().lost.clone();
        lost.or_else(|| match self.check_lease() {
            Err(LeaseError::Lost(reason)) => Some(format!("the lease of this process is lost: {reason}")),
            _ => None,
        })
    }

    fn check_lease(&self) -> Result<(), LeaseError> {
        match &self.owner {
            Some(owner) => self.lease.check(owner),
            None => Err(LeaseError::Lost("nobody took it".to_owned())),
        }
    }

    /// Notes that the claim is lost. The first reason stays.
    pub fn lose(&self, reason: String) -> ClaimError {
        let mut shown = self.shown();
        let reason = shown.lost.get_or_insert(reason).clone();
        ClaimError::Lost { target: shown.state.target.clone(), reason }
    }

    /// Stores a position and reserves versions. `None` only reserves versions.
    ///
    /// # Errors
    ///
    /// When the claim is lost or the store does not respond.
    pub async fn save(&self, position: Option<Sequence>) -> Result<(), ClaimError> {
        self.store(|document| {
            if let Some(position) = &position {
                document.state.set_position(position.clone());
            }
        })
        .await?;
        let is_following = self.shown().state.phase != Phase::Loading;
        if let Some(position) = position.filter(|_| is_following) {
            self.remember(position).await;
        }
        Ok(())
    }

    /// Stores the purge position up to which purged documents were fetched again.
    ///
    /// # Errors
    ///
    /// When the claim is lost or the store does not respond.
    pub async fn save_purges(&self, position: Sequence) -> Result<(), ClaimError> {
        self.store(|document| document.state.purges = Some(position.clone())).await
    }

    /// Stores how the database is known now: a server that was upgraded reports a start time that
    /// it did not report before.
    ///
    /// # Errors
    ///
    /// When the claim is lost or the store does not respond.
    pub async fn save_database(&self, identity: DatabaseIdentity) -> Result<(), ClaimError> {
        self.store(|document| document.state.database = identity.clone()).await
    }

    /// Starts over at the beginning of the feed if what the target holds was computed for another
    /// content hash. For a target that is filled by following alone.
    ///
    /// # Errors
    ///
    /// When the claim is lost or the store does not respond.
    pub async fn start_over_for(&self, hash: &str) -> Result<(), ClaimError> {
        if self.state().hash == hash {
            return Ok(());
        }
        self.store(|document| {
            hash.clone_into(&mut document.state.hash);
            document.state.checkpoint = None;
        })
        .await
    }

    /// Enters the next phase: fences all writers of the last one, this process too, then stores the
    /// state.
    ///
    /// # Errors
    ///
    /// When the claim is lost, the target was restored meanwhile, or a server does not respond.
    pub async fn enter(&self, phase: Phase) -> Result<(), ClaimError> {
        self.confirm().await?;
        let epoch = self.epoch() + 1;
        self.store(|document| document.epoch = document.epoch.max(epoch)).await?;
        self.install(epoch).await?;
        self.store(|document| {
            if document.state.phase != phase {
                document.state.enter(phase);
            }
        })
        .await
    }

    /// Enters the next phase as the last write under this claim, without a new epoch: whoever
    /// closes the ranges of a load removes the fence.
    ///
    /// # Errors
    ///
    /// When the claim is lost, the target was restored meanwhile, or a server does not respond.
    pub async fn complete(&self) -> Result<(), ClaimError> {
        self.confirm().await?;
        self.store(|document| {
            if document.state.phase == Phase::Loading {
                document.state.enter(Phase::CatchingUp);
            }
        })
        .await
    }

    /// Compares the histories of the target with the stored ones: after a restore, acknowledged
    /// documents may be missing.
    ///
    /// # Errors
    ///
    /// When they differ, which loses the claim, or cannot be read.
    pub async fn confirm(&self) -> Result<(), ClaimError> {
        let found = self.fence.histories().await.map_err(|error| self.fence_error(error))?;
        let stored = self.held.lock().await.document.histories.clone();
        if stored == found {
            return Ok(());
        }
        Err(self.lose(format!("the target was restored meanwhile: {}", changed_histories(&stored, &found))))
    }

    /// Called when the fence seems to be missing: installs it again if the claim is still ours.
    ///
    /// # Errors
    ///
    /// When the claim is not ours any more, or a server does not respond.
    pub async fn repair(&self) -> Result<(), ClaimError> {
        self.store(|_| {}).await?;
        let epoch = self.epoch();
        tracing::warn!(target = %self.target(), epoch, "the fence is missing and is installed again");
        self.install(epoch).await
    }

    /// Releases the claim, after the last save.
    ///
    /// # Errors
    ///
    /// When it is lost already, or the store does not respond: it then stays with the lease.
    pub async fn release(&self) -> Result<(), ClaimError> {
        self.store(|document| document.owner = None).await?;
        self.lose("it was released".to_owned());
        Ok(())
    }

    async fn install(&self, epoch: u64) -> Result<(), ClaimError> {
        match self.fence.install(epoch).await {
            Ok(()) => {
                self.shown().epoch = epoch;
                Ok(())
            }
            Err(error) => Err(self.fence_error(error)),
        }
    }

    fn fence_error(&self, error: FenceError) -> ClaimError {
        match error {
            FenceError::Overtaken(reason) | FenceError::TargetGone(reason) => self.lose(reason),
            error => self.unavailable(&error),
        }
    }

    /// Writes the document with a change, which reserves versions.
    async fn store(&self, mut change: impl FnMut(&mut ClaimDocument) + Send) -> Result<(), ClaimError> {
        let mut held = self.held.lock().await;
        if let Some(reason) = self.lost() {
            return Err(self.lose(reason));
        }
        let store = self.lease.store();
        let mut seen = Some(held.token);
        for _ in 0..SAVE_TRIES {
            let mut document = held.document.clone();
            change(&mut document);
            document.state.ceiling = self.versions.next_ceiling();
            document.saved = now_text();
            match store.write(&self.key.claim(), &json!(document), seen).await {
                Ok(token) => {
                    self.versions.reserved(document.state.ceiling);
                    self.shown().state = document.state.clone();
                    *held = Held { document, token };
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(self.unavailable(&error)),
            }
            match read_claim(store.as_ref(), &self.key).await {
                // An earlier save of our own whose response was lost: nobody else has the owner's id.
                Ok(Some((document, token))) if self.is_ours(&document) => {
                    seen = Some(token);
                    *held = Held { document, token };
                }
                // The store was emptied. As long as our fence is installed, nobody else can have taken the
                // claim.
                Ok(None) if self.is_fenced_by_us(held.document.epoch).await? => seen = None,
                Ok(other) => return Err(self.lose(describe_owner(other.map(|(document, _)| document)))),
                Err(error) => return Err(self.unavailable(&error)),
            }
        }
        Err(self.unavailable(&"earlier writes of the same kind keep arriving late"))
    }

    fn is_ours(&self, document: &ClaimDocument) -> bool {
        let id = |owner: &Option<Owner>| owner.as_ref().map(|owner| owner.id.clone());
        document.owner.is_some() && id(&document.owner) == id(&self.owner)
    }

    async fn is_fenced_by_us(&self, epoch: u64) -> Result<bool, ClaimError> {
        let installed = self.fence.installed().await.map_err(|error| self.fence_error(error))?;
        Ok(installed == epoch)
    }

    /// Adds a checkpoint to the earlier ones. They are for going back by hand, so a failure is not
    /// an error.
    async fn remember(&self, position: Sequence) {
        let mut past = self.past.lock().await;
        let (store, key) = (self.lease.store(), self.key.past());
        if past.is_none() {
            let read = match store.read(&key).await {
                Ok(read) => read,
                Err(error) => return tracing::debug!(%error, "earlier checkpoints cannot be read"),
            };
            let token = read.as_ref().map(|stored| stored.token);
            let known = read.and_then(|stored| serde_json::from_value(stored.value).ok());
            *past = Some((known.unwrap_or_default(), token));
        }
        let Some((checkpoints, token)) = past.as_mut() else { return };
        if !checkpoints.add(position, &now_text()) {
            return;
        }
        match store.write(&key, &json!(checkpoints), *token).await {
            Ok(written) => *token = Some(written),
            Err(error) => {
                tracing::debug!(%error, "an earlier checkpoint is not stored");
                *past = None;
            }
        }
    }

    fn unavailable(&self, reason: &dyn fmt::Display) -> ClaimError {
        ClaimError::Unavailable { target: self.target(), reason: reason.to_string() }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Nothing panics while it is held.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
