//! One CouchDB database: its information, and writing to it.

use pillowtop_core::{DatabaseName, Revision, Sequence};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::Value;

use super::error::CouchError;
use super::server::CouchServer;
use crate::claim::DatabaseIdentity;
use crate::retry::{RetryPolicy, retry};

/// One database of a server.
#[derive(Debug, Clone)]
pub struct CouchDatabase {
    server: CouchServer,
    name: DatabaseName,
}

/// The information that a database reports about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Which database it is.
    pub identity: DatabaseIdentity,
    /// The number of documents that are not deleted.
    pub documents: u64,
    /// The number of deleted documents.
    pub deleted_documents: u64,
    /// The position after the last change.
    pub update_sequence: Sequence,
    /// The position after the last purge: opaque, and no position of the changes feed.
    pub purge_sequence: Sequence,
    /// The bytes of all documents as JSON, without attachments, where the server reports them.
    pub bytes: Option<u64>,
    /// How many copies of each shard the cluster keeps: `n`. A server that reports none keeps one.
    pub copies: u64,
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
    #[serde(default)]
    purge_seq: Value,
    cluster: Option<ClusterBody>,
    sizes: Option<SizesBody>,
}

#[derive(Deserialize)]
struct SizesBody {
    external: Option<u64>,
}

#[derive(Deserialize)]
struct ClusterBody {
    n: Option<u64>,
}

impl CouchServer {
    /// A database of the server. Nothing is requested yet.
    pub fn database(&self, name: DatabaseName) -> CouchDatabase {
        CouchDatabase { server: self.clone(), name }
    }
}

impl CouchDatabase {
    /// Its name.
    pub fn name(&self) -> &DatabaseName {
        &self.name
    }

    /// The server's address, without credentials.
    pub fn address(&self) -> String {
        self.server.endpoint().to_string()
    }

    pub(super) fn server(&self) -> &CouchServer {
        &self.server
    }

    /// Reads the database's information.
    ///
    /// # Errors
    ///
    /// When the database does not exist, or the server does not respond.
    pub async fn info(&self) -> Result<DatabaseInfo, CouchError> {
        const WHAT: &str = "a database's information";
        let name = self.name.as_str();
        let response = self.server.send(self.server.request(Method::GET, &[name]), Some(name), WHAT).await?;
        let info = self.info_of(self.server.json(response, WHAT).await?);
        if !info.identity.has_start_time() && self.server.note_missing_start_times() {
            tracing::warn!(
                server = self.address(),
                "this CouchDB reports no start times, so a database that is deleted and created again is not recognised as another one"
            );
        }
        Ok(info)
    }

    fn info_of(&self, body: InfoBody) -> DatabaseInfo {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        DatabaseInfo {
            identity: DatabaseIdentity {
                name: self.name.clone(),
                instance_start_time: text(&body.instance_start_time),
            },
            documents: body.doc_count,
            deleted_documents: body.doc_del_count,
            update_sequence: Sequence::new(text(&body.update_seq)),
            purge_sequence: Sequence::new(text(&body.purge_seq)),
            bytes: body.sizes.and_then(|sizes| sizes.external),
            copies: body.cluster.and_then(|cluster| cluster.n).unwrap_or(1),
        }
    }

    /// Creates the database. Returns whether it was missing before.
    ///
    /// # Errors
    ///
    /// When the server does not create it.
    pub async fn create(&self) -> Result<bool, CouchError> {
        let create = async || {
            let request = self.server.request(Method::PUT, &[self.name.as_str()]);
            self.server.send(request, None, "creating a database").await
        };
        match retry(RetryPolicy::default(), CouchError::is_retryable, create).await {
            Ok(_) => Ok(true),
            Err(CouchError::Refused { status: 412, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes documents and returns the response to each: `{"id", "rev"}` or `{"id", "error"}`.
    ///
    /// # Errors
    ///
    /// When the whole request fails.
    pub async fn write(&self, documents: &[Value]) -> Result<Vec<Value>, CouchError> {
        const WHAT: &str = "writing documents";
        let response = self.post("_bulk_docs", &serde_json::json!({ "docs": documents }), WHAT).await?;
        self.server.json(response, WHAT).await
    }

    /// Posts JSON to an endpoint of the database, which may have a query.
    pub(super) async fn post(
        &self,
        endpoint: &str,
        body: &Value,
        what: &'static str,
    ) -> Result<Response, CouchError> {
        self.post_text(endpoint, body.to_string(), what).await
    }

    /// The same with a body that is JSON text.
    pub(super) async fn post_text(
        &self,
        endpoint: &str,
        body: String,
        what: &'static str,
    ) -> Result<Response, CouchError> {
        let (endpoint, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
        let mut url = self.server.endpoint().url(&[self.name.as_str(), endpoint]);
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let request = self.server.endpoint().request(Method::POST, url).header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        self.server.send(request, Some(self.name.as_str()), what).await
    }

    /// The revision of a document, if it exists.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn revision(&self, id: &str) -> Result<Option<Revision>, CouchError> {
        match self.server.get::<Value>(&[self.name.as_str(), id], None, "a document").await {
            Ok(document) => Ok(document.get("_rev").and_then(Value::as_str).map(Revision::from)),
            Err(CouchError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
