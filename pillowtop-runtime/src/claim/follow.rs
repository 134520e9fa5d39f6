//! Whether a claim is followed, as others see it: whether its owner's lease is renewed, and what
//! the owner reports.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lease::LeaseDocument;
use super::store::{ClaimKey, ClaimStore, LEASES, Owner, StoreError, Token};
use crate::clock::{boot_time, now_micros, text_of_micros};

/// How often a lease is read within its length while its renewal is awaited.
const READS: u32 = 10;
/// The longest time between two reads.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What an owner reports of a claim when it changes: stored under a key of its own, so that an idle
/// owner writes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowReport {
    /// Why nothing is applied now, if the pillow is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// How many changes of the source are not yet applied, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// Since when changes are pending without a moment at which none was, RFC 3339 in UTC: nothing
    /// older is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<String>,
    /// When it was written, RFC 3339 in UTC, for people.
    pub written: String,
}

impl FollowReport {
    /// The key of the report's document.
    pub fn key(claim: &ClaimKey) -> String {
        format!("report:{claim}")
    }

    /// Reads the report of a claim; `None` if the owner never reported anything.
    ///
    /// # Errors
    ///
    /// When the store does not respond, or the report cannot be read.
    pub async fn read(store: &dyn ClaimStore, claim: &ClaimKey) -> Result<Option<Self>, StoreError> {
        let key = Self::key(claim);
        store.read(&key).await?.map(|stored| stored.parse(format_args!("`{key}`"))).transpose()
    }
}

/// The leases of a store as one reading found them.
#[derive(Debug, Clone, Default)]
pub struct Leases(BTreeMap<String, LeaseDocument>);

impl Leases {
    /// Adds a document, if it is that of a lease.
    pub fn add(&mut self, key: &str, value: &Value) {
        if key.starts_with(LEASES)
            && let Ok(lease) = LeaseDocument::deserialize(value)
        {
            self.0.insert(key.to_owned(), lease);
        }
    }

    /// Whether an owner seems to be alive: its lease was renewed within its length by the wall
    /// clock. Only [`is_alive`], which may have to wait, is certain.
    pub fn seems_alive(&self, owner: &Owner, length: Duration) -> bool {
        let lease = self.0.get(&owner.lease()).filter(|lease| lease.expired_by.is_none());
        !owner.is_dead() && lease.is_some_and(|lease| is_recent(&lease.renewed, length))
    }
}

/// Whether an owner is alive: its lease was renewed within its length by the wall clock, or is
/// renewed within its length from now on.
///
/// # Errors
///
/// When the store does not respond.
pub async fn is_alive(store: &dyn ClaimStore, owner: &Owner, length: Duration) -> Result<bool, StoreError> {
    if owner.is_dead() {
        return Ok(false);
    }
    let Some((token, lease)) = read_lease(store, owner).await? else { return Ok(false) };
    if lease.expired_by.is_some() {
        return Ok(false);
    }
    if is_recent(&lease.renewed, length) {
        return Ok(true);
    }
    // The owner's wall clock may differ from ours.
    let began = boot_time();
    while boot_time().saturating_sub(began) < length {
        tokio::time::sleep((length / READS).min(LONGEST_WAIT)).await;
        match read_lease(store, owner).await? {
            Some((found, lease)) if found != token => return Ok(lease.expired_by.is_none()),
            Some(_) => {}
            None => return Ok(false),
        }
    }
    Ok(false)
}

async fn read_lease(
    store: &dyn ClaimStore,
    owner: &Owner,
) -> Result<Option<(Token, LeaseDocument)>, StoreError> {
    let Some(stored) = store.read(&owner.lease()).await? else { return Ok(None) };
    let token = stored.token;
    Ok(Some((token, stored.parse(format_args!("the lease of {}", owner.label))?)))
}

/// Whether a time, RFC 3339 in UTC, lies within this length of the present.
fn is_recent(time: &str, length: Duration) -> bool {
    let (now, length) = (now_micros(), u64::try_from(length.as_micros()).unwrap_or(u64::MAX));
    let (earliest, latest) =
        (text_of_micros(now.saturating_sub(length)), text_of_micros(now.saturating_add(length)));
    earliest.as_str() <= time && time <= latest.as_str()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::claim::{FileClaimStore, Lease};

    const LENGTH: Duration = Duration::from_millis(600);

    #[tokio::test]
    async fn an_owner_is_alive_while_its_lease_is_renewed() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn ClaimStore> = Arc::new(FileClaimStore::open(directory.path()).unwrap());
        let lease = Lease::start(Arc::clone(&store), "host: run", LENGTH).await.unwrap();
        let owner = lease.owner();
        assert_eq!(is_alive(store.as_ref(), &owner, LENGTH).await, Ok(true));
        let seems_alive = |value: &Value| {
            let mut leases = Leases::default();
            leases.add(&owner.lease(), value);
            leases.seems_alive(&owner, LENGTH)
        };
        // A wall clock that is wrong by a year.
        let stored = store.read(&owner.lease()).await.unwrap().unwrap();
        let mut value = stored.value.clone();
        assert!(seems_alive(&value) && !Leases::default().seems_alive(&owner, LENGTH));
        value["renewed"] = json!("2020-01-01T00:00:00Z");
        assert!(!seems_alive(&value));
        store.write(&owner.lease(), &value, Some(stored.token)).await.unwrap();
        assert_eq!(is_alive(store.as_ref(), &owner, LENGTH).await, Ok(true));
        drop(lease);
        let stored = store.read(&owner.lease()).await.unwrap().unwrap();
        store.write(&owner.lease(), &value, Some(stored.token)).await.unwrap();
        assert_eq!(is_alive(store.as_ref(), &owner, LENGTH).await, Ok(false));
    }

    #[tokio::test]
    async fn an_owner_whose_lease_was_removed_is_not_alive() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn ClaimStore> = Arc::new(FileClaimStore::open(directory.path()).unwrap());
        let lease = Lease::start(Arc::clone(&store), "host: run", LENGTH).await.unwrap();
        lease.end().await.unwrap();
        assert_eq!(is_alive(store.as_ref(), &lease.owner(), LENGTH).await, Ok(false));
    }

    #[tokio::test]
    async fn a_report_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileClaimStore::open(directory.path()).unwrap();
        let key = ClaimKey::whole("u");
        assert_eq!(FollowReport::read(&store, &key).await, Ok(None));
        let report = FollowReport { paused: Some("closed".to_owned()), ..FollowReport::default() };
        store.write(&FollowReport::key(&key), &json!(report), None).await.unwrap();
        assert_eq!(FollowReport::read(&store, &key).await, Ok(Some(report)));
    }
}
