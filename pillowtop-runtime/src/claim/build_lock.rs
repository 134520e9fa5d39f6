//! The right to build an index: two processes that find none must not create one each.
//!
//! It is a document in the claim store, changed only by compare-and-set, and it ends with its
//! owner's lease. What has been written is protected by the claim on the index itself, so a lock
//! that is lost costs a second index and nothing else.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::AliasName;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::acquire::{AcquireError, AcquireOptions, WhenHeld};
use super::follow::is_alive;
use super::lease::Lease;
use super::store::{ClaimStore, Owner, StoreError, Token};
use crate::clock::now_text;

/// How often a lock is read that another process holds.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What the keys of all locks begin with.
pub(crate) const BUILDS: &str = "build:";

/// Who builds an index.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Build {
    /// The process.
    pub owner: Owner,
    /// The length of its lease in milliseconds.
    pub lease_ms: u64,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

impl Build {
    /// How long the owner's lease lasts without being renewed.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

/// The right to build the index of a hashed alias, until it is released or the lease ends.
#[derive(Debug)]
pub struct BuildLock {
    store: Arc<dyn ClaimStore>,
    key: String,
    token: Token,
}

impl BuildLock {
    /// Takes the lock. That of an owner that is not alive any more is taken over.
    ///
    /// # Errors
    ///
    /// When another process holds it and is not to be waited for, or the store does not respond.
    pub async fn acquire(
        lease: &Arc<Lease>,
        name: &AliasName,
        options: &AcquireOptions,
    ) -> Result<Self, AcquireError> {
        let (store, key) = (Arc::clone(lease.store()), format!("{BUILDS}{name}"));
        let mut is_told = false;
        loop {
            let owner = lease.owner();
            let seen = store.read(&key).await?;
            if let Some(stored) = &seen
                && let Some(build) = held(store.as_ref(), &stored.value, &owner).await?
            {
                let target = name.as_str().into();
                if options.when_held == WhenHeld::Fail {
                    let length = build.length();
                    return Err(AcquireError::Held { target, owner: Box::new(build.owner), length });
                }
                if !std::mem::replace(&mut is_told, true) {
                    (options.notify.0)(&format!("waiting: `{name}` is being built by {}", build.owner));
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
                continue;
            }
            let document = json!(Build { owner, lease_ms: lease.length_ms(), since: now_text() });
            match store.write(&key, &document, seen.map(|stored| stored.token)).await {
                Ok(token) => return Ok(Self { store, key, token }),
                // Another process was faster.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lets others build. A lock that cannot be removed ends with the lease.
    pub async fn release(self) {
        if let Err(error) = self.store.remove(&self.key, self.token).await {
            tracing::debug!(key = self.key, %error, "cannot release the build lock");
        }
    }
}

/// Who else holds a lock and is alive.
async fn held(
    store: &dyn ClaimStore,
    value: &serde_json::Value,
    own: &Owner,
) -> Result<Option<Build>, StoreError> {
    let Ok(build) = Build::deserialize(value) else { return Ok(None) };
    if build.owner.id == own.id || !is_alive(store, &build.owner, build.length()).await? {
        return Ok(None);
    }
    Ok(Some(build))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{FileClaimStore, Notify};

    const LENGTH: Duration = Duration::from_millis(600);

    fn options(when_held: WhenHeld) -> AcquireOptions {
        AcquireOptions { when_held, notify: Notify(Arc::new(|_| ())) }
    }

    #[tokio::test]
    async fn one_process_builds_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn ClaimStore> = Arc::new(FileClaimStore::open(directory.path()).unwrap());
        let start = async |label: &str| Lease::start(Arc::clone(&store), label, LENGTH).await.unwrap();
        let (first, second) = (start("one").await, start("two").await);
        let name = AliasName::from("cases_0");
        let lock = BuildLock::acquire(&first, &name, &options(WhenHeld::Fail)).await.unwrap();
        let held = BuildLock::acquire(&second, &name, &options(WhenHeld::Fail)).await.unwrap_err();
        assert!(matches!(&held, AcquireError::Held { owner, .. } if owner.label == "one"), "{held:?}");
        let other = AliasName::from("users_0");
        BuildLock::acquire(&second, &other, &options(WhenHeld::Fail)).await.unwrap().release().await;
        let waiting =
            async { BuildLock::acquire(&second, &name, &options(WhenHeld::Standby)).await.unwrap() };
        let releasing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            lock.release().await;
        };
        let (waited, ()) = tokio::join!(waiting, releasing);
        // An owner that is gone without releasing it.
        drop(waited);
        second.end().await.unwrap();
        BuildLock::acquire(&first, &name, &options(WhenHeld::Fail)).await.unwrap().release().await;
    }
}
