//! Requests for changes.

use std::time::Duration;

use pillowtop_core::Sequence;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use url::Url;

use super::database::CouchDatabase;
use super::error::CouchError;

/// How many rows of a page share a sequence. Making the opaque sequence of each row costs CouchDB a
/// quarter to a third of the feed. A torn page is resumed from its last row that has one.
const SEQUENCE_INTERVAL: u32 = 100;

/// Changes of one response. CouchDB works on nothing between a page and the request for the next
/// one, so a page is long; what is pending is reported once a page.
const PAGE: u32 = 10_000;

/// Changes of one response without documents.
const LISTING: u32 = 100;

/// How long a feed may send nothing. CouchDB sends something every few seconds, but a heartbeat can
/// be late while a slow filter runs (CouchDB issue 1081).
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a continuous feed may send nothing before its first heartbeat.
const FIRST_HEARTBEAT: Duration = Duration::from_secs(20);

/// One request for changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangesRequest {
    /// The next changes, with their documents.
    Page,
    /// The next changes, without documents.
    Listing,
    /// The next changes, waiting until there are some.
    LongPoll {
        /// For how long the server waits.
        timeout: Duration,
    },
    /// All changes, without end.
    Stream {
        /// How often the server sends a blank line while there are none.
        heartbeat: Duration,
    },
}

impl ChangesRequest {
    /// The most rows of a response; `None` without a limit.
    pub(super) fn limit(self) -> Option<u32> {
        match self {
            Self::Page | Self::LongPoll { .. } => Some(PAGE),
            Self::Listing => Some(LISTING),
            Self::Stream { .. } => None,
        }
    }

    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Stream { .. })
    }

    /// Whether it waits for changes.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Stream { .. } | Self::LongPoll { .. })
    }

    /// How long the server may send nothing, before and after the first byte of a body.
    pub(super) fn patience(self, has_received: bool) -> Duration {
        match self {
            Self::Stream { .. } if !has_received => FIRST_HEARTBEAT,
            Self::LongPoll { timeout } => timeout + PATIENCE,
            _ => PATIENCE,
        }
    }

    fn add_to(self, url: &mut Url, since: &Sequence) {
        let mut query = url.query_pairs_mut();
        query.append_pair("include_docs", if self == Self::Listing { "false" } else { "true" });
        query.append_pair("since", since.as_str());
        if let Some(limit) = self.limit() {
            query.append_pair("limit", &limit.to_string());
            query.append_pair("seq_interval", &SEQUENCE_INTERVAL.to_string());
        }
        match self {
            Self::Page | Self::Listing => {}
            Self::LongPoll { timeout } => {
                query
                    .append_pair("feed", "longpoll")
                    .append_pair("timeout", &timeout.as_millis().to_string());
            }
            Self::Stream { heartbeat } => {
                let heartbeat = heartbeat.as_millis().to_string();
                query.append_pair("feed", "continuous").append_pair("heartbeat", &heartbeat);
            }
        }
    }
}

impl CouchDatabase {
    /// Requests the changes after a position. It waits for the start of the response for as long as
    /// the server takes.
    pub(super) async fn request_changes(
        &self,
        since: &Sequence,
        wanted: ChangesRequest,
        selector: Option<&Value>,
    ) -> Result<Response, CouchError> {
        let mut url = self.server().endpoint().url(&[self.name().as_str(), "_changes"]);
        wanted.add_to(&mut url, since);
        let method = if selector.is_some() { Method::POST } else { Method::GET };
        if selector.is_some() {
            url.query_pairs_mut().append_pair("filter", "_selector");
        }
        // A page of large documents is read as slowly as they are written elsewhere, and a continuous feed
        // has no end. The reader notices silence.
        let without_end = Duration::from_secs(u64::from(u32::MAX));
        let mut request = self.server().endpoint().request(method, url).timeout(without_end);
        // A proxy that compresses or buffers would hold back single rows.
        request = request
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header("X-Accel-Buffering", "no");
        if let Some(selector) = selector {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(json!({ "selector": with_deletions(selector) }).to_string());
        }
        self.server().send(request, Some(self.name().as_str()), "a changes feed").await
    }

    /// The error of a feed that sent nothing for too long.
    pub(super) fn silent(&self, patience: Duration) -> CouchError {
        let reason = format!("nothing came for {} seconds", patience.as_secs());
        CouchError::Unreachable { server: self.address(), reason }
    }
}

/// A selector that passes deletions, too. Most of them are bare stubs, which pass no selector for a
/// type.
fn with_deletions(selector: &Value) -> Value {
    json!({ "$or": [selector, { "_deleted": true }] })
}
