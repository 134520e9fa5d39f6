//! The ids of documents that changed after a position, without their documents.

use pillowtop_core::{DocumentId, Sequence};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::database::CouchDatabase;
use super::error::CouchError;
use crate::retry::{RetryPolicy, retry};

/// Changes of one response.
const PAGE: usize = 10_000;

const WHAT: &str = "listing changes";

#[derive(Deserialize)]
struct Body {
    results: Vec<Changed>,
    last_seq: Value,
}

#[derive(Deserialize)]
struct Changed {
    id: DocumentId,
}

impl CouchDatabase {
    /// The documents whose last change comes after a position, in the order of the feed; with a
    /// selector, those among them that match it as they are now.
    ///
    /// # Errors
    ///
    /// When the server does not respond, or the position is not one of this database.
    pub async fn changed_ids(
        &self,
        since: &Sequence,
        selector: Option<&Value>,
    ) -> Result<Vec<DocumentId>, CouchError> {
        let (mut ids, mut since) = (Vec::new(), since.clone());
        loop {
            let page = retry(RetryPolicy::default(), CouchError::may_pass, || self.changed(&since, selector))
                .await?;
            let is_last = page.results.len() < PAGE;
            ids.extend(page.results.into_iter().map(|changed| changed.id));
            if is_last {
                return Ok(ids);
            }
            since = match page.last_seq {
                Value::String(text) => Sequence::new(text),
                number => Sequence::new(number.to_string()),
            };
        }
    }

    async fn changed(&self, since: &Sequence, selector: Option<&Value>) -> Result<Body, CouchError> {
        let mut url = self.server().endpoint().url(&[self.name().as_str(), "_changes"]);
        let page = PAGE.to_string();
        url.query_pairs_mut()
            .append_pair("since", since.as_str())
            .append_pair("limit", &page)
            .append_pair("seq_interval", &page);
        let request = match selector {
            None => self.server().endpoint().request(Method::GET, url),
            Some(selector) => {
                url.query_pairs_mut().append_pair("filter", "_selector");
                let body = json!({ "selector": selector }).to_string();
                self.server()
                    .endpoint()
                    .request(Method::POST, url)
                    .header(CONTENT_TYPE, "application/json")
                    .body(body)
            }
        };
        let request = request.header(ACCEPT, "application/json");
        let response = self.server().send(request, Some(self.name().as_str()), WHAT).await?;
        self.server().json(response, WHAT).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Script, Scripted};
    use super::*;

    #[tokio::test]
    async fn changes_are_listed_page_by_page() {
        let row = |number: usize| format!(r#"{{"seq":null,"id":"d{number}","changes":[{{"rev":"1-a"}}]}}"#);
        let rows: Vec<String> = (0..PAGE).map(row).collect();
        let first = format!(r#"{{"results":[{}],"last_seq":"s1","pending":1}}"#, rows.join(","));
        let second = format!(r#"{{"results":[{}],"last_seq":2}}"#, row(PAGE));
        let changes = vec![Script::text(first), Script::text(second)];
        let server = Scripted { changes, ..Scripted::default() }.start().await;
        let selector = json!({"domain": "d"});
        let ids = server.database().changed_ids(&"s0".into(), Some(&selector)).await.unwrap();
        assert_eq!((ids.len(), ids[PAGE].as_str()), (PAGE + 1, "d10000"));
        let requests = server.requests("/db/_changes");
        assert!(requests[0].head.contains("since=s0") && requests[1].head.contains("since=s1"));
        assert!(requests[0].head.contains("filter=_selector") && !requests[0].head.contains("include_docs"));
        assert_eq!(requests[0].body, r#"{"selector":{"domain":"d"}}"#);
    }
}
