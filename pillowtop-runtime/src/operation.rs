//! What is written to a target: one operation per document, each with a version that the runtime makes.

use std::fmt;

use bytes::Bytes;
use pillowtop_core::DocumentId;
use serde::{Deserialize, Serialize};

/// The external version of a write: microseconds since 1970 by the consumer's clock, always rising, below a reserved ceiling.
/// CouchDB's revisions and sequences cannot be versions, because both may go back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// A write of one document: index or delete.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// The document is indexed with this `_source`.
    Index(Bytes),
    /// The document is deleted. A missing document is fine.
    Delete,
}

impl fmt::Debug for Action {
    /// Shows no document: it may hold what no log should.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(source) => write!(formatter, "Index({} bytes)", source.len()),
            Self::Delete => formatter.write_str("Delete"),
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The id in the target, 1 to 512 bytes: the document's `_id`, or `<database>/<_id>` where a pillow reads several databases.
    pub id: DocumentId,
    /// The version of the write.
    pub version: Version,
    /// What is done.
    pub action: Action,
}

impl Operation {
    /// The operation's share of a bulk body in bytes, with the action line estimated.
    pub fn body_bytes(&self) -> usize {
        let source = match &self.action {
            Action::Index(source) => source.len() + 1,
            Action::Delete => 0,
        };
        source + self.id.as_str().len() + 80
    }
}
