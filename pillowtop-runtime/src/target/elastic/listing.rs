//! Listing the ids and revisions of all documents of an index, from the doc values of the reserved
//! object: stored fields are not read, which would cost more than everything else.
//!
//! A point in time is read by `search_after` where the product can sort by `_shard_doc`, which
//! costs the same at any depth; such a page is requested again if its response is lost. Elsewhere
//! it is a scroll, of which a lost page ends the listing with an error.

use std::borrow::Cow;

use futures_util::{Stream, stream};
use pillowtop_core::field_types::{Product, Target};
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::{DocumentId, IndexName, Revision};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::Request;
use crate::target::{Extent, IndexedId};

/// Documents of one response: what servers return at most by default.
const PAGE: usize = 10_000;
/// How long the server keeps what pages are read from, after each of them.
const KEEP_ALIVE: &str = "5m";
/// What is needed of a response.
const FILTER_PATH: &str = "_scroll_id,pit_id,timed_out,_shards,hits.hits._id,hits.hits.fields,hits.hits.sort";

#[derive(Deserialize)]
struct Page<'body> {
    #[serde(rename = "_scroll_id")]
    scroll_id: Option<String>,
    pit_id: Option<String>,
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(borrow, default)]
    hits: Hits<'body>,
}

#[derive(Deserialize)]
struct Shards {
    total: u64,
    successful: u64,
    failed: u64,
}

#[derive(Deserialize, Default)]
struct Hits<'body> {
    #[serde(borrow, default)]
    hits: Vec<Hit<'body>>,
}

#[derive(Deserialize)]
struct Hit<'body> {
    #[serde(rename = "_id", borrow)]
    id: Option<Cow<'body, str>>,
    #[serde(borrow, default)]
    fields: Fields<'body>,
    sort: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Fields<'body> {
    #[serde(rename = "pillowtop.id", borrow, default)]
    id: Vec<Cow<'body, str>>,
    #[serde(rename = "pillowtop.rev", borrow, default)]
    revision: Vec<Cow<'body, str>>,
}

/// What pages are read from.
enum Cursor {
    PointInTime { id: String, after: Option<Value> },
    Scroll { id: Option<String> },
}

/// How far a listing is.
enum State {
    Start,
    Open(Cursor),
}

/// A page that every shard has contributed to.
struct ReadPage {
    documents: Vec<IndexedId>,
    /// The id of the point in time or the scroll, if the response has one.
    id: Option<String>,
    /// Where its last document is in the order.
    last: Option<Value>,
}

/// An index whose documents are listed.
struct Listing<'a> {
    cluster: &'a Cluster,
    index: &'a IndexName,
    extent: Extent,
    doing: String,
}

/// Lists documents of an index.
pub(super) fn list<'a>(
    cluster: &'a Cluster,
    index: &'a IndexName,
    extent: Extent,
) -> impl Stream<Item = Result<Vec<IndexedId>, ClusterError>> + Send + 'a {
    let doing = format!("listing the documents of index `{index}`");
    let listing = Listing { cluster, index, extent, doing };
    stream::try_unfold((listing, State::Start), async |(listing, state)| {
        let cursor = match state {
            State::Start => listing.open().await?,
            State::Open(cursor) => cursor,
        };
        Ok(listing.next(cursor).await?.map(|(page, cursor)| (page, (listing, State::Open(cursor)))))
    })
}

/// Whether a point in time can be read at the same cost at any depth.
fn sorts_by_shard_and_document(target: Target) -> bool {
    let since = match target.product {
        Product::Elasticsearch => Target::elasticsearch(7, 12),
        Product::OpenSearch => Target::opensearch(3, 3),
    };
    target.version >= since.version
}

impl Listing<'_> {
    /// Opens a point in time, or a scroll where there is none or it is not permitted.
    async fn open(&self) -> Result<Cursor, ClusterError> {
        let target = self.cluster.target();
        if !sorts_by_shard_and_document(target) {
            return Ok(Cursor::Scroll { id: None });
        }
        let index = self.index.as_str();
        let keep = ("keep_alive", KEEP_ALIVE);
        let opened = match target.product {
            Product::Elasticsearch => {
                let path = [index, "_pit"];
                self.cluster.value(Request::post(&path).query(&[keep]).repeatable(), &self.doing).await
            }
            Product::OpenSearch => {
                let path = [index, "_search", "point_in_time"];
                let query = [keep, ("allow_partial_pit_creation", "false")];
                self.cluster.value(Request::post(&path).query(&query).repeatable(), &self.doing).await
            }
        };
        match opened {
            Ok(opened) => {
                let id = ["id", "pit_id"].iter().find_map(|name| opened.get(name)?.as_str());
                let id =
                    id.ok_or_else(|| malformed(&self.doing, "it has no id of a point in time"))?.to_owned();
                Ok(Cursor::PointInTime { id, after: None })
            }
            Err(ClusterError::Forbidden { .. } | ClusterError::Refused { status: 400 | 405, .. }) => {
                Ok(Cursor::Scroll { id: None })
            }
            Err(error) => Err(error),
        }
    }

    /// The next page, and the cursor after it; `None` after the last one.
    async fn next(&self, cursor: Cursor) -> Result<Option<(Vec<IndexedId>, Cursor)>, ClusterError> {
        let (documents, next) = match cursor {
            Cursor::PointInTime { id, after } => {
                let page = self.cluster.retry(|| self.page_of_point_in_time(&id, after.as_ref())).await?;
                (page.documents, Cursor::PointInTime { id: page.id.unwrap_or(id), after: page.last })
            }
            Cursor::Scroll { id } => {
                let page = self.page_of_scroll(id.as_deref()).await?;
                (page.documents, Cursor::Scroll { id: page.id })
            }
        };
        if documents.is_empty() {
            self.close(next).await;
            return Ok(None);
        }
        Ok(Some((documents, next)))
    }

    async fn page_of_point_in_time(&self, id: &str, after: Option<&Value>) -> Result<ReadPage, ClusterError> {
        let mut body = self.body();
        body["pit"] = json!({"id": id, "keep_alive": KEEP_ALIVE});
        body["sort"] = json!([{"_shard_doc": "asc"}]);
        body["track_total_hits"] = json!(false);
        if let Some(after) = after {
            body["search_after"] = after.clone();
        }
        let query = [("filter_path", FILTER_PATH), ("allow_partial_search_results", "false")];
        let body = self
            .cluster
            .bytes_once(Request::post(&["_search"]).query(&query).json(&body), &self.doing)
            .await?;
        // A partial page is requested again.
        self.read(&body)
    }

    async fn page_of_scroll(&self, id: Option<&str>) -> Result<ReadPage, ClusterError> {
        let Some(id) = id else {
            let mut body = self.body();
            body["sort"] = json!(["_doc"]);
            let path = [self.index.as_str(), "_search"];
            let query = [
                ("filter_path", FILTER_PATH),
                ("allow_partial_search_results", "false"),
                ("scroll", KEEP_ALIVE),
            ];
            let first = || async {
                let request = Request::post(&path).query(&query).json(&body);
                self.read(&self.cluster.bytes_once(request, &self.doing).await?)
            };
            return self.cluster.retry(first).await;
        };
        let body = json!({"scroll": KEEP_ALIVE, "scroll_id": id});
        let request =
            Request::post(&["_search", "scroll"]).query(&[("filter_path", FILTER_PATH)]).json(&body);
        self.read(&self.cluster.bytes_once(request, &self.doing).await?)
    }

    /// The parts of a search that both cursors share.
    fn body(&self) -> Value {
        let field = |name: &str| format!("{RESERVED}.{name}");
        let written = json!({"exists": {"field": field("id")}});
        let query = match &self.extent {
            Extent::Whole => json!({"bool": {"filter": written}}),
            Extent::Database(database) => json!({"bool": {"filter": {"term": {field("db"): database}}}}),
            Extent::Strays => json!({"bool": {"must_not": written}}),
            Extent::OfNone(databases) => json!({"bool": {"must_not": {"terms": {field("db"): databases}}}}),
        };
        if self.lists_strays() {
            return json!({"size": PAGE, "query": query, "_source": false});
        }
        json!({"size": PAGE, "query": query, "stored_fields": "_none_",
            "docvalue_fields": [field("id"), field("rev")]})
    }

    fn lists_strays(&self) -> bool {
        matches!(self.extent, Extent::Strays | Extent::OfNone(_))
    }

    fn document(&self, hit: Hit<'_>) -> IndexedId {
        if self.lists_strays() {
            let id = DocumentId::new(hit.id.unwrap_or_default());
            return IndexedId { id, revision: Revision::from("") };
        }
        IndexedId {
            id: DocumentId::new(first(hit.fields.id)),
            revision: Revision::new(first(hit.fields.revision)),
        }
    }

    fn read(&self, body: &[u8]) -> Result<ReadPage, ClusterError> {
        let mut page = whole(&self.doing, body)?;
        let last = page.hits.hits.last_mut().and_then(|hit| hit.sort.take());
        let id = page.pit_id.or(page.scroll_id);
        let documents = page.hits.hits.into_iter().map(|hit| self.document(hit)).collect();
        Ok(ReadPage { documents, id, last })
    }

    /// Frees what the server keeps. Otherwise it is freed after a few minutes.
    async fn close(&self, cursor: Cursor) {
        let product = self.cluster.target().product;
        let closed = match &cursor {
            Cursor::Scroll { id: None } => return,
            Cursor::Scroll { id } => {
                let body = json!({"scroll_id": id});
                self.cluster
                    .value(Request::delete(&["_search", "scroll"]).json(&body), "closing a scroll")
                    .await
            }
            Cursor::PointInTime { id, .. } => {
                let (path, body): (&[&str], Value) = match product {
                    Product::Elasticsearch => (&["_pit"], json!({"id": id})),
                    Product::OpenSearch => (&["_search", "point_in_time"], json!({"pit_id": [id]})),
                };
                self.cluster.value(Request::delete(path).json(&body), "closing a point in time").await
            }
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "cannot close the scroll or the point in time of a listing");
        }
    }
}

fn malformed(doing: &str, reason: &str) -> ClusterError {
    ClusterError::Malformed { doing: doing.to_owned(), reason: reason.to_owned() }
}

/// A page that every shard has contributed to.
fn whole<'body>(doing: &str, body: &'body [u8]) -> Result<Page<'body>, ClusterError> {
    let page: Page<'_> =
        serde_json::from_slice(body).map_err(|error| malformed(doing, &error.to_string()))?;
    let Shards { total, successful, failed } = page.shards;
    if failed == 0 && successful == total && !page.timed_out {
        return Ok(page);
    }
    Err(ClusterError::Refused {
        doing: doing.to_owned(),
        status: 503,
        error_type: "partial_response".to_owned(),
        reason: format!("{successful} of {total} shards responded"),
    })
}

/// The value of a field, which servers return as a list.
fn first(values: Vec<Cow<'_, str>>) -> Cow<'_, str> {
    values.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_all_shards_is_an_error() {
        let page = |shards: &str| {
            let page = format!(
                r#"{{"timed_out":false,"_shards":{shards},"hits":{{"hits":[{{"fields":{{"pillowtop.id":["a"]}},"sort":[1]}}]}}}}"#
            );
            whole("listing", page.as_bytes()).map(|page| page.hits.hits.len())
        };
        assert_eq!(page(r#"{"total":2,"successful":2,"skipped":0,"failed":0}"#), Ok(1));
        for partial in [
            r#"{"total":2,"successful":1,"skipped":0,"failed":1}"#,
            r#"{"total":2,"successful":1,"skipped":0,"failed":0}"#,
        ] {
            assert!(page(partial).is_err_and(|error| error.is_retryable()), "{partial}");
        }
        // The last page has no hits.
        assert!(whole("listing", br#"{"_shards":{"total":1,"successful":1,"failed":0}}"#).is_ok());
        assert!(whole("listing", b"{}").is_err());
    }

    #[test]
    fn a_point_in_time_is_read_where_its_documents_have_an_order() {
        for (target, expected) in [
            (Target::elasticsearch(7, 10), false),
            (Target::elasticsearch(7, 12), true),
            (Target::elasticsearch(9, 1), true),
            (Target::opensearch(2, 19), false),
            (Target::opensearch(3, 6), true),
        ] {
            assert_eq!(sorts_by_shard_and_document(target), expected, "{target:?}");
        }
    }
}
