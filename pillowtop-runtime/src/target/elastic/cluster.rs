//! A connection to a cluster, and how its answers become values or errors.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pillowtop_core::field_types::Target;
use pillowtop_core::settings::merged;
use pillowtop_core::{Definition, PillowName};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::error::ClusterError;
use super::product::{self, FoundServer, Unusable};
use crate::http::{Endpoint, describe_error};

/// How a cluster is used.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// Stands before every index and alias, with a `-`, so that several environments share one cluster. None by default.
    pub prefix: Option<String>,
    /// Settings that this environment puts over the pillows' own. None by default.
    pub settings: SettingsOverrides,
}

/// Settings of an environment, in their normal form ([`pillowtop_core::settings::normalize`]). None of them may be hashed: an
/// index's name says what decides its contents.
#[derive(Debug, Clone, Default)]
pub struct SettingsOverrides {
    /// For all pillows.
    pub all: Option<Value>,
    /// For one, over those for all.
    pub by_pillow: BTreeMap<PillowName, Value>,
}

impl SettingsOverrides {
    /// The settings that an index of a definition is created with.
    #[must_use]
    pub fn over(&self, definition: &Definition) -> Value {
        let own = self.by_pillow.get(&definition.pillow);
        self.all.iter().chain(own).fold(definition.settings.clone(), |settings, over| merged(&settings, over))
    }
}

/// A cluster whose product and version are known. Clones share connections.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    options: ClusterOptions,
    found: FoundServer,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("endpoint", &self.inner.endpoint)
            .field("options", &self.inner.options)
            .field("found", &self.inner.found)
            .finish()
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.inner.found.target, self.inner.endpoint)
    }
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// A request: what is sent where.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Bytes>,
    /// Shorter than the client's own time-out.
    pub(super) timeout: Option<Duration>,
}

impl<'a> Request<'a> {
    pub(super) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self { method, path, query: &[], body: None, timeout: None }
    }

    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: &'a [&'a str]) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn put(path: &'a [&'a str]) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(super) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    pub(super) fn within(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    pub(super) fn json(self, body: &Value) -> Self {
        Self { body: Some(body.to_string().into()), ..self }
    }
}

impl Cluster {
    /// Asks a server who it is.
    pub async fn connect(endpoint: Endpoint, options: ClusterOptions) -> Result<Self, ClusterError> {
        let url = endpoint.to_string();
        let doing = "asking a server who it is";
        let unreachable =
            |reason| ClusterError::Unreachable { doing: doing.to_owned(), url: url.clone(), reason };
        let response = endpoint
            .client()
            .get(endpoint.url(&[]))
            .send()
            .await
            .map_err(|error| unreachable(describe_error(error)))?;
        let status = response.status().as_u16();
        let header = response.headers().get("x-elastic-product").and_then(|value| value.to_str().ok());
        let header = header.map(str::to_owned);
        let body = response.bytes().await.map_err(|error| unreachable(describe_error(error)))?;
        match status {
            200..=299 => {}
            429 | 500..=599 => return Err(unreachable(format!("status {status}"))),
            401 | 403 => return Err(forbidden(doing, &url, &Answer { status, body })),
            _ => {
                let reason = format!("`GET /` has status {status}");
                return Err(ClusterError::NotASearchServer { url, reason });
            }
        }
        let found = product::read(&body, header.as_deref()).map_err(|unusable| match unusable {
            Unusable::NotASearchServer(reason) => ClusterError::NotASearchServer { url: url.clone(), reason },
            Unusable::TooOld(found) => ClusterError::TooOld { url: url.clone(), found },
        })?;
        let cluster = Self { inner: Arc::new(Inner { endpoint, options, found }) };
        if cluster.inner.found.is_disguised { cluster.look_behind_the_disguise().await } else { Ok(cluster) }
    }

    /// A server that says 7.10.2 for the sake of old clients has nodes that tell their version. Where they may not be asked,
    /// it counts as the oldest one, which has the fewest field types.
    async fn look_behind_the_disguise(self) -> Result<Self, ClusterError> {
        let request = Request::get(&["_nodes"]).query(&[("filter_path", "nodes.*.version")]);
        let version = match self.value(request, "asking for the nodes' versions").await {
            Ok(nodes) => product::lowest_node_version(&nodes),
            Err(error @ ClusterError::Unreachable { .. }) => return Err(error),
            Err(_) => None,
        };
        let mut found = self.inner.found.clone();
        if let Some(version) = version.filter(|version| *version > found.target.version) {
            found.target.version = version;
        }
        let (endpoint, options) = (self.inner.endpoint.clone(), self.inner.options.clone());
        Ok(Self { inner: Arc::new(Inner { endpoint, options, found }) })
    }

    /// Product and version.
    pub fn target(&self) -> Target {
        self.inner.found.target
    }

    /// The server as found.
    pub fn server(&self) -> &FoundServer {
        &self.inner.found
    }

    /// The settings that this environment puts over the pillows' own.
    pub(super) fn settings_overrides(&self) -> &SettingsOverrides {
        &self.inner.options.settings
    }

    /// What stands before every name.
    pub fn prefix(&self) -> Option<&str> {
        self.inner.options.prefix.as_deref()
    }

    /// Where it is, without credentials.
    pub fn url(&self) -> String {
        self.inner.endpoint.to_string()
    }

    /// Whether the server answers at all.
    pub async fn ping(&self) -> Result<(), ClusterError> {
        self.value(Request::get(&[]), "asking whether the server is there").await.map(drop)
    }

    /// A name with the prefix before it.
    pub(super) fn prefixed(&self, name: &str) -> String {
        self.prefix().map_or_else(|| name.to_owned(), |prefix| format!("{prefix}-{name}"))
    }

    /// Sends a request; an answer of any status is an answer. The error is a text without secrets.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, String> {
        let endpoint = &self.inner.endpoint;
        let mut url = endpoint.url(request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let mut builder = endpoint.client().request(request.method, url);
        if let Some(timeout) = request.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(body) = request.body {
            let is_bulk = request.path.last() == Some(&"_bulk");
            // The vendor's media types would be refused by one of the two products.
            let media_type = if is_bulk { "application/x-ndjson" } else { "application/json" };
            builder = builder.header(CONTENT_TYPE, media_type).body(body);
        }
        let response = builder.send().await.map_err(describe_error)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(describe_error)?;
        Ok(Answer { status, body })
    }

    /// Sends a request whose answer is JSON with a status of success. `doing` is what errors say was being done.
    pub(super) async fn value(&self, request: Request<'_>, doing: &str) -> Result<Value, ClusterError> {
        let answer = self.send(request).await.map_err(|reason| ClusterError::Unreachable {
            doing: doing.to_owned(),
            url: self.url(),
            reason,
        })?;
        match answer.status {
            200..=299 => serde_json::from_slice(&answer.body).map_err(|error| ClusterError::Malformed {
                doing: doing.to_owned(),
                reason: error.to_string(),
            }),
            401 | 403 => Err(forbidden(doing, &self.url(), &answer)),
            status => {
                let (error_type, reason) = error_of(&answer);
                Err(ClusterError::Refused { doing: doing.to_owned(), status, error_type, reason })
            }
        }
    }

    /// The same, 404 being `None`.
    pub(super) async fn optional_value(
        &self,
        request: Request<'_>,
        doing: &str,
    ) -> Result<Option<Value>, ClusterError> {
        match self.value(request, doing).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn forbidden(doing: &str, url: &str, answer: &Answer) -> ClusterError {
    let (_, reason) = error_of(answer);
    ClusterError::Forbidden { doing: doing.to_owned(), url: url.to_owned(), status: answer.status, reason }
}

/// Type and reason of an error; a body that is none of a search server is the reason itself, cut.
pub(super) fn error_of(answer: &Answer) -> (String, String) {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    match value.get("error") {
        Some(Value::String(error)) => ("error".to_owned(), error.clone()),
        Some(error) => (
            text(error.get("type")).unwrap_or_else(|| "error".to_owned()),
            text(error.get("reason")).unwrap_or_default(),
        ),
        None => {
            let body: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
            (format!("status {}", answer.status), body)
        }
    }
}
