//! CouchDB over HTTP: databases, documents in bulk, and requests for changes.

use std::time::Duration;

use pillowtop_core::{DatabaseName, Revision, Sequence};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;

use super::Feed;
use super::couch_error::{CouchError, of_answer};
use super::feed_reader::{self, FeedMode};
use crate::claim::DatabaseIdentity;
use crate::http::{Endpoint, describe_error};

/// How often CouchDB sends a blank line on a quiet continuous feed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How many rows of a page share a sequence. Making the opaque sequence of each row costs CouchDB a quarter to a third of the
/// feed; where one is, a torn page is read on from.
const SEQUENCE_INTERVAL: u32 = 100;

/// A CouchDB server.
#[derive(Debug, Clone)]
pub struct CouchServer {
    endpoint: Endpoint,
}

/// One database of a server.
#[derive(Debug, Clone)]
pub struct CouchDatabase {
    server: CouchServer,
    name: DatabaseName,
}

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Which database it is.
    pub identity: DatabaseIdentity,
    /// Documents, deleted ones apart.
    pub documents: u64,
    /// Deleted documents.
    pub deleted_documents: u64,
    /// The position after the last change.
    pub update_sequence: Sequence,
}

#[derive(Deserialize)]
struct InfoBody {
    #[serde(default)]
    instance_start_time: Value,
    #[serde(default)]
    doc_count: u64,
    #[serde(default)]
    doc_del_count: u64,
    update_seq: Value,
}

impl CouchServer {
    /// A server at an address; nothing is asked yet.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Asks the server who it is.
    ///
    /// # Errors
    ///
    /// When it does not answer, or not as CouchDB does.
    pub async fn check(&self) -> Result<(), CouchError> {
        let response = self.send(self.request(Method::GET, &[]), None, "the welcome").await?;
        let body: Value = self.json(response, "the welcome").await?;
        if body.get("couchdb").is_some() || body.get("express-pouchdb").is_some() {
            return Ok(());
        }
        Err(CouchError::Malformed {
            server: self.endpoint.to_string(),
            what: "the welcome",
            reason: "it does not say `couchdb`".to_owned(),
        })
    }

    /// A database of the server; nothing is asked yet.
    pub fn database(&self, name: DatabaseName) -> CouchDatabase {
        CouchDatabase { server: self.clone(), name }
    }

    fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.endpoint.client().request(method, self.endpoint.url(segments)).header(ACCEPT, "application/json")
    }

    async fn send(
        &self,
        request: RequestBuilder,
        database: Option<&str>,
        what: &'static str,
    ) -> Result<Response, CouchError> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        Err(of_answer(self.endpoint.to_string(), database, what, status, &body))
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        response: Response,
        what: &'static str,
    ) -> Result<T, CouchError> {
        let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
        serde_json::from_slice(&body).map_err(|error| CouchError::Malformed {
            server: self.endpoint.to_string(),
            what,
            reason: error.to_string(),
        })
    }

    pub(super) fn unreachable(&self, error: reqwest::Error) -> CouchError {
        CouchError::Unreachable { server: self.endpoint.to_string(), reason: describe_error(error) }
    }
}

impl CouchDatabase {
    /// Its name.
    pub fn name(&self) -> &DatabaseName {
        &self.name
    }

    /// The server's address, without credentials.
    pub fn server(&self) -> String {
        self.server.endpoint.to_string()
    }

    /// What the database says of itself.
    ///
    /// # Errors
    ///
    /// When it is not there, or the server does not answer.
    pub async fn info(&self) -> Result<DatabaseInfo, CouchError> {
        let request = self.server.request(Method::GET, &[self.name.as_str()]);
        let response =
            self.server.send(request, Some(self.name.as_str()), "a database's information").await?;
        let body: InfoBody = self.server.json(response, "a database's information").await?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(DatabaseInfo {
            identity: DatabaseIdentity {
                name: self.name.clone(),
                instance_start_time: text(&body.instance_start_time),
            },
            documents: body.doc_count,
            deleted_documents: body.doc_del_count,
            update_sequence: Sequence::new(text(&body.update_seq)),
        })
    }

    /// Creates the database; tells whether it was not there before.
    ///
    /// # Errors
    ///
    /// When the server does not let it be created.
    pub async fn create(&self) -> Result<bool, CouchError> {
        let request = self.server.request(Method::PUT, &[self.name.as_str()]);
        match self.server.send(request, None, "creating a database").await {
            Ok(_) => Ok(true),
            Err(CouchError::Refused { status: 412, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes documents and returns the answer to each: `{"id", "rev"}` or `{"id", "error"}`.
    ///
    /// # Errors
    ///
    /// When the whole request fails.
    pub async fn write(&self, documents: &[Value]) -> Result<Vec<Value>, CouchError> {
        let body = serde_json::json!({ "docs": documents }).to_string();
        let request = self.server.request(Method::POST, &[self.name.as_str(), "_bulk_docs"]);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = self.server.send(request, Some(self.name.as_str()), "writing documents").await?;
        self.server.json(response, "writing documents").await
    }

    /// The revision of a document that is there.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn revision(&self, id: &str) -> Result<Option<Revision>, CouchError> {
        let request = self.server.request(Method::GET, &[self.name.as_str(), id]);
        match self.server.send(request, None, "a document").await {
            Ok(response) => {
                let document: Value = self.server.json(response, "a document").await?;
                Ok(document.get("_rev").and_then(Value::as_str).map(Revision::from))
            }
            Err(CouchError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The changes after a position, with documents. `identity` is checked before the position is used, at each connection: a
    /// position of a database that was created again is accepted by CouchDB and means nothing.
    pub fn changes(&self, since: Sequence, identity: DatabaseIdentity, mode: FeedMode) -> Feed {
        let database = self.clone();
        Feed::spawn(|sender| feed_reader::read(database, since, identity, mode, sender))
    }

    /// Asks for changes after a position: at most `page` of them, or for ever without a page.
    pub(super) async fn request_changes(
        &self,
        since: &Sequence,
        page: Option<u32>,
    ) -> Result<Response, CouchError> {
        let mut url = self.server.endpoint.url(&[self.name.as_str(), "_changes"]);
        url.query_pairs_mut().append_pair("include_docs", "true").append_pair("since", since.as_str());
        match page {
            Some(page) => {
                let (page, interval) = (page.to_string(), SEQUENCE_INTERVAL.to_string());
                url.query_pairs_mut().append_pair("limit", &page).append_pair("seq_interval", &interval);
            }
            None => {
                let heartbeat = HEARTBEAT.as_millis().to_string();
                url.query_pairs_mut().append_pair("feed", "continuous").append_pair("heartbeat", &heartbeat);
            }
        }
        // However long it takes in all: a page of large documents is read as slowly as the index takes them, and a continuous feed
        // has no end. That it falls silent is noticed here before the answer begins, then by the reader.
        let without_end = Duration::from_secs(u64::from(u32::MAX));
        let request = self.server.endpoint.client().get(url).header(ACCEPT, "application/json");
        let sent = self.server.send(request.timeout(without_end), Some(self.name.as_str()), "a changes feed");
        tokio::time::timeout(Self::patience(), sent).await.unwrap_or_else(|_| Err(self.silent()))
    }

    /// The error of a feed that was silent for too long.
    pub(super) fn silent(&self) -> CouchError {
        let reason = format!("nothing came for {} seconds", Self::patience().as_secs());
        CouchError::Unreachable { server: self.server(), reason }
    }

    pub(super) fn unreachable(&self, error: reqwest::Error) -> CouchError {
        self.server.unreachable(error)
    }

    /// How long the feed may be silent.
    pub(super) fn patience() -> Duration {
        // A heartbeat can be late while a slow filter runs (CouchDB issue 1081).
        HEARTBEAT * 6
    }
}
