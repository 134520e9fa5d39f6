//! Requests for changes.

use std::time::Duration;

use pillowtop_core::Sequence;
use reqwest::header::ACCEPT;
use reqwest::{Method, Response};
use url::Url;

use super::database::CouchDatabase;
use super::error::CouchError;

/// How often CouchDB sends a blank line on a quiet continuous feed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What one request for changes asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangesRequest {
    /// At most so many changes, with their documents.
    Page(u32),
    /// At most so many changes, without documents.
    Listing(u32),
    /// Changes with their documents, without end.
    Stream,
}

/// How many rows of a page share a sequence. Making the opaque sequence of each row costs CouchDB a quarter to a third of the
/// feed. A torn page is resumed from its last row that has one.
const SEQUENCE_INTERVAL: u32 = 100;

impl CouchDatabase {
    /// Requests the changes after a position.
    pub(super) async fn request_changes(
        &self,
        since: &Sequence,
        wanted: ChangesRequest,
    ) -> Result<Response, CouchError> {
        let url = self.changes_url(since, wanted);
        // A page of large documents is read as slowly as they are written elsewhere, and a continuous feed has no end. Silence
        // is noticed here before the response begins, and by the reader later.
        let without_end = Duration::from_secs(u64::from(u32::MAX));
        let request = self.server().endpoint().request(Method::GET, url);
        let request = request.header(ACCEPT, "application/json").timeout(without_end);
        let sent = self.server().send(request, Some(self.name().as_str()), "a changes feed");
        tokio::time::timeout(Self::patience(), sent).await.unwrap_or_else(|_| Err(self.silent()))
    }

    fn changes_url(&self, since: &Sequence, wanted: ChangesRequest) -> Url {
        let mut url = self.server().endpoint().url(&[self.name().as_str(), "_changes"]);
        let mut query = url.query_pairs_mut();
        let with_documents = !matches!(wanted, ChangesRequest::Listing(_));
        query.append_pair("include_docs", if with_documents { "true" } else { "false" });
        query.append_pair("since", since.as_str());
        match wanted {
            ChangesRequest::Page(limit) | ChangesRequest::Listing(limit) => {
                query.append_pair("limit", &limit.to_string());
                query.append_pair("seq_interval", &SEQUENCE_INTERVAL.to_string());
            }
            ChangesRequest::Stream => {
                query.append_pair("feed", "continuous");
                query.append_pair("heartbeat", &HEARTBEAT.as_millis().to_string());
            }
        }
        drop(query);
        url
    }

    /// The error of a feed that was silent for too long.
    pub(super) fn silent(&self) -> CouchError {
        let reason = format!("nothing came for {} seconds", Self::patience().as_secs());
        CouchError::Unreachable { server: self.address(), reason }
    }

    /// How long the feed may be silent.
    pub(super) fn patience() -> Duration {
        // A heartbeat can be late while a slow filter runs (CouchDB issue 1081).
        HEARTBEAT * 6
    }
}
