//! The index of changes that could not be indexed: one document for each index and document id, the
//! latest failure.
//!
//! Dead letters are written and removed with the versions of the operations that they are about, so
//! a delayed request undoes nothing newer: neither a later failure, nor that the document was
//! indexed meanwhile.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use serde::Serialize;
use serde_json::{Value, json};

use super::classify::{Open, classify};
use super::cluster::Cluster;
use super::error::ClusterError;
use super::internal_index::InternalIndex;
use super::request::Request;
use super::search::{hits, whole};
use crate::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore};
use crate::operation::Version;
use crate::target::Outcome;
use crate::target::bulk_body::{push_action, push_line};

/// As many as one search returns.
const PAGE: usize = 10_000;
/// How long the server keeps what a page is read from.
const SCROLL: &str = "1m";

/// A dead letter as it is stored.
#[derive(Serialize)]
struct IndexedLetter<'a> {
    /// Unique, for paging.
    key: &'a str,
    index_uuid: &'a str,
    /// Finds an id of any length.
    id_hash: String,
    #[serde(flatten)]
    letter: &'a DeadLetter,
}

/// The dead letters of one index, in the index for all of them. That is created by the first dead
/// letter.
#[derive(Debug, Clone)]
pub struct IndexDeadLetters {
    cluster: Cluster,
    index_uuid: String,
}

/// A document id as a term.
pub(super) fn id_hash(id: &str) -> String {
    format!("{:032x}", hash_text(id))
}

/// The `_id` of the dead letter of a document.
pub(super) fn letter_key(index_uuid: &str, id: &DocumentId) -> String {
    let whole = format!("{index_uuid}:{id}");
    if whole.len() <= MAX_INDEX_ID_BYTES {
        return whole;
    }
    // `#` keeps it apart from a document whose id looks like a hash.
    format!("{index_uuid}:#{}", id_hash(id.as_str()))
}

impl IndexDeadLetters {
    /// The dead letters of the index with this uuid.
    pub fn new(cluster: &Cluster, index_uuid: impl Into<String>) -> Self {
        Self { cluster: cluster.clone(), index_uuid: index_uuid.into() }
    }

    async fn store(&self, dead_letters: &[DeadLetter]) -> Result<(), ClusterError> {
        let doing = "storing dead letters";
        let mut body = Vec::new();
        for letter in dead_letters {
            let key = letter_key(&self.index_uuid, &letter.id);
            push_action(&mut body, "index", &key, letter.version, None);
            let id_hash = id_hash(letter.id.as_str());
            let source = IndexedLetter { key: &key, index_uuid: &self.index_uuid, id_hash, letter };
            let source = serde_json::to_vec(&source).map_err(|error| ClusterError::Malformed {
                doing: doing.to_owned(),
                reason: error.to_string(),
            })?;
            push_line(&mut body, &source);
        }
        write(&self.cluster, body, dead_letters.len(), doing).await
    }

    async fn remove(&self, decided: &[(DocumentId, Version)]) -> Result<(), ClusterError> {
        let keys = decided.iter().map(|(id, version)| (letter_key(&self.index_uuid, id), *version));
        remove(&self.cluster, keys).await
    }

    async fn read_open(&self) -> Result<Vec<DocumentId>, ClusterError> {
        let doing = "reading dead letters";
        let body = json!({"query": {"term": {"index_uuid": self.index_uuid}}, "size": PAGE, "_source": ["id"],
            "sort": ["_doc"]});
        if !refresh(&self.cluster).await? {
            return Ok(Vec::new());
        }
        let index = InternalIndex::DeadLetters.name(&self.cluster);
        let path = [index.as_str(), "_search"];
        let query = [("scroll", SCROLL), ("allow_partial_search_results", "false")];
        let mut open = Vec::new();
        let mut page = self.cluster.value(Request::post(&path).query(&query).json(&body), doing).await?;
        loop {
            let response = whole(page, doing)?;
            let scroll_id = response.get("_scroll_id").and_then(Value::as_str);
            let dead_letters = hits(&response);
            let Some(scroll_id) = scroll_id.filter(|_| !dead_letters.is_empty()) else {
                end_scroll(&self.cluster, scroll_id).await;
                return Ok(open);
            };
            for letter in dead_letters {
                let id = letter.pointer("/_source/id").and_then(Value::as_str);
                open.push(id.ok_or_else(|| without_id(doing))?.into());
            }
            let next = json!({"scroll": SCROLL, "scroll_id": scroll_id});
            page = self.cluster.value(Request::post(&["_search", "scroll"]).json(&next), doing).await?;
        }
    }
}

fn without_id(doing: &str) -> ClusterError {
    ClusterError::Malformed { doing: doing.to_owned(), reason: "a dead letter has no id".to_owned() }
}

/// Makes all dead letters visible that were stored; `false` if there is no index of them.
pub(super) async fn refresh(cluster: &Cluster) -> Result<bool, ClusterError> {
    match cluster.refresh(&InternalIndex::DeadLetters.name(cluster).into()).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Otherwise the server keeps it until its time is over.
async fn end_scroll(cluster: &Cluster, scroll_id: Option<&str>) {
    if let Some(scroll_id) = scroll_id {
        let request = Request::delete(&["_search", "scroll"]).json(&json!({"scroll_id": [scroll_id]}));
        if let Err(error) = cluster.value(request, "ending a scroll").await {
            tracing::debug!(%error, "a scroll is left to the server");
        }
    }
}

/// Removes dead letters by their keys, in the versions that were seen. Newer ones stay.
pub(super) async fn remove(
    cluster: &Cluster,
    keys: impl ExactSizeIterator<Item = (String, Version)>,
) -> Result<(), ClusterError> {
    let (mut body, count) = (Vec::new(), keys.len());
    for (key, version) in keys {
        push_action(&mut body, "delete", &key, version, None);
    }
    write(cluster, body, count, "removing dead letters").await
}

async fn write(cluster: &Cluster, body: Vec<u8>, count: usize, doing: &str) -> Result<(), ClusterError> {
    let alias = InternalIndex::DeadLetters.write_alias(cluster);
    let path = [alias.as_str(), "_bulk"];
    let query = [("filter_path", "items.*.status,items.*.error")];
    let request = Request::post(&path).query(&query).body(body);
    let response = cluster.value(request, doing).await?;
    let items = response.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let items: Vec<&Value> = items.iter().filter_map(|item| item.as_object()?.values().next()).collect();
    if let Some(failure) = items.iter().find_map(|item| failure(item, doing)) {
        return Err(failure);
    }
    if items.len() == count {
        return Ok(());
    }
    Err(ClusterError::Malformed {
        doing: doing.to_owned(),
        reason: format!("{} items for {count} operations", items.len()),
    })
}

/// Why an item failed. A newer version of the dead letter is not a failure.
fn failure(item: &Value, doing: &str) -> Option<ClusterError> {
    let error = item.get("error")?;
    let member = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let status = item.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.unwrap_or_default();
    let (error_type, reason) = (member("type"), member("reason").to_owned());
    match classify(status, Some((error_type, reason.clone())), Version(u64::MAX)) {
        Ok(Outcome::Done) | Err(Open::Version { .. }) => None,
        _ => Some(ClusterError::Refused {
            doing: doing.to_owned(),
            status,
            error_type: error_type.to_owned(),
            reason,
        }),
    }
}

fn store_error(error: ClusterError) -> DeadLetterError {
    match error {
        ClusterError::Refused { status: 413, reason, .. } => DeadLetterError::TooLarge(reason),
        error => DeadLetterError::Unavailable(error.to_string()),
    }
}

impl DeadLetterStore for IndexDeadLetters {
    fn record<'a>(&'a self, dead_letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            if dead_letters.is_empty() {
                return Ok(());
            }
            let mut stored = self.store(dead_letters).await;
            if stored.as_ref().is_err_and(ClusterError::is_missing_alias) {
                InternalIndex::DeadLetters.ensure(&self.cluster).await.map_err(store_error)?;
                stored = self.store(dead_letters).await;
            }
            stored.map_err(store_error)
        }
        .boxed()
    }

    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            if decided.is_empty() {
                return Ok(());
            }
            match self.remove(decided).await {
                // Without an index there are no dead letters.
                Err(error) if error.is_missing_alias() => Ok(()),
                removed => removed.map_err(store_error),
            }
        }
        .boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>> {
        // A scroll cannot be resumed after a failed page, so it is read from the start.
        async { self.cluster.retry(|| self.read_open()).await.map_err(store_error) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_length_has_a_dead_letter() {
        assert_eq!(letter_key("uuid", &"a".into()), "uuid:a");
        let long = "x".repeat(MAX_INDEX_ID_BYTES);
        let key = letter_key("uuid", &long.as_str().into());
        assert!(key.len() <= MAX_INDEX_ID_BYTES && key.starts_with("uuid:#"), "{key}");
        assert_ne!(key, letter_key("uuid", &format!("{long}y").as_str().into()));
    }

    #[test]
    fn a_newer_dead_letter_is_not_a_failure() {
        let item = |status: u16, error_type: &str| {
            let error =
                json!({"type": error_type, "reason": "[a]: version conflict, document already exists"});
            failure(&json!({"status": status, "error": error}), "storing")
        };
        assert_eq!(item(409, "version_conflict_engine_exception"), None);
        assert!(item(400, "invalid_index_name_exception").unwrap().is_missing_alias());
        assert_eq!(failure(&json!({"status": 404}), "removing"), None);
    }
}
