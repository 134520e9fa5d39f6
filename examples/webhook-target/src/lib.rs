//! A target of one's own: changed documents are sent to an HTTP endpoint, in batches, as JSON.
//!
//! ```text
//! POST /changes
//! {"changes": [
//!     {"id": "a", "version": 1767225600000001, "document": {"name": "Anna"}},
//!     {"id": "b", "version": 1767225600000002, "deleted": true}
//! ]}
//!
//! 200 OK
//! {"rejected": [{"position": 0, "reason": "`name` is too short"}]}
//! ```
//!
//! A change may be sent again, with the same or a higher version: after a response that was lost,
//! after a time-out, after a crash. So the receiver stores the version beside each document and
//! ignores a change with a lower version than the stored one. It keeps the versions of deleted
//! documents too. Then changes may arrive twice and in any order.
//!
//! The receiver responds with success only when the changes are durable. Then the target needs no
//! `flush`.

use std::error::Error;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use pillowtop_runtime::{Action, Operation, Outcome, Target, Version, WriteError};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

/// The time limit of a request, below that of the guard, so that the reason is the request's own.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How much of an error response is shown.
const SHOWN: usize = 300;

/// Sends changed documents to an HTTP endpoint.
#[derive(Debug)]
pub struct WebhookTarget {
    client: Client,
    url: Url,
}

/// The body of a request.
#[derive(Serialize)]
struct Changes<'a> {
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    id: &'a DocumentId,
    version: Version,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Content<'a> {
    /// Copied as it is, without being parsed into values.
    Document(&'a RawValue),
    Deleted(bool),
}

/// The body of a response.
#[derive(Default, Deserialize)]
struct Accepted {
    #[serde(default)]
    rejected: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Rejected {
    position: usize,
    reason: String,
}

impl WebhookTarget {
    /// A target that sends to this address.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be created.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        // Fails if there is one already. Reqwest with its default features does not need this line.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { client: Client::builder().timeout(TIMEOUT).build()?, url })
    }

    async fn send(&self, operations: &[Operation]) -> Result<Vec<Outcome>, WriteError> {
        let changes = operations.iter().map(change).collect::<Result<Vec<_>, _>>();
        let changes = changes.map_err(|error| WriteError::Refused(error.to_string()))?;
        let body = serde_json::to_vec(&Changes { changes });
        let body = body.map_err(|error| WriteError::Refused(error.to_string()))?;
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(failure(response).await);
        }
        outcomes(operations.len(), &response.bytes().await.map_err(unreachable)?)
    }
}

impl Target for WebhookTarget {
    fn describe(&self) -> String {
        // Neither a password nor a token of the query.
        format!("webhook {}{}", self.url.origin().ascii_serialization(), self.url.path())
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.send(operations).boxed()
    }
}

fn change(operation: &Operation) -> Result<Change<'_>, serde_json::Error> {
    let content = match &operation.action {
        Action::Index(source) => Content::Document(serde_json::from_slice(source)?),
        Action::Delete => Content::Deleted(true),
    };
    Ok(Change { id: &operation.id, version: operation.version, content })
}

/// One outcome for each operation. An empty response rejects nothing.
fn outcomes(count: usize, response: &[u8]) -> Result<Vec<Outcome>, WriteError> {
    let accepted: Accepted = if response.is_empty() {
        Accepted::default()
    } else {
        serde_json::from_slice(response)
            .map_err(|error| WriteError::Unreachable(format!("the response cannot be parsed: {error}")))?
    };
    let mut outcomes = vec![Outcome::Done; count];
    for Rejected { position, reason } in accepted.rejected {
        let Some(outcome) = outcomes.get_mut(position) else {
            let reason = format!("position {position} is rejected, and {count} changes were sent");
            return Err(WriteError::Unreachable(reason));
        };
        *outcome = Outcome::Rejected { error_type: "rejected_by_webhook".to_owned(), reason };
    }
    Ok(outcomes)
}

/// No connection, or none that lasted: what became of the changes is unknown, so they are sent
/// again.
fn unreachable(error: reqwest::Error) -> WriteError {
    let error = error.without_url();
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    WriteError::Unreachable(format!("{error}{cause}"))
}

/// What a response without success means for all changes of the request.
async fn failure(response: Response) -> WriteError {
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    let reason = format!("{status}: {}", body.chars().take(SHOWN).collect::<String>());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => WriteError::Busy(reason),
        StatusCode::PAYLOAD_TOO_LARGE => WriteError::TooLarge(reason),
        // One of the changes is at fault: they are sent in halves until it is alone.
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => WriteError::Refused(reason),
        StatusCode::REQUEST_TIMEOUT => WriteError::Unreachable(reason),
        status if status.is_server_error() => WriteError::Unreachable(reason),
        // Missing credentials, another path, a redirect: somebody has to do something.
        _ => WriteError::Blocked(reason),
    }
}
