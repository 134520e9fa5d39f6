//! Reading what is in an index: whole searches, counts, versions, and a simple search to try an
//! index with.

use pillowtop_core::{DocumentId, IndexName};
use serde::Serialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::Request;
use super::shards::IndexShards;
use crate::operation::Version;

/// A simple search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// Words; without a field with `+`, `|`, `-`, `"` and `*` as operators. An empty string finds
    /// everything.
    pub text: String,
    /// The one field to search. Default: all of them.
    pub field: Option<String>,
    /// The largest number of hits.
    pub size: usize,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResponse {
    /// How many documents match.
    pub total: u64,
    /// The best of them, best first.
    pub hits: Vec<SearchHit>,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// Its id.
    pub id: DocumentId,
    /// How well it matches.
    pub score: f64,
    /// What is stored.
    pub source: Value,
}

/// A document that is in a shard of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentCopy {
    /// Its id.
    pub id: DocumentId,
    /// The routing value that it was indexed with.
    pub routing: Option<String>,
    /// Its version.
    pub version: Version,
    /// What is stored.
    pub source: Value,
}

/// What leads to a document: its id, and the routing value where the id alone does not.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct DocumentKey<'a> {
    #[serde(rename = "_id")]
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) routing: Option<&'a str>,
}

impl DocumentCopy {
    /// What an entry of `_mget` found.
    fn of(mut entry: Value) -> Option<Self> {
        if entry.get("found") != Some(&json!(true)) {
            return None;
        }
        Some(Self {
            id: entry.get("_id")?.as_str()?.into(),
            routing: entry.get("_routing").and_then(Value::as_str).map(str::to_owned),
            version: Version(entry.get("_version")?.as_u64()?),
            source: entry.get_mut("_source").map(Value::take).unwrap_or_default(),
        })
    }
}

impl SearchRequest {
    fn body(&self) -> Value {
        let query = match (&self.field, self.text.trim()) {
            (_, "") => json!({"match_all": {}}),
            (Some(field), text) => json!({"match": {(field.as_str()): text}}),
            // `lenient`: words are searched in numeric and date fields too, where they do not
            // match.
            (None, text) => json!({"simple_query_string": {"query": text, "lenient": true}}),
        };
        json!({"query": query, "size": self.size, "track_total_hits": true})
    }
}

/// An error unless a search reached every shard in time.
pub(super) fn whole(response: Value, doing: &str) -> Result<Value, ClusterError> {
    let shards = response.get("_shards");
    let count = |name: &str| shards.and_then(|shards| shards.get(name)).and_then(Value::as_u64);
    let is_whole = count("failed") == Some(0) && count("successful") == count("total");
    if is_whole && response.get("timed_out") != Some(&json!(true)) {
        return Ok(response);
    }
    let (error_type, reason) = ("partial_response".to_owned(), "not all shards responded".to_owned());
    Err(ClusterError::Refused { doing: doing.to_owned(), status: 503, error_type, reason })
}

/// The hits of a search.
pub(super) fn hits(response: &Value) -> &[Value] {
    response.pointer("/hits/hits").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// How many documents match a search that counts all of them.
pub(super) fn total(response: &Value, doing: &str) -> Result<u64, ClusterError> {
    response.pointer("/hits/total/value").and_then(Value::as_u64).ok_or_else(|| ClusterError::Malformed {
        doing: doing.to_owned(),
        reason: "it has no total".to_owned(),
    })
}

impl Cluster {
    /// Searches every shard of an index or alias; `None` if there is none of this name. A partial
    /// result is an error.
    pub(super) async fn whole_search(
        &self,
        name: &str,
        body: &Value,
        doing: &str,
    ) -> Result<Option<Value>, ClusterError> {
        let path = [name, "_search"];
        let query = [("allow_partial_search_results", "false")];
        let found = self.retry(|| async {
            let request = Request::post(&path).query(&query).json(body);
            match self.optional_value(request, doing).await? {
                Some(response) => whole(response, doing).map(Some),
                None => Ok(None),
            }
        });
        found.await
    }

    async fn existing_search(&self, name: &str, body: &Value, doing: &str) -> Result<Value, ClusterError> {
        let found = self.whole_search(name, body, doing).await?;
        found.ok_or_else(|| ClusterError::Refused {
            doing: doing.to_owned(),
            status: 404,
            error_type: "index_not_found_exception".to_owned(),
            reason: format!("no such index [{name}]"),
        })
    }

    /// How many documents an index or alias has, as searches see it.
    pub async fn count(&self, name: &str) -> Result<u64, ClusterError> {
        let doing = format!("counting the documents of `{name}`");
        // `_count` of an index without its shards is a number too.
        let body = json!({"size": 0, "track_total_hits": true});
        total(&self.existing_search(name, &body, &doing).await?, &doing)
    }

    /// How many documents each of some indices has, in one request; `None` for one that cannot be
    /// searched now.
    pub(super) async fn counts(&self, names: &[IndexName]) -> Result<Vec<Option<u64>>, ClusterError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "counting documents";
        let mut lines = String::new();
        for name in names {
            lines += &json!({"index": name, "allow_partial_search_results": false}).to_string();
            lines.push('\n');
            lines += "{\"size\":0,\"track_total_hits\":true}\n";
        }
        let request = Request::post(&["_msearch"]).body(lines).repeatable();
        let response = self.value(request, doing).await?;
        let results = response.get("responses").and_then(Value::as_array).into_iter().flatten();
        let mut counts: Vec<Option<u64>> =
            results.map(|result| total(&whole(result.clone(), doing).ok()?, doing).ok()).collect();
        counts.resize(names.len(), None);
        Ok(counts)
    }

    /// Searches an index or alias.
    pub async fn search(&self, name: &str, request: &SearchRequest) -> Result<SearchResponse, ClusterError> {
        let doing = format!("searching `{name}`");
        let response = self.existing_search(name, &request.body(), &doing).await?;
        let found = hits(&response).iter().filter_map(|hit| {
            Some(SearchHit {
                id: hit.get("_id")?.as_str()?.into(),
                score: hit.get("_score").and_then(Value::as_f64).unwrap_or_default(),
                source: hit.get("_source").cloned().unwrap_or_default(),
            })
        });
        Ok(SearchResponse { total: total(&response, &doing)?, hits: found.collect() })
    }

    /// The `_source` of a document without a routing value, the latest write of it; `None` if it
    /// does not exist.
    pub async fn document(&self, index: &IndexName, id: &DocumentId) -> Result<Option<Value>, ClusterError> {
        let keys = [DocumentKey { id: id.as_str(), routing: None }];
        let mut documents = self.documents(index.as_str(), &keys, true).await?;
        let found = documents.first_mut().filter(|entry| entry.get("found") == Some(&json!(true)));
        Ok(found.and_then(|entry| entry.get_mut("_source")).map(Value::take))
    }

    /// Every copy of documents, the latest writes of them, in whichever shard it is. Where a pillow
    /// has a routing, an index may have several of one document for a moment; it is reading with
    /// one routing value for each shard, as a document's own is not known.
    pub async fn document_copies(
        &self,
        index: &IndexName,
        ids: &[&str],
    ) -> Result<Vec<DocumentCopy>, ClusterError> {
        let routings = self.shard_routings(index).await?;
        self.copies_in_shards(index, &routings, ids).await
    }

    /// A routing value for each shard of an index, in order.
    pub(super) async fn shard_routings(&self, index: &IndexName) -> Result<Vec<String>, ClusterError> {
        IndexShards::read(self, index).await?.confirmed_routings(self, index).await
    }

    /// Every copy of documents, as [`document_copies`](Self::document_copies) reads them, with a
    /// routing value for each shard.
    pub(super) async fn copies_in_shards(
        &self,
        index: &IndexName,
        routings: &[String],
        ids: &[&str],
    ) -> Result<Vec<DocumentCopy>, ClusterError> {
        let key = |id| routings.iter().map(move |routing| DocumentKey { id, routing: Some(routing) });
        let keys: Vec<DocumentKey<'_>> = ids.iter().copied().flat_map(key).collect();
        let documents = self.documents(index.as_str(), &keys, true).await?;
        Ok(documents.into_iter().filter_map(DocumentCopy::of).collect())
    }

    /// The versions of documents, the latest writes of them, each in the shard that its key leads
    /// to; `None` for one that does not exist.
    pub(super) async fn versions(
        &self,
        index: &IndexName,
        keys: &[DocumentKey<'_>],
    ) -> Result<Vec<Option<Version>>, ClusterError> {
        let documents = self.documents(index.as_str(), keys, false).await?;
        let version = |entry: &Value| entry.get("_version").and_then(Value::as_u64).map(Version);
        Ok(documents.iter().map(version).collect())
    }

    /// The entries of `_mget`, one for each key. An entry may be an error of its own, as while its
    /// shard is not available: nothing is known of that document then, so that is an error of the
    /// whole.
    pub(super) async fn documents(
        &self,
        index: &str,
        keys: &[DocumentKey<'_>],
        with_source: bool,
    ) -> Result<Vec<Value>, ClusterError> {
        let path = [index, "_mget"];
        let query = [("_source", if with_source { "true" } else { "false" })];
        let doing = format!("reading documents of index `{index}`");
        // Ids go into the body: not every id can be part of an address.
        let body = json!({ "docs": keys });
        self.retry(|| async {
            let response = self.value(Request::post(&path).query(&query).json(&body), &doing).await?;
            known_documents(response, keys.len(), &doing)
        })
        .await
    }
}

/// The documents in a response of `_mget`, if it is certain of each of them whether it exists.
fn known_documents(mut response: Value, expected: usize, doing: &str) -> Result<Vec<Value>, ClusterError> {
    let doing = doing.to_owned();
    let documents = match response.get_mut("docs").map(Value::take) {
        Some(Value::Array(documents)) if documents.len() == expected => documents,
        _ => {
            let reason = "it does not have one document for each id".to_owned();
            return Err(ClusterError::Malformed { doing, reason });
        }
    };
    let Some(failed) = documents.iter().find(|entry| entry.get("found").is_none()) else {
        return Ok(documents);
    };
    let error =
        |name: &str| failed.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or_default();
    let (error_type, reason) = (error("type").to_owned(), error("reason").to_owned());
    let status = if error_type == "index_not_found_exception" { 404 } else { 503 };
    Err(ClusterError::Refused { doing, status, error_type, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_for_a_field_for_words_or_for_everything() {
        let body = |text: &str, field: Option<&str>| {
            SearchRequest { text: text.to_owned(), field: field.map(str::to_owned), size: 3 }.body()["query"]
                .clone()
        };
        assert_eq!(body(" ", None), json!({"match_all": {}}));
        assert_eq!(body("a b", Some("name")), json!({"match": {"name": "a b"}}));
        assert_eq!(body("a +b", None), json!({"simple_query_string": {"query": "a +b", "lenient": true}}));
    }

    #[test]
    fn a_search_without_all_shards_is_an_error() {
        let response = |shards: Value| json!({"_shards": shards, "timed_out": false, "hits": {"hits": []}});
        assert!(whole(response(json!({"total": 1, "successful": 1, "failed": 0})), "x").is_ok());
        for shards in [
            json!({"total": 2, "successful": 1, "failed": 1}),
            json!({"total": 1, "successful": 0, "failed": 0}),
            json!({}),
        ] {
            let error = whole(response(shards), "x").unwrap_err();
            assert!(error.is_retryable(), "{error}");
        }
    }

    #[test]
    fn an_error_in_place_of_a_document_is_not_a_missing_document() {
        let read = |entry: Value| known_documents(json!({"docs": [entry]}), 1, "reading");
        assert!(read(json!({"_id": "a", "found": false})).is_ok());
        let error = |error_type: &str| read(json!({"_id": "a", "error": {"type": error_type}})).unwrap_err();
        assert!(error("no_shard_available_action_exception").is_retryable());
        assert!(error("index_not_found_exception").is_missing());
        assert!(known_documents(json!({"docs": []}), 1, "reading").is_err());
    }
}
