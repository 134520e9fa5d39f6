//! A change that could not be indexed, kept with its reason until somebody looks at it.

use pillowtop_core::{DatabaseName, DocumentId, IndexName, PillowName, Revision};
use serde::{Deserialize, Serialize};

use crate::operation::Version;

/// Where on its way a change failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The id is one that no index takes.
    Id,
    /// The document is not what its struct says.
    Decode,
    /// The filter or the transform panicked, or what the transform made cannot be JSON.
    Transform,
    /// The index refused the document.
    Index,
}

/// A change that could not be indexed. The older version of the document, if there is one, stays in the index.
///
/// One is kept for each document and index: a later failure of the same document replaces it, and a later success removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The pillow.
    pub pillow: PillowName,
    /// The physical index.
    pub index: IndexName,
    /// The database.
    pub database: DatabaseName,
    /// The document's `_id`.
    pub id: DocumentId,
    /// Its `_rev`.
    pub revision: Revision,
    /// The version that its write has, or would have had: it gives way to whatever is newer of the same document. 0 in letters of the
    /// first releases.
    #[serde(default)]
    pub version: Version,
    /// Where it failed.
    pub stage: Stage,
    /// The server's error type, or a name of ours.
    pub error_type: String,
    /// Why, for people.
    pub reason: String,
    /// When, RFC 3339 in UTC.
    pub time: String,
    /// The document as it came, cut at 64 KiB; absent for deletions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<String>,
}
