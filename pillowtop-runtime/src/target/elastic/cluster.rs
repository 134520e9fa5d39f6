//! A connection to a cluster. What is safe to repeat is retried within a bounded time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pillowtop_core::field_types::Target;
use pillowtop_core::settings::merged;
use pillowtop_core::{Definition, PillowName};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use serde_json::Value;

use super::body_buffers::BodyBuffers;
use super::error::ClusterError;
use super::product::{self, FoundServer, Unusable};
use super::request::{Request, Response, acknowledged, error_in};
use crate::http::{Endpoint, RequestError, describe_error};
use crate::retry::{RetryPolicy, retry};

/// For how long a request is retried by default.
const RETRY_WITHIN: Duration = Duration::from_mins(1);

/// How a cluster is used.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The prefix of every index and alias, followed by a `-`, so that several environments can
    /// share one cluster. Default: none.
    pub prefix: Option<String>,
    /// Settings of this environment, over the pillows' own. Default: none.
    pub settings: SettingsOverrides,
    /// For how long requests are retried that are safe to repeat, after a status of 429 or 5xx or
    /// without a response. Default: 60 s.
    pub retry_within: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { prefix: None, settings: SettingsOverrides::default(), retry_within: RETRY_WITHIN }
    }
}

/// Settings of an environment, in their normal form ([`pillowtop_core::settings::normalize`]). None
/// of them may be part of the hash, because the name of an index identifies everything that decides
/// its contents.
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
    connection: Arc<Connection>,
}

struct Connection {
    endpoint: Endpoint,
    options: ClusterOptions,
    found: FoundServer,
    body_buffers: BodyBuffers,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("endpoint", &self.connection.endpoint)
            .field("options", &self.connection.options)
            .field("found", &self.connection.found)
            .finish()
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.connection.found.target, self.connection.endpoint)
    }
}

impl Cluster {
    /// Connects to a server and reads its product and version. A status of 429 or 5xx is retried;
    /// an address without a server is an error at once.
    pub async fn connect(endpoint: Endpoint, options: ClusterOptions) -> Result<Self, ClusterError> {
        let policy = RetryPolicy { within: options.retry_within, ..RetryPolicy::default() };
        let is_passing =
            |error: &ClusterError| matches!(error, ClusterError::Refused { .. }) && error.is_retryable();
        let found = retry(policy, is_passing, || identify(&endpoint)).await?;
        let body_buffers = BodyBuffers::default();
        let cluster = Self { connection: Arc::new(Connection { endpoint, options, found, body_buffers }) };
        if cluster.connection.found.is_disguised { cluster.with_node_version().await } else { Ok(cluster) }
    }

    /// A server that reports 7.10.2 for the sake of old clients has nodes that report their
    /// version. Without permission to read those, it counts as the oldest one, which has the fewest
    /// field types.
    async fn with_node_version(self) -> Result<Self, ClusterError> {
        let request = Request::get(&["_nodes"]).query(&[("filter_path", "nodes.*.version")]);
        let version = match self.value(request, "reading the versions of the nodes").await {
            Ok(nodes) => product::lowest_node_version(&nodes),
            Err(error @ ClusterError::Unreachable { .. }) => return Err(error),
            Err(_) => None,
        };
        let mut found = self.connection.found.clone();
        if let Some(version) = version.filter(|version| *version > found.target.version) {
            found.target.version = version;
        }
        let Connection { endpoint, options, body_buffers, .. } = self.connection.as_ref();
        let (endpoint, options, body_buffers) = (endpoint.clone(), options.clone(), body_buffers.clone());
        Ok(Self { connection: Arc::new(Connection { endpoint, options, found, body_buffers }) })
    }

    /// Product and version.
    pub fn target(&self) -> Target {
        self.connection.found.target
    }

    /// The server as found.
    pub fn server(&self) -> &FoundServer {
        &self.connection.found
    }

    /// A response, `None` if this server or this user has none.
    pub(super) async fn told(
        &self,
        request: Request<'_>,
        doing: &str,
    ) -> Result<Option<Value>, ClusterError> {
        match self.value(request, doing).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_retryable() => Err(error),
            Err(ClusterError::Refused { .. } | ClusterError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Buffers for the bodies of bulk requests.
    pub(super) fn body_buffers(&self) -> &BodyBuffers {
        &self.connection.body_buffers
    }

    /// The settings of this environment, over the pillows' own.
    pub(super) fn settings_overrides(&self) -> &SettingsOverrides {
        &self.connection.options.settings
    }

    /// The prefix of every name.
    pub fn prefix(&self) -> Option<&str> {
        self.connection.options.prefix.as_deref()
    }

    /// Where it is, without credentials.
    pub fn url(&self) -> String {
        self.connection.endpoint.to_string()
    }

    /// A name with the prefix before it.
    pub(super) fn prefixed(&self, name: &str) -> String {
        self.prefix().map_or_else(|| name.to_owned(), |prefix| format!("{prefix}-{name}"))
    }

    /// Sends a request once. A response of any status is a response. The error is a string without
    /// secrets.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Response, String> {
        let endpoint = &self.connection.endpoint;
        let mut url = endpoint.url(request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let mut builder = endpoint.request(request.method, url);
        if let Some(timeout) = request.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(body) = request.body {
            let is_lines = matches!(request.path.last(), Some(&"_bulk" | &"_msearch"));
            // The vendor's media types would be refused by one of the two products.
            let media_type = if is_lines { "application/x-ndjson" } else { "application/json" };
            builder = builder.header(CONTENT_TYPE, media_type).body(body);
            if is_lines {
                // Both sides would spend more on compressing a status for each line than it saves.
                builder = builder.header(ACCEPT_ENCODING, "identity");
            }
        }
        let response = endpoint.send(builder).await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(describe_error)?;
        Ok(Response { status, body })
    }

    /// Sends a request whose response is JSON with a status of success. One that is repeatable is
    /// retried for as long as the options say. `doing` is what errors say was being done.
    pub(super) async fn value(&self, request: Request<'_>, doing: &str) -> Result<Value, ClusterError> {
        let within = self.connection.options.retry_within;
        self.value_within(within, request, doing).await
    }

    /// The same with another time for retrying.
    pub(super) async fn value_within(
        &self,
        within: Duration,
        request: Request<'_>,
        doing: &str,
    ) -> Result<Value, ClusterError> {
        if !request.is_repeatable {
            return self.value_once(request, doing).await;
        }
        self.retried(within, || self.value_once(request.clone(), doing)).await
    }

    /// Makes a change that is safe to repeat, which all nodes have to confirm.
    pub(super) async fn change(&self, request: Request<'_>, doing: &str) -> Result<(), ClusterError> {
        self.retry(|| async { acknowledged(&self.value(request.clone(), doing).await?, doing) }).await
    }

    /// Retries what is safe to repeat for as long as the options say.
    pub(super) async fn retry<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        self.retried(self.connection.options.retry_within, attempt).await
    }

    async fn retried<T, F>(&self, within: Duration, attempt: impl FnMut() -> F) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let policy = RetryPolicy { within, ..RetryPolicy::default() };
        let is_passing = |error: &ClusterError| {
            let is_passing = error.is_retryable();
            if is_passing {
                tracing::debug!(%error, "a request failed, which may pass");
            }
            is_passing
        };
        retry(policy, is_passing, attempt).await
    }

    async fn value_once(&self, request: Request<'_>, doing: &str) -> Result<Value, ClusterError> {
        serde_json::from_slice(&self.bytes_once(request, doing).await?)
            .map_err(|error| ClusterError::Malformed { doing: doing.to_owned(), reason: error.to_string() })
    }

    /// Sends a request once. The body of its response, which has a status of success.
    pub(super) async fn bytes_once(&self, request: Request<'_>, doing: &str) -> Result<Bytes, ClusterError> {
        let response = self.send(request).await.map_err(|reason| ClusterError::Unreachable {
            doing: doing.to_owned(),
            url: self.url(),
            reason,
        })?;
        if !(200..300).contains(&response.status) {
            return Err(error_in(&response, doing, &self.url()));
        }
        Ok(response.body)
    }

    /// The same, `None` for what the server itself reports as missing.
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

/// Reads what `GET /` says of a server.
async fn identify(endpoint: &Endpoint) -> Result<FoundServer, ClusterError> {
    let (url, doing) = (endpoint.to_string(), "identifying the server");
    let unreachable = |error: RequestError| ClusterError::Unreachable {
        doing: doing.to_owned(),
        url: url.clone(),
        reason: error.to_string(),
    };
    let response = endpoint.send(endpoint.get(&[])).await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let header = response.headers().get("x-elastic-product").and_then(|value| value.to_str().ok());
    let header = header.map(str::to_owned);
    let body = response.bytes().await.map_err(|error| unreachable(error.into()))?;
    match status {
        200..=299 => {}
        401 | 403 | 429 | 500..=599 => return Err(error_in(&Response { status, body }, doing, &url)),
        _ => {
            let reason = format!("`GET /` has status {status}");
            return Err(ClusterError::NotASearchServer { url, reason });
        }
    }
    product::read(&body, header.as_deref()).map_err(|unusable| match unusable {
        Unusable::NotASearchServer(reason) => ClusterError::NotASearchServer { url: url.clone(), reason },
        Unusable::TooOld(found) => ClusterError::TooOld { url: url.clone(), found },
    })
}
