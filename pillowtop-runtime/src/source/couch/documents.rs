//! Documents by their ids, through `_bulk_get`.

use std::collections::HashMap;
use std::time::Duration;

use bytestring::ByteString;
use pillowtop_core::{DocumentId, Revision};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::database::CouchDatabase;
use super::error::CouchError;
use crate::retry::{RetryPolicy, retry};
use crate::row::{Row, Unreadable};
use crate::source::listing::ListedDocument;

/// Documents of one request. A response is held in memory whole.
const CHUNK: usize = 100;

const WHAT: &str = "reading documents by their ids";

#[derive(Deserialize)]
struct Body<'body> {
    #[serde(borrow)]
    results: Vec<OfId<'body>>,
}

#[derive(Deserialize)]
struct OfId<'body> {
    id: String,
    /// One entry for each leaf revision.
    #[serde(borrow)]
    docs: Vec<Leaf<'body>>,
}

#[derive(Deserialize)]
struct Leaf<'body> {
    #[serde(borrow)]
    ok: Option<&'body RawValue>,
    error: Option<LeafError>,
}

#[derive(Deserialize)]
struct LeafError {
    error: String,
    #[serde(default)]
    reason: String,
}

impl CouchDatabase {
    /// The documents of some ids as they are now, one row for each id. When a request fails because
    /// of a document in it, that one is found by halving, and its row is unreadable.
    pub(super) async fn documents(&self, ids: &[DocumentId]) -> Result<Vec<Row>, CouchError> {
        self.documents_by(ids, CHUNK).await
    }

    /// The same with requests for so many ids.
    pub(super) async fn documents_by(
        &self,
        ids: &[DocumentId],
        chunk: usize,
    ) -> Result<Vec<Row>, CouchError> {
        let mut rows = Vec::with_capacity(ids.len());
        let mut chunks: Vec<&[DocumentId]> = ids.chunks(chunk.max(1)).rev().collect();
        let mut policy = RetryPolicy { within: Duration::from_secs(10), ..RetryPolicy::default() };
        while let Some(chunk) = chunks.pop() {
            let error = match retry(policy, CouchError::may_pass, || self.bulk_get(chunk)).await {
                Ok(found) => {
                    rows.extend(found);
                    continue;
                }
                Err(error) => error,
            };
            // If the server responds to anything else, something in this request is the cause.
            if !error.may_be_about_documents() || self.info().await.is_err() {
                return Err(error);
            }
            match chunk {
                [id] => {
                    let unreadable = Unreadable::new("read_failed", error.to_string());
                    rows.push(Row::of_unreadable(id.clone(), unreadable));
                }
                _ => {
                    let (first, second) = chunk.split_at(chunk.len() / 2);
                    chunks.extend([second, first]);
                    policy.within = Duration::from_secs(1);
                }
            }
        }
        Ok(rows)
    }

    async fn bulk_get(&self, ids: &[DocumentId]) -> Result<Vec<Row>, CouchError> {
        // CouchDB accepts no empty id, so it has no such document.
        let wanted: Vec<_> = ids
            .iter()
            .filter(|id| !id.as_str().is_empty())
            .map(|id| serde_json::json!({ "id": id }))
            .collect();
        let mut found = self.found(&wanted, "_bulk_get").await?;
        ids.iter()
            .map(|id| match found.remove(id.as_str()) {
                Some(row) => Ok(row),
                None if id.as_str().is_empty() => Ok(Row::missing(id.clone())),
                None => Err(self.server().malformed(WHAT, "an id is missing in the response")),
            })
            .collect()
    }

    /// The revision of a document that is listed, or the latest one that descends from it.
    pub(super) async fn descendant(&self, listed: &ListedDocument) -> Result<Row, CouchError> {
        let wanted = [serde_json::json!({ "id": listed.id, "rev": listed.revision })];
        let mut found = self.found(&wanted, "_bulk_get?latest=true").await?;
        Ok(found.remove(listed.id.as_str()).unwrap_or_else(|| Row::missing(listed.id.clone())))
    }

    /// What `_bulk_get` finds, by the documents' ids.
    async fn found(
        &self,
        wanted: &[serde_json::Value],
        endpoint: &str,
    ) -> Result<HashMap<String, Row>, CouchError> {
        let response = self.post(endpoint, &serde_json::json!({ "docs": wanted }), WHAT).await?;
        let body = self.server().text(response, WHAT).await?;
        let malformed = |error: serde_json::Error| self.server().malformed(WHAT, &error.to_string());
        let parsed: Body<'_> = serde_json::from_str(&body).map_err(malformed)?;
        Ok(parsed.results.into_iter().map(|of_id| (of_id.id.clone(), winner(of_id, &body))).collect())
    }
}

/// The winning one of the leaf revisions: without a revision in the request, CouchDB responds with
/// all of them.
fn winner(of_id: OfId<'_>, body: &ByteString) -> Row {
    let (mut winner, mut failure): (Option<Row>, _) = (None, None);
    for leaf in of_id.docs {
        match (leaf.ok, leaf.error) {
            (Some(document), _) => match Row::of_document(body.slice_ref(document.get()), &of_id.id, "") {
                Ok(row) => winner = Some(winner.map_or(row.clone(), |other| prevailing(other, row))),
                Err(error) => failure = Some(Unreadable::new("malformed", error.to_string())),
            },
            (None, Some(error)) if error.error != "not_found" => {
                failure = Some(Unreadable::new(error.error, error.reason));
            }
            _ => {}
        }
    }
    let id = DocumentId::new(of_id.id);
    match (winner, failure) {
        // A leaf that could not be read may be the winner.
        (_, Some(failure)) => Row::of_unreadable(id, failure),
        (Some(row), None) => row,
        (None, None) => Row::missing(id),
    }
}

/// The one of two leaf revisions that CouchDB prefers: one that is not deleted, then the longer
/// history, then the higher hash.
fn prevailing(one: Row, other: Row) -> Row {
    let is_first = (!one.deleted, rank(&one.revision)) >= (!other.deleted, rank(&other.revision));
    if is_first { one } else { other }
}

/// The length of a revision's history, and its hash.
pub(super) fn rank(revision: &Revision) -> (u64, &str) {
    let (generation, hash) = revision.as_str().split_once('-').unwrap_or_default();
    (generation.parse().unwrap_or(0), hash)
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Script, Scripted};
    use crate::source::Source as _;

    #[tokio::test]
    async fn the_winning_revision_of_each_id_is_fetched() {
        let results = r#"{"results":[
            {"id":"conflicted","docs":[{"ok":{"_id":"conflicted","_rev":"2-a"}},{"ok":{"_id":"conflicted","_rev":"2-b"}},
                {"ok":{"_id":"conflicted","_rev":"10-a","_deleted":true}}]},
            {"id":"deleted","docs":[{"ok":{"_id":"deleted","_rev":"3-a","_deleted":true}}]},
            {"id":"missing","docs":[{"error":{"id":"missing","rev":"undefined","error":"not_found","reason":"missing"}}]}
        ]}"#;
        let server = Scripted { documents: vec![Script::text(results)], ..Scripted::default() }.start().await;
        let ids = ["conflicted".into(), "deleted".into(), "missing".into(), "".into()];
        let rows = server.database().fetch(&ids).await.unwrap();
        let found: Vec<_> =
            rows.iter().map(|row| (row.revision.as_str(), row.deleted, row.is_missing())).collect();
        assert_eq!(found, [("2-b", false, false), ("3-a", true, false), ("", true, true), ("", true, true)]);
        assert!(!server.requests("/db/_bulk_get")[0].body.contains("\"id\":\"\""));
    }

    #[tokio::test]
    async fn a_passing_failure_of_a_fetch_is_retried() {
        let results = r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-a"}}]}]}"#;
        let documents = vec![
            Script::Status(503, "{}"),
            Script::Status(429, "{}"),
            Script::text("{\"results\":["),
            Script::text(results),
        ];
        let server = Scripted { documents, ..Scripted::default() }.start().await;
        let rows = server.database().fetch(&["a".into()]).await.unwrap();
        assert_eq!(rows[0].revision.as_str(), "1-a");
    }

    #[tokio::test]
    async fn a_cluster_with_copies_of_its_shards_says_so() {
        for (cluster, has_one) in
            [(r#","cluster":{"q":2,"n":3}"#, false), (r#","cluster":{"n":1}"#, true), ("", true)]
        {
            let info = format!(r#"{{"instance_start_time":"1","update_seq":"s"{cluster}}}"#);
            let server = Scripted { info: vec![Script::text(info)], ..Scripted::default() }.start().await;
            assert_eq!(server.database().has_one_copy().await.unwrap(), has_one);
        }
    }
}
