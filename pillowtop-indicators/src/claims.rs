//! Claims as documents of a database of their own.
//!
//! They are ordinary documents: CouchDB does not compare the revisions of `_local` documents, so
//! two owners could both save one. They are not in the database that is followed, because each save
//! would be a change of its feed.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_runtime::claim::{ClaimStore, StoreError, Stored, Token};
use pillowtop_runtime::source::{CouchDatabase, CouchError, Written};
use serde_json::{Value, json};

/// The documents of a database as a claim store.
#[derive(Debug, Clone)]
pub struct CouchClaimStore {
    database: CouchDatabase,
}

impl CouchClaimStore {
    /// The store in a database, which must exist.
    pub fn new(database: CouchDatabase) -> Self {
        Self { database }
    }

    /// The document of a key with its revision.
    async fn found(&self, key: &str) -> Result<Option<(String, Stored)>, StoreError> {
        let found = self.database.document(key).await.map_err(failed("reading", key))?;
        found.map(|document| stored(key, document)).transpose()
    }

    /// Writes over the write that was seen; a deletion is a write too. `None` if it is not the
    /// latest.
    async fn save(&self, key: &str, body: Value, seen: Option<Token>) -> Result<Option<Token>, StoreError> {
        let mut document = body;
        document["_id"] = json!(key);
        if let Some(seen) = seen {
            match self.found(key).await? {
                Some((revision, stored)) if stored.token == seen => document["_rev"] = json!(revision),
                _ => return Ok(None),
            }
        }
        let doing = "writing";
        let written = self.database.write_json(&[document.to_string()]).await.map_err(failed(doing, key))?;
        match written.into_iter().next() {
            Some(Written::Done(revision)) => Ok(Some(token(revision.as_str()))),
            Some(Written::Refused { error, reason }) => Err(StoreError::Refused {
                doing: format!("{doing} {key}"),
                reason: format!("{error}: {reason}"),
            }),
            Some(Written::Conflict) | None => Ok(None),
        }
    }
}

/// A revision as a token: 128 bits of its hash.
fn token(revision: &str) -> Token {
    let [term, number] = [64, 0].map(|shift| {
        u64::try_from((hash_text(revision) >> shift) & u128::from(u64::MAX)).unwrap_or(u64::MAX)
    });
    Token { term, number }
}

fn stored(key: &str, mut document: Value) -> Result<(String, Stored), StoreError> {
    let Some(revision) = document["_rev"].as_str().map(str::to_owned) else {
        return Err(StoreError::Refused {
            doing: format!("reading {key}"),
            reason: "it has no revision".to_owned(),
        });
    };
    let token = token(&revision);
    Ok((revision, Stored { value: document["value"].take(), token }))
}

fn failed(doing: &str, key: &str) -> impl Fn(CouchError) -> StoreError {
    let doing = format!("{doing} {key}");
    move |error| {
        let (doing, reason) = (doing.clone(), error.to_string());
        if error.is_retryable() {
            StoreError::Unavailable { doing, reason }
        } else {
            StoreError::Refused { doing, reason }
        }
    }
}

impl ClaimStore for CouchClaimStore {
    fn describe(&self) -> String {
        format!("database `{}` at {}", self.database.name(), self.database.address())
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move { Ok(self.found(key).await?.map(|(_, stored)| stored)) }.boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>> {
        async move {
            let saved = self.save(key, json!({ "value": value }), seen).await?;
            saved.ok_or_else(|| StoreError::Conflict { key: key.to_owned() })
        }
        .boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            if self.save(key, json!({"_deleted": true}), Some(seen)).await?.is_some()
                || self.found(key).await?.is_none()
            {
                return Ok(());
            }
            Err(StoreError::Conflict { key: key.to_owned() })
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>> {
        async move {
            let found = self.database.documents_of_prefix(prefix).await.map_err(failed("listing", prefix))?;
            let stored = |(key, document): (String, Value)| {
                let (_, stored) = stored(&key, document)?;
                Ok((key, stored))
            };
            found.into_iter().map(stored).collect()
        }
        .boxed()
    }
}
