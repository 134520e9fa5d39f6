//! A change that could not be indexed, kept with its reason until it is resolved, and the store of
//! such changes.

use std::fmt;

use futures_util::future::BoxFuture;
use pillowtop_core::{DatabaseName, DocumentId, IndexName, PillowName, Revision};
use serde::{Deserialize, Serialize};

use crate::operation::Version;

/// Where on its way a change failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The source could not read the document.
    Read,
    /// No index accepts the id.
    Id,
    /// The document does not fit its struct.
    Decode,
    /// A lookup of the transform failed.
    Lookup,
    /// The filter or the transform panicked, or the transform's result cannot be JSON.
    Transform,
    /// The target rejected the document.
    Index,
}

/// A change that could not be indexed. The older version of the document, if there is one, stays in
/// the target.
///
/// One is kept for each document and target. A later failure of the same document replaces it, and
/// a later success removes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The pillow.
    pub pillow: PillowName,
    /// The physical index, or the name of another target.
    pub index: IndexName,
    /// The database.
    pub database: DatabaseName,
    /// The id in the target.
    pub id: DocumentId,
    /// The document's `_rev`.
    pub revision: Revision,
    /// The version that the write has, or would have had. Anything newer of the same document
    /// replaces the dead letter.
    pub version: Version,
    /// Where it failed.
    pub stage: Stage,
    /// The server's error type, or a name of the runtime's own.
    pub error_type: String,
    /// The JSON path that failed, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// The reason, for people.
    pub reason: String,
    /// When it failed, RFC 3339 in UTC.
    pub time: String,
    /// The document, cut at 64 KiB. Kept only if the pillow is configured to (`dead_letters =
    /// "keep_body"`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<String>,
}

impl fmt::Debug for DeadLetter {
    /// Shows neither the document nor the reason, which may quote it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DeadLetter")
            .field("pillow", &self.pillow)
            .field("index", &self.index)
            .field("id", &self.id)
            .field("version", &self.version)
            .field("stage", &self.stage)
            .field("error_type", &self.error_type)
            .finish_non_exhaustive()
    }
}

/// Why dead letters could not be stored or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeadLetterError {
    /// The request is larger than the server, or a proxy before it, accepts.
    #[error("the request with dead letters is too large: {0}")]
    TooLarge(String),
    /// It may work later.
    #[error("dead letters cannot be stored: {0}")]
    Unavailable(String),
}

/// The dead letters of one target.
pub trait DeadLetterStore: Send + Sync + fmt::Debug + 'static {
    /// Stores dead letters durably, each over an older one of its document. One that is older than
    /// what is stored is left out.
    fn record<'a>(&'a self, dead_letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>>;

    /// Removes the dead letters of documents that were decided anew in these versions. Missing ones
    /// are fine; newer ones stay.
    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>>;

    /// The ids of all open dead letters of the target.
    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>>;
}
