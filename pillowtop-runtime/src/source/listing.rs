//! Listing the documents of a source without their bodies, to compare them with a target.

use futures_util::{Stream, stream};
use pillowtop_core::{DocumentId, Revision, Sequence};

use super::{FeedEvent, FeedMode, FeedRequest, Source, SourceError};

/// A document as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDocument {
    /// Its `_id`.
    pub id: DocumentId,
    /// Its winning revision.
    pub revision: Revision,
    /// Whether it was deleted: then an earlier entry of it does not count.
    pub deleted: bool,
}

/// Some of the documents of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedPage {
    /// The documents.
    pub documents: Vec<ListedDocument>,
    /// How many documents there are, where the source reports it.
    pub total: Option<u64>,
}

/// Lists the documents of any source by a one-shot reading of its feed.
pub(super) fn by_feed<S: Source + ?Sized>(
    source: &S,
) -> impl Stream<Item = Result<ListedPage, SourceError>> + Send + '_ {
    stream::try_unfold(None, move |feed| async move {
        let mut feed = match feed {
            Some(feed) => feed,
            None => {
                let identity = source.identity().await?;
                let (since, mode) = (Sequence::start(), FeedMode::OneShot);
                source.open(FeedRequest { since, identity, mode, selector: None })
            }
        };
        while let Some(event) = feed.next().await {
            match event? {
                FeedEvent::Rows(rows) => {
                    let listed = |row: crate::row::Row| ListedDocument {
                        id: row.id,
                        revision: row.revision,
                        deleted: row.deleted,
                    };
                    let documents = rows.into_iter().map(listed).collect();
                    return Ok(Some((ListedPage { documents, total: source.total() }, Some(feed))));
                }
                FeedEvent::Position { .. } => {}
                FeedEvent::Waiting(reason) => {
                    return Err(SourceError::Other { reason, is_retryable: true });
                }
            }
        }
        Ok(None)
    })
}
