//! The ids and revisions of all documents, through `_all_docs`, page by page.

use std::borrow::Cow;

use futures_util::{Stream, stream};
use pillowtop_core::{DocumentId, Revision};
use reqwest::Method;
use serde::Deserialize;

use super::database::CouchDatabase;
use super::error::CouchError;
use crate::retry::{RetryPolicy, retry};
use crate::source::listing::{ListedDocument, ListedPage};

/// Documents of one response. Pages cost little over one stream, and one that was cut is requested
/// again.
const PAGE: usize = 10_000;

const WHAT: &str = "listing documents";

#[derive(Deserialize)]
struct Body<'body> {
    total_rows: Option<u64>,
    #[serde(borrow)]
    rows: Vec<Entry<'body>>,
}

#[derive(Deserialize)]
struct Entry<'body> {
    #[serde(borrow)]
    id: Cow<'body, str>,
    #[serde(borrow)]
    value: EntryValue<'body>,
}

#[derive(Deserialize)]
struct EntryValue<'body> {
    #[serde(borrow)]
    rev: Cow<'body, str>,
}

/// Where the next page begins.
enum Next {
    First,
    After(DocumentId),
    Done,
}

impl CouchDatabase {
    /// All documents that are not deleted.
    pub(super) fn listing(&self) -> impl Stream<Item = Result<ListedPage, CouchError>> + Send + '_ {
        stream::try_unfold(Next::First, move |next| async move {
            let last = match &next {
                Next::First => None,
                Next::After(id) => Some(id),
                Next::Done => return Ok(None),
            };
            // A response that was cut is malformed.
            let is_passing =
                |error: &CouchError| error.is_retryable() || matches!(error, CouchError::Malformed { .. });
            let (mut page, is_last) =
                retry(RetryPolicy::default(), is_passing, || self.list_from(last)).await?;
            let next = match page.documents.last() {
                Some(document) if !is_last => Next::After(document.id.clone()),
                _ => Next::Done,
            };
            // The page begins with the last document of the one before, unless that was deleted
            // meanwhile.
            if last.is_some() && page.documents.first().map(|document| &document.id) == last {
                page.documents.remove(0);
            }
            Ok(Some((page, next)))
        })
    }

    /// A page from this document on, and whether there is no other after it.
    async fn list_from(&self, id: Option<&DocumentId>) -> Result<(ListedPage, bool), CouchError> {
        let mut url = self.server().endpoint().url(&[self.name().as_str(), "_all_docs"]);
        url.query_pairs_mut().append_pair("limit", &PAGE.to_string());
        if let Some(id) = id {
            let key = serde_json::Value::from(id.as_str()).to_string();
            url.query_pairs_mut().append_pair("startkey", &key);
        }
        let name = self.name().as_str();
        let request = self.server().endpoint().request(Method::GET, url);
        let request = request.header(reqwest::header::ACCEPT, "application/json");
        let response = self.server().send(request, Some(name), WHAT).await?;
        let body = response.bytes().await.map_err(|error| self.server().unreachable(error))?;
        let malformed = |error: serde_json::Error| self.server().malformed(WHAT, &error.to_string());
        let body: Body<'_> = serde_json::from_slice(&body).map_err(malformed)?;
        let documents: Vec<ListedDocument> = body
            .rows
            .into_iter()
            .map(|entry| ListedDocument {
                id: DocumentId::new(entry.id),
                revision: Revision::new(entry.value.rev),
                deleted: false,
            })
            .collect();
        let is_last = documents.len() < PAGE;
        Ok((ListedPage { documents, total: body.total_rows }, is_last))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::super::scripted::{Script, Scripted};
    use super::*;
    use crate::source::Source as _;

    fn page(range: std::ops::Range<usize>) -> String {
        let rows: Vec<String> = range
            .map(|number| {
                format!("{{\"id\":\"d{number:05}\",\"key\":\"d{number:05}\",\"value\":{{\"rev\":\"1-a\"}}}}")
            })
            .collect();
        format!("{{\"total_rows\":10001,\"offset\":0,\"rows\":[\n{}\n]}}", rows.join(",\n"))
    }

    #[tokio::test]
    async fn pages_are_listed_and_one_that_was_cut_is_requested_again() {
        let first = page(0..PAGE);
        let cut = first[..first.len() / 2].to_owned();
        let info = vec![Script::text(cut), Script::text(first), Script::text(page(PAGE - 1..PAGE + 1))];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        let database = server.database();
        let pages: Vec<_> = database.list().collect().await;
        let ids: Vec<String> = pages
            .into_iter()
            .flat_map(|page| page.unwrap().documents)
            .map(|document| document.id.to_string())
            .collect();
        assert_eq!(ids.len(), PAGE + 1);
        assert_eq!((ids[0].as_str(), ids[PAGE].as_str()), ("d00000", "d10000"));
        let requests = server.requests("/db/_all_docs");
        assert_eq!(requests.len(), 3);
        assert!(requests[2].head.contains("startkey=%22d09999%22"), "{}", requests[2].head);
    }

    #[tokio::test]
    async fn a_missing_database_is_an_error() {
        let info = vec![Script::Status(404, r#"{"error":"not_found","reason":"no_db_file"}"#)];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        let error = server.database().list().next().await.unwrap().unwrap_err().to_string();
        assert!(error.contains("no database `db`"), "{error}");
    }
}
