//! The index of what could not be indexed: one document for each index and id, the latest failure.
//!
//! Letters are written and removed with the versions of the operations that they are about, so a request that was held up undoes
//! nothing newer: not the letter of a later failure, and not that the document was indexed meanwhile.

use std::collections::HashMap;

use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::{DocumentId, PillowName};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Judgement, judge};
use super::bookkeeping::Bookkeeping;
use super::bulk::{push_action, push_line};
use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use crate::dead_letter::DeadLetter;
use crate::operation::Version;

/// As many as one search returns.
const PAGE: usize = 10_000;
/// How long the server keeps what a page was cut from.
const PAGE_PATIENCE: &str = "1m";

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
        push_action(&mut body, "index", &letter_id(index_uuid, &letter.id), letter.version);
        let source = serde_json::to_vec(&StoredLetter { index_uuid, letter }).map_err(|error| {
            ClusterError::Malformed { doing: doing.to_owned(), reason: error.to_string() }
        })?;
        push_line(&mut body, &source);
    }
    write(cluster, body, letters.len(), doing).await
}

/// Removes the letters of documents that were written in these versions; missing ones are fine, and newer ones stay.
pub(super) async fn settle(
    cluster: &Cluster,
    index_uuid: &str,
    written: &[(DocumentId, Version)],
) -> Result<(), ClusterError> {
    let mut body = Vec::new();
    for (id, version) in written {
        push_action(&mut body, "delete", &letter_id(index_uuid, id), *version);
    }
    write(cluster, body, written.len(), "removing dead letters").await
}

async fn write(cluster: &Cluster, body: Vec<u8>, count: usize, doing: &str) -> Result<(), ClusterError> {
    let alias = Bookkeeping::DeadLetters.write_alias(cluster);
    let path = [alias.as_str(), "_bulk"];
    let query = [("refresh", "false"), ("filter_path", "items.*.status,items.*.error")];
    let request = Request { body: Some(body.into()), ..Request::post(&path).query(&query) };
    let answer = cluster.value(request, doing).await?;
    let items = answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
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

/// Why an item was not done. That something newer is there is no failure.
fn failure(item: &Value, doing: &str) -> Option<ClusterError> {
    let error = item.get("error")?;
    let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let status = item["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    if matches!(judge(status, Some((text("type"), text("reason")))), Judgement::Conflict(_)) {
        return None;
    }
    Some(ClusterError::Refused {
        doing: doing.to_owned(),
        status,
        error_type: text("type").to_owned(),
        reason: text("reason").to_owned(),
    })
}

/// The documents with an open letter in an index, with the letters' versions: all of them, a page at a time.
pub(super) async fn open_letters(
    cluster: &Cluster,
    index_uuid: &str,
) -> Result<HashMap<DocumentId, Version>, ClusterError> {
    #[derive(Deserialize)]
    struct OpenLetter {
        id: DocumentId,
        #[serde(default)]
        version: Version,
    }
    let doing = "reading dead letters";
    let mut open = HashMap::new();
    let body = json!({"query": {"term": {"index_uuid": index_uuid}}, "size": PAGE, "_source": ["id", "version"],
        "sort": ["_doc"]});
    let scroll = [("scroll", PAGE_PATIENCE)];
    let mut page = search(cluster, &scroll, &body).await?;
    while let Some(answer) = page {
        let letters: Vec<OpenLetter> = sources(&answer, doing)?;
        let scroll_id = answer.get("_scroll_id").and_then(Value::as_str);
        let Some(scroll_id) = scroll_id.filter(|_| !letters.is_empty()) else {
            forget_scroll(cluster, scroll_id).await;
            break;
        };
        open.extend(letters.into_iter().map(|letter| (letter.id, letter.version)));
        let next = json!({"scroll": PAGE_PATIENCE, "scroll_id": scroll_id});
        page = Some(cluster.value(Request::post(&["_search", "scroll"]).json(&next), doing).await?);
    }
    Ok(open)
}

/// Otherwise the server keeps it until its patience ends.
async fn forget_scroll(cluster: &Cluster, scroll_id: Option<&str>) {
    if let Some(scroll_id) = scroll_id {
        let request = Request::new(Method::DELETE, &["_search", "scroll"]);
        let done = cluster.value(request.json(&json!({"scroll_id": [scroll_id]})), "ending a scroll").await;
        if let Err(error) = done {
            tracing::debug!(%error, "a scroll is left to the server");
        }
    }
}

/// Searches the letters, all that were stored; `None` without an index of them.
async fn search(
    cluster: &Cluster,
    query: &[(&str, &str)],
    body: &Value,
) -> Result<Option<Value>, ClusterError> {
    let doing = "reading dead letters";
    let index = Bookkeeping::DeadLetters.index(cluster);
    let path = [index.as_str(), "_refresh"];
    if cluster.optional_value(Request::post(&path), doing).await?.is_none() {
        return Ok(None);
    }
    let path = [index.as_str(), "_search"];
    let mut parameters = vec![("allow_partial_search_results", "false")];
    parameters.extend(query);
    cluster.value(Request::post(&path).query(&parameters).json(body), doing).await.map(Some)
}

fn sources<T: for<'a> Deserialize<'a>>(answer: &Value, doing: &str) -> Result<Vec<T>, ClusterError> {
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
        let body = json!({"query": of_pillow(pillow), "size": PAGE, "sort": [{"time": "asc"}]});
        match search(self, &[], &body).await? {
            Some(answer) => sources(&answer, "reading dead letters"),
            None => Ok(Vec::new()),
        }
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

    /// Removes dead letters of an index, as after somebody gave the documents up. Where a newer one came meanwhile, that stays.
    pub async fn remove_dead_letters(
        &self,
        index_uuid: &str,
        letters: &[DeadLetter],
    ) -> Result<(), ClusterError> {
        if letters.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = letters.iter().map(|letter| (letter.id.clone(), letter.version)).collect();
        settle(self, index_uuid, &seen).await
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
