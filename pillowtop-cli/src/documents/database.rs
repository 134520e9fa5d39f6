//! Documents of a CouchDB database in the order of their ids, so that every run reads the same.

use std::fmt;
use std::time::Duration;

use pillowtop_core::DatabaseName;
use pillowtop_runtime::http::{Endpoint, Method, describe_error};
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer, DatabaseInfo};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::exit::Failure;

/// Documents of one request.
const PAGE: u64 = 200;
/// How long a request may take: `_find` reads the whole database where a type is rare.
const PATIENCE: Duration = Duration::from_mins(10);

/// A database by its address.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) endpoint: Endpoint,
    pub(crate) database: String,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "database `{}` of {}", self.database, self.endpoint)
    }
}

/// Documents that were read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) documents: Vec<Map<String, Value>>,
    /// Whether the database has more of them.
    pub(crate) has_more: bool,
}

#[derive(Deserialize)]
struct Found {
    docs: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct AllDocs {
    rows: Vec<AllDocsRow>,
}

#[derive(Deserialize)]
struct AllDocsRow {
    id: String,
    doc: Option<Map<String, Value>>,
}

/// Why a request has no result.
enum Unread {
    /// The server does not have the resource, or refuses such a request.
    Refused(u16, String),
    Failed(Failure),
}

impl Address {
    /// Reads `http://localhost:5984/DATABASE`. Credentials are those of the configuration, unless
    /// the address has its own.
    pub(crate) fn parse(context: &Context, source: &str) -> Result<Self, Failure> {
        let trimmed = source.trim_end_matches('/');
        let split = trimmed
            .rsplit_once('/')
            .filter(|(server, name)| server.contains("://") && !server.ends_with('/') && !name.is_empty());
        let (server, name) = split.ok_or_else(|| {
            Failure::usage("the address names no database")
                .hint("write it as `http://localhost:5984/DATABASE`")
        })?;
        let endpoint = context.config.couch.endpoint(server).map_err(Failure::usage)?;
        // The only characters of a database's name that an address may have percent-encoded.
        let database = name.replace("%2F", "/").replace("%2f", "/").replace("%2B", "+").replace("%2b", "+");
        Ok(Self { endpoint, database })
    }

    /// How many documents the database has. Fails if it cannot be read.
    pub(crate) async fn count(&self) -> Result<u64, Failure> {
        Ok(self.info(&self.database()).await?.documents)
    }

    pub(super) fn database(&self) -> CouchDatabase {
        CouchServer::new(self.endpoint.clone()).database(DatabaseName::from(self.database.as_str()))
    }

    /// What the database says of itself. The name of one that is missing is in the address, whatever
    /// the configuration says.
    pub(super) async fn info(&self, database: &CouchDatabase) -> Result<DatabaseInfo, Failure> {
        database.info().await.map_err(|error| match error {
            CouchError::MissingDatabase { .. } => {
                Failure::new(error).hint("check the name of the database in the address")
            }
            error => error.into(),
        })
    }

    /// The first documents of a type, at most `limit`. `type_field` is the member that has the
    /// type. Servers without `_find` send all documents, of which those of the type are kept.
    pub(crate) async fn of_type(
        &self,
        type_field: &str,
        doc_type: &str,
        limit: u64,
    ) -> Result<Page, Failure> {
        match self.find(type_field, doc_type, limit).await {
            Ok(page) => Ok(page),
            Err(Unread::Failed(failure)) => Err(failure),
            Err(Unread::Refused(..)) => {
                let is_of_type = |document: &Map<String, Value>| {
                    document.get(type_field).and_then(Value::as_str) == Some(doc_type)
                };
                self.all_docs(limit, is_of_type).await
            }
        }
    }

    /// The first documents of any type, at most `limit`.
    pub(crate) async fn of_any_type(&self, limit: u64) -> Result<Page, Failure> {
        self.all_docs(limit, |_| true).await
    }

    async fn find(&self, type_field: &str, doc_type: &str, limit: u64) -> Result<Page, Unread> {
        // In a selector a dot leads into an object.
        let member = type_field.replace('\\', "\\\\").replace('.', "\\.");
        let mut page = Page::default();
        let mut last = Value::Null;
        loop {
            let wanted = PAGE.min(limit.saturating_add(1) - page.documents.len() as u64);
            // By id, not by bookmark: not every server that responds as CouchDB does has those.
            let request = json!({
                "selector": {"_id": {"$gt": last}, &member: {"$eq": doc_type}}, "sort": [{"_id": "asc"}], "limit": wanted,
            });
            let found: Found = self.request(&["_find"], &[], Some(&request)).await?;
            let count = found.docs.len() as u64;
            last = found.docs.last().and_then(|document| document.get("_id").cloned()).unwrap_or_default();
            page.documents.extend(found.docs);
            if page.documents.len() as u64 > limit {
                page.documents.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                page.has_more = true;
                return Ok(page);
            }
            if count < wanted {
                return Ok(page);
            }
        }
    }

    async fn all_docs(
        &self,
        limit: u64,
        is_meant: impl Fn(&Map<String, Value>) -> bool,
    ) -> Result<Page, Failure> {
        let mut page = Page::default();
        let mut last: Option<String> = None;
        loop {
            let mut query = vec![("include_docs", "true".to_owned()), ("limit", PAGE.to_string())];
            if let Some(last) = &last {
                query.extend([("startkey", json!(last).to_string()), ("skip", "1".to_owned())]);
            }
            let read: AllDocs =
                self.request(&["_all_docs"], &query, None).await.map_err(|error| match error {
                    Unread::Refused(status, reason) => {
                        Failure::new(format!("{self} responds to `_all_docs` with status {status}: {reason}"))
                    }
                    Unread::Failed(failure) => failure,
                })?;
            let Some(end) = read.rows.last().map(|row| row.id.clone()) else { return Ok(page) };
            let documents = read.rows.into_iter().filter(|row| !row.id.starts_with("_design/"));
            for document in documents.filter_map(|row| row.doc).filter(&is_meant) {
                if page.documents.len() as u64 >= limit {
                    page.has_more = true;
                    return Ok(page);
                }
                page.documents.push(document);
            }
            last = Some(end);
        }
    }

    async fn request<T: serde::de::DeserializeOwned>(
        &self,
        resource: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<T, Unread> {
        let segments: Vec<&str> =
            [self.database.as_str()].into_iter().chain(resource.iter().copied()).collect();
        let mut url = self.endpoint.url(&segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = match body {
            Some(body) => self
                .endpoint
                .request(Method::POST, url)
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => self.endpoint.request(Method::GET, url),
        };
        let failed = |reason: String| Unread::Failed(Failure::new(format!("reading {self}: {reason}")));
        let request = request.header("accept", "application/json").timeout(PATIENCE);
        let sent = self.endpoint.send(request).await;
        let response = sent.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| failed(describe_error(error)))?;
        if !status.is_success() {
            return Err(Unread::Refused(status.as_u16(), text.trim().chars().take(200).collect()));
        }
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
    }
}
