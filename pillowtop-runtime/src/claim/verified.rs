//! When a claim's target was last compared with its source, and what was found: stored beside the
//! claim, under a key of its own.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store::{ClaimKey, ClaimStore, StoreError, overwrite};

/// What the keys of all these documents begin with; a claim's key follows.
pub(crate) const VERIFIED: &str = "verified:";

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// When it began, RFC 3339 in UTC.
    pub began: String,
    /// When it ended, RFC 3339 in UTC.
    pub ended: String,
    /// Documents of the target.
    pub documents: u64,
    /// Documents that should be in the target.
    pub missing: u64,
    /// Documents of another revision.
    pub stale: u64,
    /// Documents that should not be in the target.
    pub extra: u64,
    /// Documents that are not what filter and transform produce.
    pub bodies: u64,
    /// Documents in whose place the target has one of another database.
    #[serde(default)]
    pub collisions: u64,
    /// Documents whose last changes were not applied in time.
    pub pending: u64,
    /// Documents with an open dead letter.
    pub dead_letters: u64,
    /// How many bodies were compared.
    pub bodies_compared: u64,
    /// How many of the documents that differed were processed again after that.
    pub repaired: u64,
}

impl Verified {
    /// How many documents differed. Those with an open dead letter are not counted: the target
    /// holds all it can of them.
    pub fn differences(&self) -> u64 {
        self.missing + self.stale + self.extra + self.bodies + self.collisions + self.pending
    }

    /// Stores it as the last result for a claim.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn store(&self, store: &dyn ClaimStore, claim: &ClaimKey) -> Result<(), StoreError> {
        overwrite(store, &key(claim), |_| Some(json!(self))).await
    }
}

fn key(claim: &ClaimKey) -> String {
    format!("{VERIFIED}{claim}")
}

/// The last result for a claim; `None` if its target was never compared.
///
/// # Errors
///
/// When the store does not respond, or the result cannot be read.
pub async fn last_verified(store: &dyn ClaimStore, claim: &ClaimKey) -> Result<Option<Verified>, StoreError> {
    let key = key(claim);
    store.read(&key).await?.map(|stored| stored.parse(format_args!("`{key}`"))).transpose()
}

/// Forgets the last result for a claim, whose state was changed since.
pub(super) async fn forget_verified(store: &dyn ClaimStore, claim: &ClaimKey) -> Result<(), StoreError> {
    overwrite(store, &key(claim), |_| None).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{FileClaimStore, Slice};

    #[tokio::test]
    async fn the_last_result_of_each_claim_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileClaimStore::open(directory.path()).unwrap();
        let key = ClaimKey { target: "u".to_owned(), slice: Slice::Database("a/b".into()) };
        assert_eq!(last_verified(&store, &key).await, Ok(None));
        let first = Verified { missing: 2, dead_letters: 3, ..Verified::default() };
        first.store(&store, &key).await.unwrap();
        let last = Verified { ended: "2026-01-31T03:00:00Z".to_owned(), ..Verified::default() };
        last.store(&store, &key).await.unwrap();
        assert_eq!(last_verified(&store, &key).await, Ok(Some(last)));
        assert_eq!(first.differences(), 2);
        forget_verified(&store, &key).await.unwrap();
        forget_verified(&store, &key).await.unwrap();
        assert_eq!(last_verified(&store, &key).await, Ok(None));
    }
}
