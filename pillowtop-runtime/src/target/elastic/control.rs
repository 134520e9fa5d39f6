//! The control index: a [`ClaimStore`] in the cluster itself, so that a claim is lost only with
//! what it is on.
//!
//! A document is read in real time, created only where none is, and changed only by naming the
//! `_seq_no` and `_primary_term` of the write that was seen. A response that leaves open whether a
//! document exists is an error, never a missing document.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::fingerprint::hash_text;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::internal_index::InternalIndex;
use super::request::Request;
use super::search::{DocumentKey, hits};
use crate::claim::{ClaimDocument, ClaimKey, ClaimStore, StoreError, Stored, Token};
use crate::retry::{RetryPolicy, retry};

/// How long one request may take, and for how long it is retried: together less than a lease.
const TIMEOUT: Duration = Duration::from_secs(10);
/// As many documents as one search returns.
const PAGE: usize = 1000;
/// Keys up to this length are ids as they are.
const LONGEST_ID: usize = 400;

/// The control index of a cluster. It is created by the first write.
#[derive(Debug, Clone)]
pub struct ControlIndex {
    cluster: Cluster,
}

/// A document as it is stored: the key beside the value, because ids cannot be searched by their
/// start.
#[derive(Deserialize)]
struct KeyedValue {
    key: String,
    value: Value,
}

#[derive(Deserialize)]
struct FoundDocument {
    #[serde(rename = "_seq_no")]
    number: u64,
    #[serde(rename = "_primary_term")]
    term: u64,
    #[serde(rename = "_source")]
    source: KeyedValue,
}

impl FoundDocument {
    fn into_stored(self) -> (String, Stored) {
        let token = Token { term: self.term, number: self.number };
        (self.source.key, Stored { value: self.source.value, token })
    }
}

#[derive(Deserialize)]
struct WrittenDocument {
    #[serde(rename = "_seq_no")]
    number: u64,
    #[serde(rename = "_primary_term")]
    term: u64,
}

fn malformed(doing: &str, reason: &serde_json::Error) -> ClusterError {
    ClusterError::Malformed { doing: doing.to_owned(), reason: reason.to_string() }
}

/// The `_id` of a key. Proxies may decode a `/` in a path, and an id has a longest length.
fn document_id(key: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if key.len() <= LONGEST_ID && key.bytes().all(is_plain) {
        return key.to_owned();
    }
    let readable: String =
        key.bytes().take(60).map(|byte| if is_plain(byte) { char::from(byte) } else { '_' }).collect();
    format!("{readable}.{:032x}", hash_text(key))
}

impl ControlIndex {
    /// The control index of a cluster.
    pub fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone() }
    }

    fn name(&self) -> String {
        InternalIndex::Control.name(&self.cluster)
    }

    async fn read_document(&self, key: &str) -> Result<Option<Stored>, ClusterError> {
        let (index, id) = (self.name(), document_id(key));
        let path = [index.as_str(), "_doc", id.as_str()];
        let doing = format!("reading `{key}` in index `{index}`");
        let request = Request::get(&path).within(TIMEOUT);
        let found = match self.cluster.value_within(TIMEOUT, request, &doing).await {
            Err(error) if error.is_missing() => return Ok(None),
            found => found?,
        };
        let found = FoundDocument::deserialize(found).map_err(|error| malformed(&doing, &error))?;
        Ok(Some(found.into_stored().1))
    }

    /// The documents of several claims in one request; those that do not exist are left out.
    ///
    /// # Errors
    ///
    /// When it is not certain of one of them whether it exists.
    pub async fn claims(&self, keys: &[ClaimKey]) -> Result<BTreeMap<ClaimKey, ClaimDocument>, StoreError> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<String> = keys.iter().map(|key| document_id(&key.claim())).collect();
        let ids: Vec<DocumentKey<'_>> = ids.iter().map(|id| DocumentKey { id, routing: None }).collect();
        let documents = match self.cluster.documents(&self.name(), &ids, true).await {
            Err(error) if error.is_missing() => return Ok(BTreeMap::new()),
            documents => documents.map_err(ClusterError::into_store_error)?,
        };
        let mut claims = BTreeMap::new();
        for (key, document) in keys.iter().zip(documents) {
            if let Some(value) = document.get("_source").and_then(|source| source.get("value")) {
                claims.insert(key.clone(), read_claim(value, key)?);
            }
        }
        Ok(claims)
    }

    /// The documents whose keys begin with one of these, in order of keys, in one search. Nothing
    /// is missing that was written before.
    pub(super) async fn documents_of(&self, prefixes: &[&str]) -> Result<Vec<(String, Stored)>, StoreError> {
        // A refresh of an index without its shards takes a minute, a search fails at once.
        let index = self.name();
        let refreshed = match self.cluster.count(&index).await {
            Ok(_) => self.cluster.refresh(&index.into()).await,
            Err(error) => Err(error),
        };
        match refreshed {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            Err(error) => return Err(error.into_store_error()),
        }
        self.list_documents(prefixes).await.map_err(ClusterError::into_store_error)
    }

    /// Removes every document of an index that no longer exists: claims, earlier checkpoints,
    /// reports, requests, and what is remembered of comparisons and a backfill. Returns how many
    /// there were.
    pub(super) async fn forget(&self, uuid: &str) -> Result<u64, StoreError> {
        let kinds = ["claim", "range", "past", "report", "request", "verified", "backfill"];
        let prefixes: Vec<String> = kinds.iter().map(|kind| format!("{kind}:{uuid}")).collect();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let mut removed = 0;
        for (key, stored) in self.documents_of(&prefixes).await? {
            // Another uuid may begin with this one.
            if uuid_in(&key) == Some(uuid) {
                self.delete(&key, stored.token).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn put(&self, key: &str, value: &Value, seen: Option<Token>) -> Result<Token, ClusterError> {
        let (alias, id) = (InternalIndex::Control.write_alias(&self.cluster), document_id(key));
        let path = [alias.as_str(), "_doc", id.as_str()];
        let doing = format!("writing `{key}` in index `{}`", self.name());
        let conditions = Conditions::new(seen);
        let query = conditions.query();
        let request = Request::put(&path).query(&query).json(&json!({"key": key, "value": value}));
        let request = request.within(TIMEOUT);
        let written = self.cluster.value(request, &doing).await?;
        let written = WrittenDocument::deserialize(written).map_err(|error| malformed(&doing, &error))?;
        Ok(Token { term: written.term, number: written.number })
    }

    async fn write_document(
        &self,
        key: &str,
        value: &Value,
        seen: Option<Token>,
    ) -> Result<Token, StoreError> {
        // Whether an earlier attempt may have been carried out.
        let is_open = AtomicBool::new(false);
        let is_passing = |error: &ClusterError| {
            let is_passing = error.is_retryable();
            is_open.fetch_or(is_passing, Ordering::Relaxed);
            is_passing
        };
        let policy = RetryPolicy { within: TIMEOUT, ..RetryPolicy::default() };
        let mut written = retry(policy, is_passing, || self.put(key, value, seen)).await;
        if written.as_ref().is_err_and(ClusterError::is_missing_alias) {
            InternalIndex::Control.ensure(&self.cluster).await.map_err(ClusterError::into_store_error)?;
            written = retry(policy, is_passing, || self.put(key, value, seen)).await;
        }
        match written {
            Ok(token) => Ok(token),
            Err(ClusterError::Refused { status: 409, .. }) => {
                let conflict = StoreError::Conflict { key: key.to_owned() };
                if !is_open.load(Ordering::Relaxed) {
                    return Err(conflict);
                }
                match self.read_document(key).await.map_err(ClusterError::into_store_error)? {
                    Some(stored) if stored.value == *value => Ok(stored.token),
                    _ => Err(conflict),
                }
            }
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn delete(&self, key: &str, seen: Token) -> Result<(), StoreError> {
        let (alias, id) = (InternalIndex::Control.write_alias(&self.cluster), document_id(key));
        let path = [alias.as_str(), "_doc", id.as_str()];
        let doing = format!("removing `{key}` in index `{}`", self.name());
        let conditions = Conditions::new(Some(seen));
        let query = conditions.query();
        let request = Request::delete(&path).query(&query).within(TIMEOUT).repeatable();
        match self.cluster.value_within(TIMEOUT, request, &doing).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_missing() || error.is_missing_alias() => Ok(()),
            // The condition is not met by a missing document either.
            Err(ClusterError::Refused { status: 409, .. }) => match self.read(key).await? {
                None => Ok(()),
                Some(_) => Err(StoreError::Conflict { key: key.to_owned() }),
            },
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn list_documents(&self, prefixes: &[&str]) -> Result<Vec<(String, Stored)>, ClusterError> {
        let index = self.name();
        let doing = format!("listing `{}*` in index `{index}`", prefixes.join("*`, `"));
        let any: Vec<Value> = prefixes.iter().map(|prefix| json!({"prefix": {"key": prefix}})).collect();
        let mut body = json!({"query": {"bool": {"should": any}}, "sort": [{"key": "asc"}], "size": PAGE,
            "seq_no_primary_term": true});
        let mut all = Vec::new();
        loop {
            let Some(response) = self.cluster.whole_search(&index, &body, &doing).await? else {
                return Ok(Vec::new());
            };
            let hits = hits(&response);
            for hit in hits {
                let found = FoundDocument::deserialize(hit).map_err(|error| malformed(&doing, &error))?;
                all.push(found.into_stored());
            }
            match hits.last().and_then(|hit| hit.get("sort")) {
                Some(last) if hits.len() == PAGE => body["search_after"] = last.clone(),
                _ => return Ok(all),
            }
        }
    }
}

/// The uuid in the key of a document that belongs to an index.
pub(super) fn uuid_in(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once(':')?;
    rest.split(['/', ':', '#']).next()
}

pub(super) fn read_claim(value: &Value, key: &ClaimKey) -> Result<ClaimDocument, StoreError> {
    ClaimDocument::deserialize(value).map_err(|error| StoreError::Refused {
        doing: format!("reading the claim on {key}"),
        reason: error.to_string(),
    })
}

/// The conditions of a write, as parameters of its address.
enum Conditions {
    Create,
    Over { number: String, term: String },
}

impl Conditions {
    fn new(seen: Option<Token>) -> Self {
        seen.map_or(Self::Create, |token| Self::Over {
            number: token.number.to_string(),
            term: token.term.to_string(),
        })
    }

    fn query(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Create => vec![("op_type", "create")],
            Self::Over { number, term } => vec![("if_seq_no", number), ("if_primary_term", term)],
        }
    }
}

impl ClaimStore for ControlIndex {
    fn describe(&self) -> String {
        format!("index `{}` of {}", self.name(), self.cluster)
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async { self.read_document(key).await.map_err(ClusterError::into_store_error) }.boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>> {
        self.write_document(key, value, seen).boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>> {
        self.delete(key, seen).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>> {
        async { self.list_documents(&[prefix]).await.map_err(ClusterError::into_store_error) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Slice;

    #[test]
    fn a_claim_is_known_by_its_key() {
        for slice in [Slice::Whole, Slice::Database("a/b".into())] {
            let key = ClaimKey { target: "uuid".to_owned(), slice };
            assert_eq!(ClaimKey::of_claim(&key.claim()), Some(key));
        }
        assert_eq!(ClaimKey::of_claim("lease:a"), None);
        for key in ["claim:uuid", "claim:uuid/a:b", "request:uuid:1-2", "report:uuid/db"] {
            assert_eq!(uuid_in(key), Some("uuid"), "{key}");
        }
    }

    #[test]
    fn ids_are_plain_and_differ_as_keys_do() {
        assert_eq!(document_id("claim:aB-_9"), "claim:aB-_9");
        let (slash, dot) = (document_id("claim:u/db"), document_id("claim:u.db"));
        assert!(slash.starts_with("claim:u_db.") && !slash.contains('/'), "{slash}");
        assert_ne!(slash, dot);
        let long = document_id(&"x".repeat(600));
        assert!(long.len() < 100, "{long}");
    }
}
