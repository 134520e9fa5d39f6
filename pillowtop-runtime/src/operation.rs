//! What is written to a target: one operation per document, each with a version that the runtime
//! makes.

use std::fmt;

use bytes::Bytes;
use pillowtop_core::DocumentId;
use serde::{Deserialize, Serialize};

/// The external version of a write: microseconds since 1970 by the consumer's clock, always rising,
/// below a reserved ceiling. CouchDB's revisions and sequences cannot be versions, because both may
/// go back.
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
    /// The id in the target, 1 to 512 bytes: the document's `_id`, or `<database>/<_id>` where a
    /// pillow reads several databases.
    pub id: DocumentId,
    /// The version of the write.
    pub version: Version,
    /// What is done.
    pub action: Action,
    /// The routing value of a document that is indexed, where its pillow declares a routing and the
    /// document has a value. A deletion has none: nothing is known of its document but the id.
    pub routing: Option<Box<str>>,
    /// Whether nothing was ever written under this id, as in a load that has just come to it.
    /// Otherwise an earlier write may have put the document elsewhere, by another routing
    /// value.
    pub is_first: bool,
}

impl Operation {
    /// A write without a routing value, of a document that may have been written before.
    pub fn new(id: DocumentId, version: Version, action: Action) -> Self {
        Self { id, version, action, routing: None, is_first: false }
    }

    /// The operation's share of a bulk body in bytes, with the action line estimated.
    pub fn body_bytes(&self) -> usize {
        let source = match &self.action {
            Action::Index(source) => source.len() + 1,
            Action::Delete => 0,
        };
        source + self.id.as_str().len() + self.routing.as_deref().map_or(0, routing_bytes) + 80
    }
}

/// The share of a routing value in an action line, in bytes.
pub(crate) fn routing_bytes(routing: &str) -> usize {
    routing.len() + r#""routing":"","#.len()
}
