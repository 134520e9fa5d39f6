//! The index of what could not be indexed: one document for each index and id, the latest failure.

use std::collections::HashSet;

use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::{DocumentId, PillowName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bookkeeping::Bookkeeping;
use super::bulk::{push_line, push_text};
use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use crate::dead_letter::DeadLetter;

/// As many as one search returns; the runtime holds long before an index has so many.
const MOST: usize = 10_000;

#[derive(Serialize)]
struct StoredLetter<'a> {
    index_uuid: &'a str,
    #[serde(flatten)]
    letter: &'a DeadLetter,
}

/// The `_id` of a letter.
fn letter_id(index_uuid: &str, id: &DocumentId) -> String {
    let whole = format!("{index_uuid}:{id}");
    if whole.len() <= MAX_INDEX_ID_BYTES {
        return whole;
    }
    // `#` keeps it apart from a document whose id looks like a hash.
    format!("{index_uuid}:#{:032x}", hash_text(id.as_str()))
}

/// Stores letters of one index, each over an earlier one of the same document.
pub(super) async fn store(
    cluster: &Cluster,
    index_uuid: &str,
    letters: &[DeadLetter],
) -> Result<(), ClusterError> {
    let doing = "storing dead letters";
    let mut body = Vec::new();
    for letter in letters {
        body.extend_from_slice(b"{\"index\":{\"_id\":");
        push_text(&mut body, &letter_id(index_uuid, &letter.id));
        body.extend_from_slice(b"}}\n");
        let source = serde_json::to_vec(&StoredLetter { index_uuid, letter }).map_err(|error| {
            ClusterError::Malformed { doing: doing.to_owned(), reason: error.to_string() }
        })?;
        push_line(&mut body, &source);
    }
    write(cluster, body, letters.len(), doing).await
}

/// Removes the letters of documents that are indexed now, or that somebody gave up; missing ones are fine.
pub(super) async fn remove<'a>(
    cluster: &Cluster,
    index_uuid: &str,
    ids: impl ExactSizeIterator<Item = &'a DocumentId> + Send,
) -> Result<(), ClusterError> {
    let count = ids.len();
    let mut body = Vec::new();
    for id in ids {
        body.extend_from_slice(b"{\"delete\":{\"_id\":");
        push_text(&mut body, &letter_id(index_uuid, id));
        body.extend_from_slice(b"}}\n");
    }
    write(cluster, body, count, "removing dead letters").await
}

async fn write(cluster: &Cluster, body: Vec<u8>, count: usize, doing: &str) -> Result<(), ClusterError> {
    let alias = Bookkeeping::DeadLetters.write_alias(cluster);
    let path = [alias.as_str(), "_bulk"];
    let query = [("refresh", "false"), ("filter_path", "items.*.status,items.*.error")];
    let request = Request { body: Some(body.into()), ..Request::post(&path).query(&query) };
    let answer = cluster.value(request, doing).await?;
    let items = answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let items: Vec<&Value> = items.iter().filter_map(|item| item.as_object()?.values().next()).collect();
    let failed = items.iter().find(|item| item.get("error").is_some());
    match failed {
        Some(item) => Err(ClusterError::Refused {
            doing: doing.to_owned(),
            status: item["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
            error_type: item["error"]["type"].as_str().unwrap_or_default().to_owned(),
            reason: item["error"]["reason"].as_str().unwrap_or_default().to_owned(),
        }),
        None if items.len() == count => Ok(()),
        None => Err(ClusterError::Malformed {
            doing: doing.to_owned(),
            reason: format!("{} items for {count} operations", items.len()),
        }),
    }
}

/// The ids with an open letter in an index.
pub(super) async fn open_ids(
    cluster: &Cluster,
    index_uuid: &str,
) -> Result<HashSet<DocumentId>, ClusterError> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: DocumentId,
    }
    let query = json!({"term": {"index_uuid": index_uuid}});
    let letters: Vec<OnlyId> = search(cluster, &query, &json!(["id"])).await?;
    Ok(letters.into_iter().map(|letter| letter.id).collect())
}

async fn search<T: for<'a> Deserialize<'a>>(
    cluster: &Cluster,
    query: &Value,
    source: &Value,
) -> Result<Vec<T>, ClusterError> {
    let doing = "reading dead letters";
    let index = Bookkeeping::DeadLetters.index(cluster);
    let path = [index.as_str(), "_refresh"];
    if cluster.optional_value(Request::post(&path), doing).await?.is_none() {
        return Ok(Vec::new());
    }
    let path = [index.as_str(), "_search"];
    let body = json!({"query": query, "size": MOST, "_source": source, "sort": [{"time": "asc"}]});
    let partial = [("allow_partial_search_results", "false")];
    let answer = cluster.value(Request::post(&path).query(&partial).json(&body), doing).await?;
    let hits = answer.pointer("/hits/hits").and_then(Value::as_array).into_iter().flatten();
    hits.filter_map(|hit| hit.get("_source"))
        .map(|source| {
            T::deserialize(source).map_err(|error| ClusterError::Malformed {
                doing: doing.to_owned(),
                reason: error.to_string(),
            })
        })
        .collect()
}

fn of_pillow(pillow: Option<&PillowName>) -> Value {
    pillow.map_or_else(|| json!({"match_all": {}}), |pillow| json!({"term": {"pillow": pillow}}))
}

impl Cluster {
    /// The open dead letters of a pillow, or of all, the oldest first; at most 10,000.
    pub async fn dead_letters(&self, pillow: Option<&PillowName>) -> Result<Vec<DeadLetter>, ClusterError> {
        search(self, &of_pillow(pillow), &json!(true)).await
    }

    /// How many open dead letters a pillow has, or all have.
    pub async fn count_dead_letters(&self, pillow: Option<&PillowName>) -> Result<u64, ClusterError> {
        let doing = "counting dead letters";
        let index = Bookkeeping::DeadLetters.index(self);
        let path = [index.as_str(), "_refresh"];
        if self.optional_value(Request::post(&path), doing).await?.is_none() {
            return Ok(0);
        }
        let path = [index.as_str(), "_count"];
        let answer =
            self.value(Request::post(&path).json(&json!({"query": of_pillow(pillow)})), doing).await?;
        answer.get("count").and_then(Value::as_u64).ok_or_else(|| ClusterError::Malformed {
            doing: doing.to_owned(),
            reason: "it has no count".to_owned(),
        })
    }

    /// Removes dead letters of an index, as after somebody gave the documents up.
    pub async fn remove_dead_letters(
        &self,
        index_uuid: &str,
        ids: &[DocumentId],
    ) -> Result<(), ClusterError> {
        if ids.is_empty() { Ok(()) } else { remove(self, index_uuid, ids.iter()).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_length_has_a_letter() {
        assert_eq!(letter_id("uuid", &"a".into()), "uuid:a");
        let long = "x".repeat(MAX_INDEX_ID_BYTES);
        let id = letter_id("uuid", &long.as_str().into());
        assert!(id.len() <= MAX_INDEX_ID_BYTES && id.starts_with("uuid:#"), "{id}");
        assert_ne!(id, letter_id("uuid", &format!("{long}y").into()));
    }
}
