//! A CouchDB server: requests to it, and its databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytestring::ByteString;
use pillowtop_core::DatabaseName;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::error::{CouchError, of_response};
use crate::http::{Endpoint, describe_error, describe_redirect};
use crate::retry::{RetryPolicy, retry};

/// A CouchDB server.
#[derive(Debug, Clone)]
pub struct CouchServer {
    endpoint: Endpoint,
    /// Whether a continuous feed was given up. Then it is for all databases.
    is_held_back: Arc<AtomicBool>,
    /// Whether it was reported that databases have no start time.
    pub(super) lacks_start_times: Arc<AtomicBool>,
}

impl CouchServer {
    /// A server at an address. Nothing is requested yet.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, is_held_back: Arc::default(), lacks_start_times: Arc::default() }
    }

    /// Checks that the server is a CouchDB.
    ///
    /// # Errors
    ///
    /// When it does not respond, or not as CouchDB does.
    pub async fn check(&self) -> Result<(), CouchError> {
        let body: Value = self.get(&[], None, "`GET /`").await?;
        if body.get("couchdb").is_some() || body.get("express-pouchdb").is_some() {
            return Ok(());
        }
        Err(CouchError::NotCouch { server: self.endpoint.to_string() })
    }

    /// The names of all databases of the server, without its own (`_users`, `_replicator`).
    ///
    /// # Errors
    ///
    /// When the server does not respond, or the user may not list its databases.
    pub async fn databases(&self) -> Result<Vec<DatabaseName>, CouchError> {
        let mut names: Vec<DatabaseName> = self.get(&["_all_dbs"], None, "the list of databases").await?;
        names.retain(|name| !name.as_str().starts_with('_'));
        Ok(names)
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether something holds back continuous feeds.
    pub(super) fn holds_back_streams(&self) -> bool {
        self.is_held_back.load(Ordering::Relaxed)
    }

    /// Notes that something holds back continuous feeds. Returns whether that is new.
    pub(super) fn note_held_back_streams(&self) -> bool {
        !self.is_held_back.swap(true, Ordering::Relaxed)
    }

    /// Notes that databases have no start time. Returns whether that is new.
    pub(super) fn note_missing_start_times(&self) -> bool {
        !self.lacks_start_times.swap(true, Ordering::Relaxed)
    }

    /// Reads a JSON response, and retries for a while.
    pub(super) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
        database: Option<&str>,
        what: &'static str,
    ) -> Result<T, CouchError> {
        retry(RetryPolicy::default(), CouchError::is_retryable, async || {
            let response = self.send(self.request(Method::GET, segments), database, what).await?;
            self.json(response, what).await
        })
        .await
    }

    pub(super) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.endpoint.request(method, self.endpoint.url(segments)).header(ACCEPT, "application/json")
    }

    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        database: Option<&str>,
        what: &'static str,
    ) -> Result<Response, CouchError> {
        let server = || self.endpoint.to_string();
        let response =
            self.endpoint.send(request).await.map_err(|error| CouchError::of_request(server(), error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if let Some(reason) = describe_redirect(&response) {
            return Err(CouchError::Refused { server: server(), status: status.as_u16(), what, reason });
        }
        let body = response.text().await.unwrap_or_default();
        Err(match of_response(server(), database, what, status, &body) {
            CouchError::Unauthorized { server, reason } if !self.endpoint.has_credentials() => {
                CouchError::NoCredentials { server, reason }
            }
            error => error,
        })
    }

    pub(super) async fn json<T: serde::de::DeserializeOwned>(
        &self,
        response: Response,
        what: &'static str,
    ) -> Result<T, CouchError> {
        let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
        serde_json::from_slice(&body).map_err(|error| self.malformed(what, &error.to_string()))
    }

    /// The body of a response, of which rows may be slices.
    pub(super) async fn text(
        &self,
        response: Response,
        what: &'static str,
    ) -> Result<ByteString, CouchError> {
        let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
        ByteString::try_from(body).map_err(|error| self.malformed(what, &error.to_string()))
    }

    pub(super) fn malformed(&self, what: &'static str, reason: &str) -> CouchError {
        CouchError::Malformed { server: self.endpoint.to_string(), what, reason: reason.to_owned() }
    }

    pub(super) fn unreachable(&self, error: reqwest::Error) -> CouchError {
        CouchError::Unreachable { server: self.endpoint.to_string(), reason: describe_error(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Script, Scripted};

    #[tokio::test]
    async fn a_redirect_is_explained() {
        let info = vec![Script::Status(301, "<html>Moved</html>")];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        let error = server.database().info().await.unwrap_err().to_string();
        assert!(error.contains("a redirect") && error.contains("base path"), "{error}");
    }

    #[tokio::test]
    async fn another_kind_of_server_and_missing_credentials_are_named() {
        for (script, expected) in [
            (
                Script::text("{\"tagline\":\"x\"}"),
                "is not a CouchDB: its response to `GET /` has no member `couchdb`",
            ),
            (Script::Status(401, "{\"error\":\"unauthorized\"}"), "requires credentials: unauthorized"),
        ] {
            let server = Scripted { info: vec![script], ..Scripted::default() }.start().await;
            let error = server.database().server().check().await.unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_passing_failure_of_a_reading_request_is_retried() {
        let info =
            vec![Script::Status(503, "{}"), Script::Status(429, "{}"), Script::text("[\"hq\",\"p/q\"]")];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        let names = server.database().server().databases().await.unwrap();
        assert_eq!(names, ["hq".into(), "p/q".into()]);
    }
}
