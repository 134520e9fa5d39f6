//! Reading what is in an index: counts, versions, and a simple search to try an index with.

use std::collections::BTreeMap;

use pillowtop_core::{DocumentId, IndexName};
use serde_json::{Value, json};

use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use crate::operation::Version;

/// A simple search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// Words; without a field with `+`, `|`, `-`, `"` and `*` as operators; nothing finds everything.
    pub text: String,
    /// The one field to look into; all of them by default.
    pub field: Option<String>,
    /// How many hits are wanted.
    pub size: usize,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchAnswer {
    /// How many documents match.
    pub total: u64,
    /// The best of them, best first.
    pub hits: Vec<Hit>,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: DocumentId,
    /// How well it fits.
    pub score: f64,
    /// What is stored.
    pub source: Value,
}

impl SearchRequest {
    fn body(&self) -> Value {
        let query = match (&self.field, self.text.trim()) {
            (_, "") => json!({"match_all": {}}),
            (Some(field), text) => json!({"match": {(field.as_str()): text}}),
            // `lenient`: words are looked for in fields of numbers and dates too, and are simply not found there.
            (None, text) => json!({"simple_query_string": {"query": text, "lenient": true}}),
        };
        json!({"query": query, "size": self.size, "track_total_hits": true})
    }
}

impl Cluster {
    /// How many documents an index or alias has, as searches see it.
    pub async fn count(&self, name: &str) -> Result<u64, ClusterError> {
        let path = [name, "_count"];
        let doing = format!("counting the documents of `{name}`");
        let answer = self.value(Request::get(&path), &doing).await?;
        let is_whole = answer.pointer("/_shards/failed") == Some(&json!(0));
        let count = answer.get("count").and_then(Value::as_u64).filter(|_| is_whole);
        count.ok_or_else(|| ClusterError::Malformed { doing, reason: "not all shards answered".to_owned() })
    }

    /// Searches an index or alias.
    pub async fn search(&self, name: &str, request: &SearchRequest) -> Result<SearchAnswer, ClusterError> {
        let path = [name, "_search"];
        let query = [("allow_partial_search_results", "false")];
        let doing = format!("searching `{name}`");
        let body = request.body();
        let answer = self.value(Request::post(&path).query(&query).json(&body), &doing).await?;
        let malformed =
            |what: &str| ClusterError::Malformed { doing: doing.clone(), reason: what.to_owned() };
        let total = answer.pointer("/hits/total/value").and_then(Value::as_u64);
        let hits = answer.pointer("/hits/hits").and_then(Value::as_array);
        let hits = hits.ok_or_else(|| malformed("it has no hits"))?.iter().map(|hit| {
            Some(Hit {
                id: hit.get("_id")?.as_str()?.into(),
                score: hit.get("_score").and_then(Value::as_f64).unwrap_or_default(),
                source: hit.get("_source").cloned().unwrap_or_default(),
            })
        });
        Ok(SearchAnswer {
            total: total.ok_or_else(|| malformed("it has no total"))?,
            hits: hits.collect::<Option<_>>().ok_or_else(|| malformed("a hit has no id"))?,
        })
    }

    /// The `_source` of a document, the latest write of it; `None` when it is not there.
    pub async fn document(&self, index: &IndexName, id: &DocumentId) -> Result<Option<Value>, ClusterError> {
        let mut answer = self.multi_get(index, &[id.as_str()], true).await?;
        let found = answer.pointer_mut("/docs/0").filter(|entry| entry.get("found") == Some(&json!(true)));
        Ok(found.and_then(|entry| entry.get_mut("_source")).map(Value::take))
    }

    /// The versions of documents, the latest writes of them; those that are not there are left out.
    pub(super) async fn versions(
        &self,
        index: &IndexName,
        ids: &[&str],
    ) -> Result<BTreeMap<String, Version>, ClusterError> {
        let answer = self.multi_get(index, ids, false).await?;
        let found = answer.get("docs").and_then(Value::as_array).into_iter().flatten();
        let version = |entry: &Value| {
            let id = entry.get("_id")?.as_str()?.to_owned();
            Some((id, Version(entry.get("_version")?.as_u64()?)))
        };
        Ok(found.filter_map(version).collect())
    }

    async fn multi_get(
        &self,
        index: &IndexName,
        ids: &[&str],
        with_source: bool,
    ) -> Result<Value, ClusterError> {
        let path = [index.as_str(), "_mget"];
        let query = [("_source", if with_source { "true" } else { "false" })];
        let doing = format!("reading documents of index `{index}`");
        // Ids go into the body: in an address some of them could not stand.
        self.value(Request::post(&path).query(&query).json(&json!({"ids": ids})), &doing).await
    }
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
}
