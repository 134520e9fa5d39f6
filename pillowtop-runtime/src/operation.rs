//! What is written to an index: one operation a document, each with a version that the runtime makes.

use std::fmt;

use bytes::Bytes;
use pillowtop_core::DocumentId;
use serde::{Deserialize, Serialize};

/// The external version of a write: microseconds since 1970 by the consumer's clock, always rising, below a reserved ceiling.
/// Revisions and sequences of CouchDB are no versions: both may go back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// What a bulk belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// A first load: an index whose load is over takes none of it.
    Load,
    /// Following.
    Follow,
}

/// What is done with a document's id in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is indexed with this `_source`.
    Index(Bytes),
    /// It is deleted; that it was not there is fine.
    Delete,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The document's `_id`, 1 to 512 bytes.
    pub id: DocumentId,
    /// The version of the write.
    pub version: Version,
    /// What is done.
    pub action: Action,
}

impl Operation {
    /// Its share of a bulk body in bytes, the action line estimated.
    pub fn body_bytes(&self) -> usize {
        let source = match &self.action {
            Action::Index(source) => source.len() + 1,
            Action::Delete => 0,
        };
        source + self.id.as_str().len() + 80
    }
}
