//! Reading the documents of a database in order of their ids, in ranges that are read apart.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, Sequence};

use super::{Source, SourceError};

/// What a position in a range begins with.
const AFTER: &str = "after:";

/// The documents between two ids, in the order of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdRange {
    /// The first id; `None` begins with the first document.
    pub from: Option<DocumentId>,
    /// The id before which it ends; `None` ends with the last document.
    pub to: Option<DocumentId>,
}

impl IdRange {
    /// The ranges that boundaries divide a listing into: one more than there are boundaries.
    pub fn all(boundaries: &[DocumentId]) -> Vec<Self> {
        let from = std::iter::once(None).chain(boundaries.iter().cloned().map(Some));
        let to = boundaries.iter().cloned().map(Some).chain(std::iter::once(None));
        from.zip(to).map(|(from, to)| Self { from, to }).collect()
    }
}

/// A listing of a database's documents, such as `_all_docs` or a view.
pub trait Listing: Send + Sync + fmt::Debug + 'static {
    /// The ids that divide the listing into about so many ranges of about the same number of
    /// documents, in its order.
    fn boundaries(&self, ranges: usize) -> BoxFuture<'_, Result<Vec<DocumentId>, SourceError>>;

    /// A range as a source: its feed is one-shot and brings each document of the range once, as it
    /// is in the revision that was listed or in a later one. Its positions are [`after`] an id.
    fn range(&self, range: IdRange) -> Arc<dyn Source>;
}

/// The position in a range after a document.
pub fn after(id: &DocumentId) -> Sequence {
    Sequence::new(format!("{AFTER}{id}"))
}

/// The document that a position in a range is after; `None` at its start.
pub fn document_before(position: &Sequence) -> Option<DocumentId> {
    position.as_str().strip_prefix(AFTER).map(DocumentId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_make_ranges_without_a_gap() {
        let range = |from: Option<&str>, to: Option<&str>| IdRange {
            from: from.map(DocumentId::from),
            to: to.map(DocumentId::from),
        };
        assert_eq!(IdRange::all(&[]), [IdRange::default()]);
        assert_eq!(
            IdRange::all(&["f".into(), "p".into()]),
            [range(None, Some("f")), range(Some("f"), Some("p")), range(Some("p"), None)]
        );
        assert_eq!(document_before(&after(&"a:b".into())), Some("a:b".into()));
        assert_eq!(document_before(&Sequence::start()), None);
    }
}
