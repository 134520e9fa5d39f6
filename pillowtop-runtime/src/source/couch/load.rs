//! The documents of a database in the order of a listing, range by range, for loads.
//!
//! ```text
//! _all_docs or a view, without documents ─ ids and revisions ─▶ _bulk_get, several at once ─▶ rows
//! _all_docs with documents ───────────────────────────────────────────────────────────────▶ rows
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _, TryStreamExt as _, stream};
use pillowtop_core::{DocumentId, Sequence};

use super::bodies::{Bodies, Patience, reaches};
use super::database::CouchDatabase;
use super::error::CouchError;
use super::listing::PAGE;
use super::page::{Page, PageEntry, PageRequest, PageStart, ViewName};
use crate::claim::DatabaseIdentity;
use crate::retry::{RetryPolicy, retry};
use crate::row::Row;
use crate::source::ranges::{IdRange, Listing, after, document_before};
use crate::source::{Feed, FeedRequest, Sender, Source, SourceError};

/// Requests for documents that are on their way at once. More gain nothing.
const CONNECTIONS: usize = 3;

/// What is listed, and how documents are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CouchListing {
    /// `_all_docs` without documents, and the documents by `_bulk_get`.
    Ids,
    /// `_all_docs` with documents.
    AllDocs,
    /// A view without documents, and the documents by `_bulk_get`.
    View(ViewName),
}

/// A listing of one database.
#[derive(Debug, Clone)]
pub struct CouchLoad {
    database: CouchDatabase,
    listing: CouchListing,
}

/// One range of it.
#[derive(Debug, Clone)]
struct CouchRange {
    load: CouchLoad,
    range: IdRange,
}

/// Entries that are read together.
type Chunk = Vec<PageEntry>;

impl CouchLoad {
    /// A listing of a database. Nothing is requested yet.
    pub fn new(database: CouchDatabase, listing: CouchListing) -> Self {
        Self { database, listing }
    }

    fn request(&self, start: PageStart, limit: usize) -> PageRequest<'_> {
        let view = match &self.listing {
            CouchListing::View(view) => Some(view),
            CouchListing::Ids | CouchListing::AllDocs => None,
        };
        PageRequest { view, start, limit, ..PageRequest::default() }
    }

    /// Requests a page, and retries for a while.
    async fn page(&self, request: &PageRequest<'_>) -> Result<Page, CouchError> {
        retry(RetryPolicy::default(), CouchError::is_retryable, || self.database.page(request)).await
    }

    async fn find_boundaries(&self, ranges: usize) -> Result<Vec<DocumentId>, CouchError> {
        let mut boundaries = Vec::new();
        let total = self.page(&self.request(PageStart::First, 1)).await?.total.unwrap_or(0);
        let length = usize::try_from(total).unwrap_or(usize::MAX) / ranges.max(1);
        let mut start = PageStart::First;
        while length > 0 && boundaries.len() + 1 < ranges {
            let wanted = PageRequest { skip: length, ..self.request(start, 1) };
            let Some(entry) = self.page(&wanted).await?.entries.pop() else { break };
            start = PageStart::At(entry.listed.id.clone());
            boundaries.push(entry.listed.id);
        }
        Ok(boundaries)
    }
}

impl Listing for CouchLoad {
    fn boundaries(&self, ranges: usize) -> BoxFuture<'_, Result<Vec<DocumentId>, SourceError>> {
        async move { Ok(self.find_boundaries(ranges).await?) }.boxed()
    }

    fn range(&self, range: IdRange) -> Arc<dyn Source> {
        Arc::new(CouchRange { load: self.clone(), range })
    }
}

impl Source for CouchRange {
    fn describe(&self) -> String {
        self.load.database.describe()
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        self.load.database.identity()
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let range = self.clone();
        Feed::spawn(|sender| range.read(request, sender))
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        self.load.database.fetch(ids)
    }
}

impl CouchRange {
    async fn read(self, request: FeedRequest, mut sender: Sender) -> Result<(), SourceError> {
        let FeedRequest { since, identity, .. } = request;
        let patience = Patience { database: self.load.database.clone(), identity, events: sender.events() };
        let bodies = Bodies::new(patience);
        bodies.patience.verify().await?;
        let read = |chunk: Chunk| self.rows(chunk, &bodies).boxed();
        let mut rows = self.chunks(&since, &bodies).map_ok(read).try_buffered(CONNECTIONS).boxed();
        while let Some((rows, position)) = rows.try_next().await? {
            for row in rows {
                sender.row(row).await;
            }
            sender.position(position, None).await;
        }
        // The end of a listing may be that of another database of the same name.
        bodies.patience.verify().await?;
        Ok(())
    }

    /// What is listed after a position, a few entries at a time.
    fn chunks<'a>(
        &'a self,
        since: &Sequence,
        bodies: &'a Bodies,
    ) -> impl Stream<Item = Result<Chunk, CouchError>> + Send + 'a {
        let start = match (document_before(since), &self.range.from) {
            (Some(id), _) => PageStart::After(id),
            (None, Some(id)) => PageStart::At(id.clone()),
            (None, None) => PageStart::First,
        };
        let state = (Some(start), VecDeque::new());
        stream::try_unfold(state, move |(mut next, mut waiting): (_, VecDeque<PageEntry>)| async move {
            while waiting.is_empty()
                && let Some(start) = next.take()
            {
                (next, waiting) = self.page_from(start, bodies).await?;
            }
            let count = bodies.count().min(waiting.len());
            let chunk: Chunk = waiting.drain(..count).collect();
            Ok::<_, CouchError>((!chunk.is_empty()).then_some((chunk, (next, waiting))))
        })
    }

    /// A page of this range, and where the next one begins.
    async fn page_from(
        &self,
        start: PageStart,
        bodies: &Bodies,
    ) -> Result<(Option<PageStart>, VecDeque<PageEntry>), CouchError> {
        let with_documents = self.load.listing == CouchListing::AllDocs;
        let limit = if with_documents { bodies.count() + 1 } else { PAGE };
        let end = self.range.to.as_ref();
        let wanted = PageRequest { end, with_documents, ..self.load.request(start, limit) };
        let page = bodies.patience.retry(|| self.load.database.page(&wanted).boxed()).await?;
        let entries: VecDeque<PageEntry> = page.entries.into();
        let last = entries.back().filter(|_| !page.is_last).map(|entry| entry.listed.id.clone());
        Ok((last.map(PageStart::After), entries))
    }

    /// The documents of a chunk, and the position after it.
    async fn rows(&self, chunk: Chunk, bodies: &Bodies) -> Result<(Vec<Row>, Sequence), CouchError> {
        let position = chunk.last().map_or_else(Sequence::start, |entry| after(&entry.listed.id));
        if self.load.listing != CouchListing::AllDocs {
            let listed = chunk.into_iter().map(|entry| entry.listed).collect();
            return Ok((bodies.of(listed).await?, position));
        }
        let (mut rows, mut left) = (Vec::with_capacity(chunk.len()), Vec::new());
        for PageEntry { listed, document } in chunk {
            let row = document.and_then(|document| {
                Row::of_document(document, listed.id.as_str(), listed.revision.as_str()).ok()
            });
            match row.filter(|row| reaches(row, &listed)) {
                Some(row) => rows.push(row),
                None => left.push(listed),
            }
        }
        bodies.note_size(&rows);
        if !left.is_empty() {
            rows.extend(bodies.of(left).await?);
        }
        Ok((rows, position))
    }
}
