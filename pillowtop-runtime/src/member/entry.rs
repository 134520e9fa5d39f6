//! What waits in a lane: a write or a dead letter, with the rows that it answers for.

use pillowtop_core::{DocumentId, Revision};

use super::watermark::Ordinal;
use crate::dead_letter::DeadLetter;
use crate::operation::Operation;

/// What a stored letter has more than its texts, in bytes: names, times, the line of the bulk.
const LETTER_ROOM: usize = 600;

/// An operation on its way, with the rows that it answers for.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    /// The write.
    pub(super) operation: Operation,
    /// The revision that it writes, for a dead letter.
    pub(super) revision: Revision,
    /// The rows that are acknowledged with it.
    pub(super) rows: Vec<Ordinal>,
    /// How often it was answered with something that is on no list.
    pub(super) attempts: u32,
    /// How often it got no answer, while nothing says that the index is at fault.
    pub(super) unanswered: u32,
    /// The most operations of a bulk that it may be in: halved when the server refuses the whole, or never answers it.
    pub(super) company: usize,
    /// Whether it deletes because the document was deleted, not because it left.
    pub(super) is_deletion: bool,
}

/// A dead letter on its way to be stored, with the rows that it answers for.
#[derive(Debug, Clone)]
pub(super) struct QueuedLetter {
    /// The letter.
    pub(super) letter: DeadLetter,
    /// The rows that are acknowledged with it.
    pub(super) rows: Vec<Ordinal>,
    /// About how many bytes it has when it is stored.
    bytes: usize,
}

impl QueuedLetter {
    /// A letter that answers for these rows.
    pub(super) fn new(letter: DeadLetter, rows: Vec<Ordinal>) -> Self {
        let document = letter.document.as_deref().unwrap_or_default();
        let bytes = escaped_bytes(document) + escaped_bytes(&letter.reason) + letter.id.as_str().len();
        Self { letter, rows, bytes: bytes + LETTER_ROOM }
    }

    /// About how many bytes it has when it is stored.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same letter without the document's text.
    pub(super) fn without_document(self) -> Self {
        Self::new(DeadLetter { document: None, ..self.letter }, self.rows)
    }
}

/// How many bytes a text has in JSON: a document's own quotes are escaped once more.
fn escaped_bytes(text: &str) -> usize {
    text.bytes()
        .map(|byte| 1 + usize::from(matches!(byte, b'"' | b'\\')) + 5 * usize::from(byte < b' '))
        .sum()
}

/// An entry of a lane.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A write.
    Write(Queued),
    /// A dead letter.
    Letter(QueuedLetter),
}

impl From<Queued> for Entry {
    fn from(queued: Queued) -> Self {
        Self::Write(queued)
    }
}

impl From<QueuedLetter> for Entry {
    fn from(letter: QueuedLetter) -> Self {
        Self::Letter(letter)
    }
}

impl Entry {
    /// The document.
    pub(super) fn id(&self) -> &DocumentId {
        match self {
            Self::Write(queued) => &queued.operation.id,
            Self::Letter(letter) => &letter.letter.id,
        }
    }

    /// Its share of a request's body.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Write(queued) => queued.operation.body_bytes(),
            Self::Letter(letter) => letter.bytes,
        }
    }

    /// How many may be in one request with it.
    pub(super) fn company(&self) -> usize {
        match self {
            Self::Write(queued) => queued.company,
            Self::Letter(_) => usize::MAX,
        }
    }

    /// The rows that are acknowledged with it.
    pub(super) fn rows_mut(&mut self) -> &mut Vec<Ordinal> {
        match self {
            Self::Write(queued) => &mut queued.rows,
            Self::Letter(letter) => &mut letter.rows,
        }
    }

    /// Whether it is a dead letter.
    pub(super) fn is_letter(&self) -> bool {
        matches!(self, Self::Letter(_))
    }

    /// Whether an older entry of the same document need not be sent any more. A write makes an older write and an older failure
    /// moot. A failure leaves the older write: its document is what the index goes on showing.
    pub(super) fn supersedes(&self, older: &Self) -> bool {
        self.id() == older.id() && (!self.is_letter() || older.is_letter())
    }
}
