//! What waits in a lane: a write, a dead letter or the resolution of one, with the receipts that it
//! acknowledges.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use pillowtop_core::{DocumentId, Revision};

use super::watermark::Ordinal;
use crate::dead_letter::DeadLetter;
use crate::operation::{Action, Operation, Version, routing_bytes};
use crate::request::{Processed, Ticket};

/// What a stored dead letter has beside its strings, in bytes: names, times, the line of the bulk.
const DEAD_LETTER_OVERHEAD: usize = 600;

/// The hash of an id. Ids are compared by it first.
pub(super) fn hash_of(id: &DocumentId) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    STATE.hash_one(id.as_str())
}

/// What an entry acknowledges.
#[derive(Debug, Clone)]
pub(super) enum Receipt {
    /// A row of the reader.
    Row(Ordinal),
    /// An id of a request, such as a replayed dead letter.
    Request(Arc<Ticket>),
}

/// What is done with a document.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// It is written to the target.
    Write(Action),
    /// Its failure is recorded.
    DeadLetter(Box<DeadLetter>),
    /// An earlier failure of it is resolved, since it was processed.
    Resolve(Processed),
}

/// An entry of a lane.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The id in the target.
    pub(super) id: DocumentId,
    /// Its hash.
    pub(super) hash: u64,
    /// The version of the write.
    pub(super) version: Version,
    /// What is done.
    pub(super) work: Work,
    /// The revision, for a dead letter.
    pub(super) revision: Revision,
    /// What is acknowledged with it.
    pub(super) receipts: Vec<Receipt>,
    /// How often its response was an unrecognised error.
    pub(super) attempts: u32,
    /// How often it got no response although the target is not known to be at fault.
    pub(super) timeouts: u32,
    /// The largest bulk that it may be in: halved when the target refuses the whole bulk, or never
    /// responds to it.
    pub(super) max_batch: usize,
    /// Whether it deletes because the document was deleted, not because it is filtered out.
    pub(super) is_deletion: bool,
    /// The routing value of a document that is indexed.
    routing: Option<Box<str>>,
    /// Whether nothing was ever written under this id.
    is_first: bool,
    bytes: usize,
}

impl Entry {
    /// An entry that was not sent yet.
    pub(super) fn new(
        id: DocumentId,
        version: Version,
        work: Work,
        revision: Revision,
        receipts: Vec<Receipt>,
    ) -> Self {
        let hash = hash_of(&id);
        let mut entry = Self {
            id,
            hash,
            version,
            work,
            revision,
            receipts,
            attempts: 0,
            timeouts: 0,
            max_batch: usize::MAX,
            is_deletion: false,
            routing: None,
            is_first: false,
            bytes: 0,
        };
        entry.bytes = entry.measure();
        entry
    }

    /// The same entry with where its document goes.
    pub(super) fn routed(self, routing: Option<Box<str>>, is_first: bool) -> Self {
        let bytes = self.bytes + routing.as_deref().map_or(0, routing_bytes);
        Self { routing, is_first, bytes, ..self }
    }

    /// The same entry with other work, as if it was not sent yet.
    pub(super) fn with_work(self, work: Work) -> Self {
        Self::new(self.id, self.version, work, self.revision, self.receipts)
    }

    /// The operation to write. The action is moved out of it, so nothing is copied.
    pub(super) fn take_operation(&mut self) -> Option<Operation> {
        match std::mem::replace(&mut self.work, Work::Resolve(Processed::Ignored)) {
            Work::Write(action) => Some(Operation {
                id: self.id.clone(),
                version: self.version,
                action,
                routing: self.routing.take(),
                is_first: self.is_first,
            }),
            work => {
                self.work = work;
                None
            }
        }
    }

    /// Gives the action back that was moved out of it.
    pub(super) fn restore(&mut self, operation: Operation) {
        self.work = Work::Write(operation.action);
        self.routing = operation.routing;
    }

    /// Its share of a request's body.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn measure(&self) -> usize {
        match &self.work {
            Work::Write(action) => {
                let source = match action {
                    Action::Index(source) => source.len() + 1,
                    Action::Delete => 0,
                };
                source + self.id.as_str().len() + 80
            }
            Work::DeadLetter(letter) => {
                let document = letter.document.as_deref().unwrap_or_default();
                escaped_bytes(document)
                    + escaped_bytes(&letter.reason)
                    + self.id.as_str().len()
                    + DEAD_LETTER_OVERHEAD
            }
            Work::Resolve(_) => self.id.as_str().len() + 80,
        }
    }

    /// Whether it goes to the target, and not to the store of dead letters.
    pub(super) fn is_write(&self) -> bool {
        matches!(self.work, Work::Write(_))
    }

    /// Whether an older entry of the same document need not be sent any more. A write supersedes
    /// older writes and older failures. A failure leaves the older write: its document is what
    /// the target continues to hold.
    pub(super) fn supersedes(&self, older: &Self) -> bool {
        self.version >= older.version
            && self.is_same_document(older)
            && (self.is_write() || !older.is_write())
    }

    /// Whether both are of one document.
    pub(super) fn is_same_document(&self, other: &Self) -> bool {
        self.hash == other.hash && self.id == other.id
    }
}

/// How many bytes a string has in JSON: a document's own quotes are escaped once more.
fn escaped_bytes(string: &str) -> usize {
    string
        .bytes()
        .map(|byte| 1 + usize::from(matches!(byte, b'"' | b'\\')) + 5 * usize::from(byte < b' '))
        .sum()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn entry(routing: &str, version: u64) -> Entry {
        let work = Work::Write(Action::Index(Bytes::from_static(b"{}")));
        Entry::new("a".into(), Version(version), work, "1-x".into(), Vec::new())
            .routed(Some(routing.into()), false)
    }

    #[test]
    fn a_document_is_one_entry_whatever_its_routing_value() {
        let (older, newer) = (entry("h1", 1), entry("h2", 2));
        assert!(newer.supersedes(&older));
        assert_eq!(newer.hash, older.hash, "the lane is chosen by the id alone");
        assert!(newer.bytes() > entry("", 2).bytes());
    }

    #[test]
    fn an_operation_takes_the_routing_value_along_and_gives_it_back() {
        let mut entry = entry("h1", 1);
        let operation = entry.take_operation().unwrap();
        assert_eq!((operation.routing.as_deref(), operation.is_first), (Some("h1"), false));
        entry.restore(operation);
        assert_eq!(entry.take_operation().unwrap().routing.as_deref(), Some("h1"));
    }
}
