//! Writing documents by compare-and-set, and what has to be read for it.

use std::collections::HashMap;

use pillowtop_core::{DocumentId, Revision};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::{Value, json};

use super::database::CouchDatabase;
use super::error::CouchError;

/// The latest revision of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The revision.
    pub revision: Revision,
    /// Whether it is a deletion.
    pub is_deleted: bool,
    /// The document, if it was requested and is not deleted.
    pub document: Option<Value>,
}

/// What became of one document of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was written, in this revision.
    Done(Revision),
    /// It has another revision than the one that was sent.
    Conflict,
    /// It was not accepted.
    Refused {
        /// CouchDB's name of the error.
        error: String,
        /// The reason.
        reason: String,
    },
}

#[derive(Deserialize)]
struct WriteResult {
    rev: Option<Revision>,
    error: Option<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Listed {
    rows: Vec<ListedRow>,
}

#[derive(Deserialize)]
struct ListedRow {
    key: String,
    value: Option<ListedValue>,
    #[serde(default)]
    doc: Option<Value>,
}

#[derive(Deserialize)]
struct ListedValue {
    rev: Revision,
    #[serde(default)]
    deleted: bool,
}

impl ListedRow {
    fn head(self) -> Option<(String, Head)> {
        let value = self.value?;
        let head = Head { revision: value.rev, is_deleted: value.deleted, document: self.doc };
        Some((self.key, head))
    }
}

impl CouchDatabase {
    /// Writes documents that are JSON strings, each over the revision in its `_rev`, and returns what
    /// became of each.
    ///
    /// # Errors
    ///
    /// When the whole request fails. Then some may be written.
    pub async fn write_json<T: AsRef<str>>(&self, documents: &[T]) -> Result<Vec<Written>, CouchError> {
        const WHAT: &str = "writing documents";
        let documents_json: Vec<&str> = documents.iter().map(AsRef::as_ref).collect();
        let body = format!("{{\"docs\":[{}]}}", documents_json.join(","));
        let response = self.post_text("_bulk_docs", body, WHAT).await?;
        let results: Vec<WriteResult> = self.server().json(response, WHAT).await?;
        if results.len() != documents.len() {
            return Err(self.server().malformed(WHAT, "another number of results than of documents"));
        }
        let written = |result: WriteResult| match (result.rev, result.error) {
            (_, Some(error)) if error == "conflict" => Written::Conflict,
            (_, Some(error)) => Written::Refused { error, reason: result.reason },
            (Some(revision), None) => Written::Done(revision),
            (None, None) => Written::Refused { error: "no_revision".to_owned(), reason: result.reason },
        };
        Ok(results.into_iter().map(written).collect())
    }

    /// The latest revisions of documents by their ids, deletions too. One that never existed is
    /// missing.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn heads(
        &self,
        ids: &[DocumentId],
        with_documents: bool,
    ) -> Result<HashMap<String, Head>, CouchError> {
        const WHAT: &str = "reading revisions";
        let endpoint = if with_documents { "_all_docs?include_docs=true" } else { "_all_docs" };
        let response = self.post(endpoint, &json!({ "keys": ids }), WHAT).await?;
        let listed: Listed = self.server().json(response, WHAT).await?;
        Ok(listed.rows.into_iter().filter_map(ListedRow::head).collect())
    }

    /// The documents whose ids begin with an ASCII prefix, in order of ids.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn documents_of_prefix(&self, prefix: &str) -> Result<Vec<(String, Value)>, CouchError> {
        const WHAT: &str = "listing documents";
        let name = self.name().as_str();
        let mut url = self.server().endpoint().url(&[name, "_all_docs"]);
        url.query_pairs_mut().append_pair("include_docs", "true");
        if let Some(last) = prefix.chars().next_back() {
            // `_all_docs` is in order of code points.
            let after = char::from_u32(u32::from(last) + 1).unwrap_or(char::MAX);
            let end = format!("{}{after}", &prefix[..prefix.len() - last.len_utf8()]);
            url.query_pairs_mut()
                .append_pair("startkey", &json!(prefix).to_string())
                .append_pair("endkey", &json!(end).to_string())
                .append_pair("inclusive_end", "false");
        }
        let request = self.server().endpoint().request(Method::GET, url).header(ACCEPT, "application/json");
        let response = self.server().send(request, Some(name), WHAT).await?;
        let listed: Listed = self.server().json(response, WHAT).await?;
        let documents = listed.rows.into_iter().filter_map(|row| Some((row.key, row.doc?)));
        Ok(documents.filter(|(id, _)| id.starts_with(prefix)).collect())
    }

    /// A document by its id; `None` if it is certain that there is none.
    ///
    /// # Errors
    ///
    /// When the database does not exist, or the server does not respond.
    pub async fn document(&self, id: &str) -> Result<Option<Value>, CouchError> {
        let name = self.name().as_str();
        match self.server().get::<Value>(&[name, id], None, "a document").await {
            Ok(document) => Ok(Some(document)),
            Err(CouchError::Refused { status: 404, reason, .. })
                if reason.ends_with("missing") || reason.ends_with("deleted") =>
            {
                Ok(None)
            }
            Err(CouchError::Refused { status: 404, server, .. }) => {
                Err(CouchError::MissingDatabase { server, database: name.to_owned() })
            }
            Err(error) => Err(error),
        }
    }
}
