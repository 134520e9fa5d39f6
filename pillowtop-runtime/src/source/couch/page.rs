//! One page of `_all_docs` or of a view.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use bytestring::ByteString;
use pillowtop_core::{DocumentId, Revision};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::database::CouchDatabase;
use super::error::CouchError;
use crate::source::listing::ListedDocument;

const WHAT: &str = "listing documents";

/// A view, written as `DESIGN/VIEW`. Its keys are the ids of documents, each once, and its values
/// their revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewName {
    /// The design document, without `_design/`.
    pub design: String,
    /// The view in it.
    pub view: String,
}

impl fmt::Display for ViewName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.design, self.view)
    }
}

impl FromStr for ViewName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("_design/").unwrap_or(text);
        match name.replacen("/_view/", "/", 1).split_once('/') {
            Some((design, view)) if !design.is_empty() && !view.is_empty() && !view.contains('/') => {
                Ok(Self { design: design.to_owned(), view: view.to_owned() })
            }
            _ => Err(format!("`{text}` is not a view; write it as `DESIGN/VIEW`")),
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Default)]
pub(super) enum PageStart {
    #[default]
    First,
    /// With this document.
    At(DocumentId),
    /// After this document, whether it still exists or not.
    After(DocumentId),
}

/// A request for a page.
#[derive(Debug, Clone, Default)]
pub(super) struct PageRequest<'a> {
    /// The view; `_all_docs` without one.
    pub(super) view: Option<&'a ViewName>,
    pub(super) start: PageStart,
    /// The document before which the listing ends.
    pub(super) end: Option<&'a DocumentId>,
    /// How many rows are passed over before.
    pub(super) skip: usize,
    /// The most rows of the response.
    pub(super) limit: usize,
    pub(super) with_documents: bool,
}

/// A row of a listing.
#[derive(Debug)]
pub(super) struct PageEntry {
    pub(super) listed: ListedDocument,
    /// The document, if it was requested and could be read.
    pub(super) document: Option<ByteString>,
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<PageEntry>,
    /// How many rows the listing has, where that is reported.
    pub(super) total: Option<u64>,
    /// Whether no row comes after it.
    pub(super) is_last: bool,
}

#[derive(Deserialize)]
struct Body<'body> {
    total_rows: Option<u64>,
    #[serde(borrow)]
    rows: Vec<Entry<'body>>,
}

#[derive(Deserialize)]
struct Entry<'body> {
    #[serde(borrow)]
    id: Cow<'body, str>,
    #[serde(borrow)]
    key: Cow<'body, str>,
    #[serde(borrow)]
    value: &'body RawValue,
    #[serde(borrow, default)]
    doc: Option<&'body RawValue>,
}

#[derive(Deserialize)]
struct EntryValue<'body> {
    #[serde(borrow)]
    rev: Cow<'body, str>,
}

impl CouchDatabase {
    /// Requests a page once.
    pub(super) async fn page(&self, wanted: &PageRequest<'_>) -> Result<Page, CouchError> {
        let name = self.name().as_str();
        let key_of = |id: &DocumentId| serde_json::Value::from(id.as_str()).to_string();
        let mut url = match wanted.view {
            None => self.server().endpoint().url(&[name, "_all_docs"]),
            Some(ViewName { design, view }) => {
                self.server().endpoint().url(&[name, "_design", design, "_view", view])
            }
        };
        url.query_pairs_mut().append_pair("limit", &wanted.limit.to_string());
        if let PageStart::At(id) | PageStart::After(id) = &wanted.start {
            url.query_pairs_mut().append_pair("startkey", &key_of(id));
        }
        if let Some(id) = wanted.end {
            url.query_pairs_mut().append_pair("endkey", &key_of(id)).append_pair("inclusive_end", "false");
        }
        if wanted.skip > 0 {
            url.query_pairs_mut().append_pair("skip", &wanted.skip.to_string());
        }
        if wanted.with_documents {
            url.query_pairs_mut().append_pair("include_docs", "true");
        }
        if wanted.view.is_some() {
            url.query_pairs_mut().append_pair("reduce", "false");
        }
        let request = self.server().endpoint().request(Method::GET, url).header(ACCEPT, "application/json");
        // A view that is missing is not a database that is missing.
        let database = wanted.view.is_none().then_some(name);
        let response = self.server().send(request, database, WHAT).await?;
        let body = self.server().text(response, WHAT).await?;
        let mut page = self.parse_page(&body, wanted.limit)?;
        // It begins with the last document of the one before, unless that was deleted meanwhile.
        if let PageStart::After(id) = &wanted.start
            && page.entries.first().is_some_and(|entry| entry.listed.id == *id)
        {
            page.entries.remove(0);
        }
        Ok(page)
    }

    fn parse_page(&self, body: &ByteString, limit: usize) -> Result<Page, CouchError> {
        let malformed = |error: serde_json::Error| self.malformed_page(&error.to_string());
        let parsed: Body<'_> = serde_json::from_str(body).map_err(malformed)?;
        let is_last = parsed.rows.len() < limit;
        let mut entries = Vec::with_capacity(parsed.rows.len());
        for Entry { id, key, value, doc } in parsed.rows {
            if key != id {
                return Err(self.malformed_page("a key of the view is not the id of its document"));
            }
            let revision = if value.get().starts_with('"') {
                serde_json::from_str::<Cow<'_, str>>(value.get()).map_err(malformed)?
            } else {
                serde_json::from_str::<EntryValue<'_>>(value.get()).map_err(malformed)?.rev
            };
            let listed =
                ListedDocument { id: DocumentId::new(id), revision: Revision::new(revision), deleted: false };
            let document = doc.filter(|doc| doc.get().starts_with('{')).map(|doc| body.slice_ref(doc.get()));
            entries.push(PageEntry { listed, document });
        }
        Ok(Page { entries, total: parsed.total_rows, is_last })
    }

    fn malformed_page(&self, reason: &str) -> CouchError {
        self.server().malformed(WHAT, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_named_by_its_design_document() {
        for text in ["cases/by_id", "_design/cases/by_id", "_design/cases/_view/by_id"] {
            assert_eq!(text.parse::<ViewName>().unwrap().to_string(), "cases/by_id");
        }
        for text in ["cases", "/by_id", "cases/", "a/b/c"] {
            assert!(text.parse::<ViewName>().is_err(), "{text}");
        }
    }
}
