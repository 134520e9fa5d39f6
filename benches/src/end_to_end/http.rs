//! A plain HTTP client for JSON, with as little around each request as possible.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use reqwest::{Method, Response};
use serde_json::Value;

/// How long a server may send nothing. Creating an index on a busy machine takes seconds.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// A server.
#[derive(Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    /// Without a slash at its end; may have credentials, so it is never printed.
    base: String,
}

impl Http {
    /// A client for a server; the URL may have a user name and password.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        // An error says that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .http1_only()
            .no_gzip()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(READ_TIMEOUT);
        if url.starts_with("http:") {
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, base: url.trim_end_matches('/').to_owned() })
    }

    /// The URL as it was given, with credentials.
    pub(super) fn url(&self) -> &str {
        &self.base
    }

    /// Sends a request; the response may have any status. The body is JSON, or JSON lines.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> anyhow::Result<Response> {
        let doing = format!("{method} {path}");
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            let media = if path.contains("/_bulk?") { "application/x-ndjson" } else { "application/json" };
            request = request.header(reqwest::header::CONTENT_TYPE, media).body(body);
        }
        request.send().await.map_err(reqwest::Error::without_url).with_context(|| doing)
    }

    /// Sends a request that must succeed, and returns the response once its headers have arrived.
    pub(super) async fn stream(&self, path: &str) -> anyhow::Result<Response> {
        let response = self.send(Method::GET, path, None).await?;
        succeeded(response, path).await
    }

    /// Sends a request that must succeed, and reads the whole response.
    pub(super) async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> anyhow::Result<Bytes> {
        read(self.send(method, path, body).await?, path).await
    }

    /// Sends JSON, or nothing for `null`; returns the JSON of the response, which must have
    /// succeeded.
    pub(super) async fn json(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = (!body.is_null()).then(|| body.to_string().into());
        let response = self.bytes(method, path, body).await?;
        serde_json::from_slice(&response).with_context(|| format!("{path}: the response is not JSON"))
    }
}

/// Reads the whole response to a request that must have succeeded.
pub(super) async fn read(response: Response, path: &str) -> anyhow::Result<Bytes> {
    let response = succeeded(response, path).await?;
    response.bytes().await.map_err(reqwest::Error::without_url).with_context(|| format!("reading {path}"))
}

async fn succeeded(response: Response, path: &str) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    let start: String = body.chars().take(500).collect();
    bail!("{path}: status {}: {}", status.as_u16(), start.trim())
}
