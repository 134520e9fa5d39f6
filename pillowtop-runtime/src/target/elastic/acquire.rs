//! Taking the lease of an index.
//!
//! | the control document | what is done |
//! |---|---|
//! | is missing | it is created |
//! | has no owner | taken at once |
//! | has an owner that certainly died on this machine | taken at once |
//! | has another owner | taken when it stays unchanged for a whole lease by our own clock: nobody's wall clock is asked. Once it changes, the owner is alive |
//!
//! Taking is: win the compare-and-set, which reserves versions above all earlier ones; rotate the private alias, so that what the
//! last owner still sends is refused; read the control document again; only then go on from its position.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pillowtop_core::{Definition, DocumentId, IndexName};
use tokio::sync::Mutex as AsyncMutex;

use super::bookkeeping::Bookkeeping;
use super::cluster::Cluster;
use super::control::{self, ControlDocument, Owner, Place, StoreError, Stored};
use super::dead_letters;
use super::error::ClusterError;
use super::fence::{self, FenceError};
use super::owned::{Control, OwnedIndex, Shown};
use super::process::{ProcessIdentity, unique_id};
use crate::clock::{VersionClock, boot_time, now_text};
use crate::operation::Version;
use crate::state::{IndexState, Phase};

/// How often a held lease is looked at, within a lease.
const LOOKS: u32 = 10;
/// The longest and the shortest time between two looks.
const LOOK_INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What is done when another process holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenHeld {
    /// An error that names the owner, as soon as it shows that it is alive, which takes a few seconds.
    Fail,
    /// Wait for it, for as long as it takes.
    Standby,
}

/// How a lease is taken.
#[derive(Debug, Clone)]
pub struct AcquireOptions {
    /// What people call this owner: host and command.
    pub label: String,
    /// How long it lasts without a save; 30 s by default.
    pub lease: Duration,
    /// What is done when another process holds it; by default it is waited for.
    pub when_held: WhenHeld,
    /// Told once that somebody is waited for, in a sentence; by default a log line.
    pub tell: Tell,
}

/// Who is told that a lease is waited for.
#[derive(Clone)]
pub struct Tell(pub Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Tell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tell")
    }
}

impl AcquireOptions {
    /// The defaults, for an owner of this name.
    pub fn new(label: impl Into<String>) -> Self {
        let tell = Tell(Arc::new(|sentence: &str| tracing::info!("{sentence}")));
        Self { label: label.into(), lease: Duration::from_secs(30), when_held: WhenHeld::Standby, tell }
    }
}

/// Why a lease was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The cluster did not do something.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Another process has it.
    #[error(
        "index `{index}` is owned by {} (process {}), which is alive: it has just renewed its lease of {lease:?}",
        owner.label,
        owner.process.pid
    )]
    Held {
        /// The index.
        index: IndexName,
        /// Who has it.
        owner: Box<Owner>,
        /// How long its lease lasts without being renewed.
        lease: Duration,
    },
    /// There is no such physical index.
    #[error("there is no index `{0}`")]
    NoIndex(IndexName),
    /// The index has no stored state, and none was given to begin with.
    #[error(
        "index `{0}` has no stored state: it was never loaded, or the control index is lost; load it anew, or set its checkpoint"
    )]
    NoState(IndexName),
    /// The index was restored from a snapshot, or a shard was given up: documents that were acknowledged may be missing.
    #[error(
        "the shards of index `{index}` are no longer those that its state was stored for ({reason}); {}",
        match phase {
            Phase::Loading => "the load has to start anew, in a new index",
            Phase::CatchingUp | Phase::Following =>
                "rewind its checkpoint to before the snapshot and verify, or load a new index",
        }
    )]
    IdentityChanged {
        /// The index.
        index: IndexName,
        /// How far it was.
        phase: Phase,
        /// Which shards.
        reason: String,
    },
    /// The fence cannot be put up: taking the lease needs the privilege `manage` on the index, for its aliases.
    #[error(
        "the private alias of index `{index}` cannot be changed, which needs the privilege `manage` on it: {reason}"
    )]
    AliasForbidden {
        /// The index.
        index: IndexName,
        /// The server's reason.
        reason: String,
    },
    /// Another process took it at the same time.
    #[error("another process took index `{index}` at the same time: {reason}")]
    Overtaken {
        /// The index.
        index: IndexName,
        /// How that was noticed.
        reason: String,
    },
}

impl OwnedIndex {
    /// Takes the lease of a physical index. `initial` is the state to begin with when none is stored; without it that is an error.
    pub async fn acquire(
        cluster: &Cluster,
        definition: &Definition,
        index: &IndexName,
        options: AcquireOptions,
        initial: Option<IndexState>,
    ) -> Result<Self, AcquireError> {
        Bookkeeping::Control.ensure(cluster).await?;
        Bookkeeping::DeadLetters.ensure(cluster).await?;
        let uuid = cluster.index_uuid(index).await?;
        let uuid = uuid.ok_or_else(|| AcquireError::NoIndex(index.clone()))?;
        cluster.check_mapping(definition, index).await?;
        let owner = Owner { id: unique_id(), label: options.label.clone(), process: ProcessIdentity::own() };
        let taking = Taking { cluster, index, uuid, options, initial, owner };
        let taken = taking.take().await?;
        // Between the first look at the mapping and the fence somebody may have applied another one.
        let checked = cluster.check_mapping(definition, index).await;
        let letters = dead_letters::open_letters(cluster, &taking.uuid).await;
        match checked.and(letters) {
            Ok(letters) => Ok(taking.owned(taken, letters)),
            Err(error) => {
                taking.give_back(taken).await;
                Err(error.into())
            }
        }
    }
}

struct Taking<'a> {
    cluster: &'a Cluster,
    index: &'a IndexName,
    uuid: String,
    options: AcquireOptions,
    initial: Option<IndexState>,
    owner: Owner,
}

/// A won control document.
struct Taken {
    document: ControlDocument,
    place: Place,
    versions: VersionClock,
    /// When the request that won was sent.
    asked: Duration,
}

/// A write of somebody else's control document, and since when there was none after it.
struct Watched {
    place: Place,
    owner_id: String,
    since: Duration,
}

impl Taking<'_> {
    async fn take(&self) -> Result<Taken, AcquireError> {
        let mut watched = None;
        loop {
            let seen = match control::read(self.cluster, &self.uuid).await {
                // Whoever stands by outlasts a cluster that does not answer. What was seen stays valid: a write in
                // the meantime will show.
                Err(error) if self.stands_by() && watched.is_some() && error.is_retryable() => {
                    tracing::warn!(index = %self.index, %error, "the lease cannot be looked at");
                    tokio::time::sleep(LOOK_INTERVAL.1).await;
                    continue;
                }
                seen => seen?,
            };
            if let Some(wait) = self.must_wait(seen.as_ref(), &mut watched)? {
                tokio::time::sleep(wait).await;
                continue;
            }
            let won = match self.try_to_win(seen).await {
                Ok(Some(taken)) => self.put_up_the_fence(taken).await.map(Some),
                lost => lost,
            };
            match won {
                Ok(Some(taken)) => return Ok(taken),
                // Somebody else was faster.
                Ok(None) => {}
                // The owner may have died with its node, and the cluster may need a moment.
                Err(AcquireError::Cluster(error)) if self.stands_by() && error.is_retryable() => {
                    tracing::warn!(index = %self.index, %error, "the lease cannot be taken yet");
                    tokio::time::sleep(LOOK_INTERVAL.1).await;
                }
                Err(AcquireError::Overtaken { reason, .. }) if self.stands_by() => {
                    tracing::info!(index = %self.index, reason, "another process was faster");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn stands_by(&self) -> bool {
        self.options.when_held == WhenHeld::Standby
    }

    /// How long to wait before looking again; `None` when the lease may be taken.
    fn must_wait(
        &self,
        seen: Option<&Stored>,
        watched: &mut Option<Watched>,
    ) -> Result<Option<Duration>, AcquireError> {
        let Some(Stored { document, place }) = seen else { return Ok(None) };
        let Some(owner) = &document.owner else { return Ok(None) };
        if owner.process.is_dead(&self.owner.process) {
            tracing::info!(index = %self.index, owner = %owner.label, "the owner is dead, its lease is taken");
            return Ok(None);
        }
        let lease = Duration::from_millis(document.lease_ms);
        let now = boot_time();
        match watched {
            Some(watched) if watched.place == *place && watched.owner_id == owner.id => {
                if now.saturating_sub(watched.since) >= lease {
                    tracing::info!(index = %self.index, owner = %owner.label, "the lease has run out and is taken");
                    return Ok(None);
                }
            }
            Some(_) if !self.stands_by() => {
                let (index, owner) = (self.index.clone(), Box::new(owner.clone()));
                return Err(AcquireError::Held { index, owner, lease });
            }
            _ => {
                if watched.as_ref().is_none_or(|watched| watched.owner_id != owner.id) {
                    (self.options.tell.0)(&self.waiting_for(owner, lease));
                }
                *watched = Some(Watched { place: *place, owner_id: owner.id.clone(), since: now });
            }
        }
        Ok(Some((lease / LOOKS).clamp(LOOK_INTERVAL.0, LOOK_INTERVAL.1)))
    }

    fn waiting_for(&self, owner: &Owner, lease: Duration) -> String {
        let (index, label, pid) = (self.index, &owner.label, owner.process.pid);
        if self.stands_by() {
            format!("standing by: index `{index}` is owned by {label} (process {pid})")
        } else {
            let seconds = lease.as_secs();
            format!(
                "index `{index}` is owned by {label} (process {pid}): looking for up to {seconds} s whether that is alive"
            )
        }
    }

    /// Writes the control document as its owner; `None` when somebody else was faster.
    async fn try_to_win(&self, seen: Option<Stored>) -> Result<Option<Taken>, AcquireError> {
        let shards = fence::shard_histories(self.cluster, self.index).await?;
        // An alias may outlive the control document.
        let last_epoch = fence::epochs(self.cluster, self.index).await?.into_iter().max();
        let (mut document, place) = match seen {
            Some(Stored { document, place }) => {
                self.check_identity(&document, &shards)?;
                (document, Some(place))
            }
            None => (self.first_document(shards)?, None),
        };
        let versions = VersionClock::above(document.state.ceiling);
        document.epoch = document.epoch.max(last_epoch.unwrap_or(0)) + 1;
        document.state.ceiling = versions.next_ceiling();
        document.owner = Some(self.owner.clone());
        document.lease_ms = u64::try_from(self.options.lease.as_millis()).unwrap_or(u64::MAX);
        document.saved = now_text();
        let asked = boot_time();
        match control::store(self.cluster, &self.uuid, &document, place).await {
            Ok(place) => {
                versions.reserved(document.state.ceiling);
                Ok(Some(Taken { document, place, versions, asked }))
            }
            Err(StoreError::Conflict) => Ok(None),
            Err(StoreError::Cluster(error)) => Err(error.into()),
        }
    }

    fn first_document(&self, shards: BTreeMap<String, String>) -> Result<ControlDocument, AcquireError> {
        let state = self.initial.clone().ok_or_else(|| AcquireError::NoState(self.index.clone()))?;
        Ok(ControlDocument { state, owner: None, lease_ms: 0, epoch: 0, shards, saved: now_text() })
    }

    fn check_identity(
        &self,
        document: &ControlDocument,
        shards: &BTreeMap<String, String>,
    ) -> Result<(), AcquireError> {
        if document.shards == *shards {
            return Ok(());
        }
        let changed = shards.iter().filter(|(number, history)| document.shards.get(*number) != Some(history));
        let changed: Vec<&str> = changed.map(|(number, _)| number.as_str()).collect();
        Err(AcquireError::IdentityChanged {
            index: self.index.clone(),
            phase: document.state.phase,
            reason: format!("another history in shard {}", changed.join(", ")),
        })
    }

    async fn put_up_the_fence(&self, taken: Taken) -> Result<Taken, AcquireError> {
        let overtaken =
            |reason: &str| AcquireError::Overtaken { index: self.index.clone(), reason: reason.to_owned() };
        match fence::rotate(self.cluster, self.index, taken.document.epoch).await {
            Ok(()) => {}
            Err(FenceError::Overtaken(alias)) => {
                return Err(overtaken(&format!("alias `{alias}` is there already")));
            }
            Err(FenceError::Cluster(error)) => {
                self.give_back(taken).await;
                return Err(match error {
                    ClusterError::Forbidden { reason, .. } => {
                        AcquireError::AliasForbidden { index: self.index.clone(), reason }
                    }
                    error => error.into(),
                });
            }
        }
        match control::read(self.cluster, &self.uuid).await? {
            Some(stored) if stored.place == taken.place && stored.document == taken.document => Ok(taken),
            _ => Err(overtaken("its control document has changed")),
        }
    }

    /// Nobody should have to wait for the lease of an owner that never wrote. When it cannot be given back, it runs out.
    async fn give_back(&self, taken: Taken) {
        let document = ControlDocument { owner: None, ..taken.document };
        if let Err(error) = control::store(self.cluster, &self.uuid, &document, Some(taken.place)).await {
            tracing::warn!(index = %self.index, %error, "the lease could not be given back");
        }
    }

    fn owned(self, taken: Taken, letters: HashMap<DocumentId, Version>) -> OwnedIndex {
        let Taken { document, place, versions, asked } = taken;
        let shown = Shown {
            state: document.state.clone(),
            write_alias: fence::write_alias(self.index, document.epoch),
            lease_ends: asked + self.options.lease,
            lost: None,
        };
        OwnedIndex {
            cluster: self.cluster.clone(),
            index: self.index.clone(),
            uuid: self.uuid,
            owner_id: self.owner.id,
            lease: self.options.lease,
            versions,
            control: AsyncMutex::new(Control { document, place }),
            shown: Mutex::new(shown),
            letters: Mutex::new(letters),
        }
    }
}
