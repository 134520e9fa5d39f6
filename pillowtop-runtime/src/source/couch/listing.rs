//! The ids and revisions of all documents, through `_all_docs`, page by page.

use futures_util::{Stream, stream};
use pillowtop_core::DocumentId;

use super::database::CouchDatabase;
use super::error::CouchError;
use super::page::{PageRequest, PageStart};
use crate::retry::{RetryPolicy, retry};
use crate::source::listing::{ListedDocument, ListedPage};

/// Documents of one response. Pages cost little over one stream, and one that was cut is requested
/// again.
pub(super) const PAGE: usize = 10_000;

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
            let start = match next {
                Next::First => PageStart::First,
                Next::After(id) => PageStart::After(id),
                Next::Done => return Ok(None),
            };
            let wanted = PageRequest { start, limit: PAGE, ..PageRequest::default() };
            let page = retry(RetryPolicy::default(), CouchError::may_pass, || self.page(&wanted)).await?;
            let documents: Vec<ListedDocument> = page.entries.into_iter().map(|entry| entry.listed).collect();
            let next = match documents.last() {
                Some(document) if !page.is_last => Next::After(document.id.clone()),
                _ => Next::Done,
            };
            Ok(Some((ListedPage { documents, total: page.total }, next)))
        })
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
