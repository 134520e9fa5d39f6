//! A process's sign of life in a claim store: one document, renewed at a third of its length,
//! whatever the number of claims.
//!
//! A lease that stays unchanged for its whole length, by the clock of the process that watches it,
//! may be marked as expired by compare-and-set. The owner's next renewal then fails, so it knows
//! that it lost every claim, and it continues under a new id. Until it is marked, a lease that ran
//! out is renewed and nothing is lost.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::task::JoinHandle;

use super::process::ProcessIdentity;
use super::store::{ClaimStore, LEASES, Owner, StoreError, Token};
use crate::clock::{boot_time, now_micros, now_text, text_of_micros};
use crate::unique_id::unique_id;

/// How many claims are taken at once: each changes the cluster's state.
const TAKEOVERS: usize = 4;
/// How often a renewal is tried over earlier renewals of our own whose responses were lost.
const RENEWAL_TRIES: usize = 3;
/// How long the lease of an owner that is gone is kept, in microseconds.
const KEPT: u64 = 24 * 3600 * 1_000_000;

/// Why nothing may be written under a lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// It ran out and is being renewed. Whether it is lost shows then.
    #[error("the lease ran out and is being renewed")]
    Expired,
    /// Another process marked it as expired, or it was ended.
    #[error("the lease is lost: {0}")]
    Lost(String),
}

/// The document of a lease.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LeaseDocument {
    owner: Owner,
    /// RFC 3339 in UTC.
    pub(super) renewed: String,
    /// Who marked it as expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expired_by: Option<String>,
}

/// A process's lease, renewed until it is dropped.
pub struct Lease {
    inner: Arc<Inner>,
    keeper: JoinHandle<()>,
}

struct Inner {
    store: Arc<dyn ClaimStore>,
    length: Duration,
    takeovers: Semaphore,
    /// The last write that is known to be ours. Held while renewing.
    token: AsyncMutex<Option<Token>>,
    shown: Mutex<Shown>,
}

struct Shown {
    /// Who holds it now: another id after it was lost.
    owner: Owner,
    /// By [`boot_time`].
    ends: Duration,
    /// How it was lost last.
    lost: Option<String>,
    is_ended: bool,
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lease").field("owner", &self.owner().label).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Lease {
    /// The length of a lease by default.
    pub const LENGTH: Duration = Duration::from_secs(30);

    /// Begins a lease for this process. `label` is what people call it: host and command. Panics
    /// outside of a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn start(
        store: Arc<dyn ClaimStore>,
        label: impl Into<String>,
        length: Duration,
    ) -> Result<Arc<Self>, StoreError> {
        let owner = Owner { id: unique_id(), label: label.into(), process: ProcessIdentity::own() };
        let shown = Mutex::new(Shown { owner, ends: Duration::ZERO, lost: None, is_ended: false });
        let (takeovers, token) = (Semaphore::new(TAKEOVERS), AsyncMutex::new(None));
        let inner = Arc::new(Inner { store, length, takeovers, token, shown });
        inner.renew().await?;
        if let Err(error) = inner.remove_old_leases().await {
            tracing::debug!(%error, "cannot remove expired leases");
        }
        let keeper = tokio::spawn(Arc::clone(&inner).keep());
        Ok(Arc::new(Self { inner, keeper }))
    }

    /// Who holds it now.
    pub fn owner(&self) -> Owner {
        self.inner.shown().owner.clone()
    }

    /// How long it lasts without being renewed.
    pub fn length(&self) -> Duration {
        self.inner.length
    }

    /// The same in milliseconds, as it is stored.
    pub(super) fn length_ms(&self) -> u64 {
        u64::try_from(self.length().as_millis()).unwrap_or(u64::MAX)
    }

    /// The store that it is in.
    pub fn store(&self) -> &Arc<dyn ClaimStore> {
        &self.inner.store
    }

    /// Whether an owner may write under it right now.
    ///
    /// # Errors
    ///
    /// When it ran out, or that owner has lost it.
    pub fn check(&self, owner: &Owner) -> Result<(), LeaseError> {
        let shown = self.inner.shown();
        if shown.is_ended {
            return Err(LeaseError::Lost("it was ended".to_owned()));
        }
        if shown.owner.id != owner.id {
            return Err(LeaseError::Lost(shown.lost.clone().unwrap_or_default()));
        }
        if boot_time() >= shown.ends { Err(LeaseError::Expired) } else { Ok(()) }
    }

    /// Whether it was ended. A new one is needed then.
    pub fn is_ended(&self) -> bool {
        self.inner.shown().is_ended
    }

    /// Limits how many claims are taken at once.
    pub(super) fn takeovers(&self) -> &Semaphore {
        &self.inner.takeovers
    }

    /// Ends the lease, after all claims were released.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. The lease then runs out.
    pub async fn end(&self) -> Result<(), StoreError> {
        self.keeper.abort();
        let mut token = self.inner.token.lock().await;
        self.inner.shown().is_ended = true;
        match token.take() {
            Some(seen) => self.inner.store.remove(&self.owner().lease(), seen).await,
            None => Ok(()),
        }
    }
}

/// Marks another owner's lease as expired, if the write that was `seen` is still the latest.
/// `false` if it was renewed meanwhile.
pub(super) async fn expire(
    store: &dyn ClaimStore,
    owner: &Owner,
    seen: Option<Token>,
    by: &Owner,
) -> Result<bool, StoreError> {
    let expired_by = Some(by.label.clone());
    let document = LeaseDocument { owner: owner.clone(), renewed: now_text(), expired_by };
    match store.write(&owner.lease(), &json!(document), seen).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Inner {
    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        // Nothing panics while it is held.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every claim under it is lost. It continues under a new id.
    fn lose(&self, reason: String) {
        tracing::warn!(
            store = self.store.describe(),
            reason,
            "the lease and every claim under it are lost; taking a new one"
        );
        let mut shown = self.shown();
        shown.owner.id = unique_id();
        shown.lost = Some(reason);
    }

    async fn keep(self: Arc<Self>) {
        let mut wait = self.length / 3;
        let mut is_failing = false;
        loop {
            tokio::time::sleep(wait.max(Duration::from_millis(10))).await;
            if self.shown().is_ended {
                return;
            }
            match self.renew().await {
                Ok(()) => {
                    if std::mem::take(&mut is_failing) {
                        tracing::info!(store = self.store.describe(), "the lease is renewed again");
                    }
                    wait = self.length / 3;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(store = self.store.describe(), %error, "cannot renew the lease");
                    }
                    wait = self.length / 10;
                }
            }
        }
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let mut token = self.token.lock().await;
        let mut result = Ok(());
        for _ in 0..RENEWAL_TRIES {
            let asked = boot_time();
            let owner = self.shown().owner.clone();
            let key = owner.lease();
            let document = LeaseDocument { owner, renewed: now_text(), expired_by: None };
            match self.store.write(&key, &json!(document), *token).await {
                Ok(written) => {
                    *token = Some(written);
                    self.shown().ends = asked + self.length;
                    return Ok(());
                }
                Err(error @ StoreError::Conflict { .. }) => result = Err(error),
                Err(error) => return Err(error),
            }
            // An earlier renewal whose response was lost, or another process that marked it, or a store that
            // was emptied.
            match self.store.read(&key).await? {
                None => *token = None,
                Some(stored) => match serde_json::from_value::<LeaseDocument>(stored.value) {
                    Ok(LeaseDocument { expired_by: None, .. }) => *token = Some(stored.token),
                    Ok(LeaseDocument { expired_by: Some(by), .. }) => {
                        self.lose(format!("{by} marked it as expired"));
                        *token = None;
                    }
                    Err(error) => {
                        self.lose(format!("its document cannot be read: {error}"));
                        *token = None;
                    }
                },
            }
        }
        result
    }

    /// Removes leases of owners that ended long ago. No process watches them any more.
    async fn remove_old_leases(&self) -> Result<(), StoreError> {
        let oldest = text_of_micros(now_micros().saturating_sub(KEPT));
        for (key, stored) in self.store.list(LEASES).await? {
            let renewed = stored.value.get("renewed").and_then(serde_json::Value::as_str);
            if renewed.is_some_and(|renewed| renewed < oldest.as_str()) {
                match self.store.remove(&key, stored.token).await {
                    Ok(()) | Err(StoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
