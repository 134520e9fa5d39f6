//! Listing both sides at the same time.

use std::io;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::look::Sides;
use super::spill::{Entry, Side, Spill};
use super::{VerifyError, VerifyEvent};
use crate::engine::DatabaseSelection;
use crate::source::{ListedPage, Source};
use crate::target::{Extent, IndexedId, TargetReader};

/// Pages that wait.
const PAGES: usize = 4;

enum Page {
    Database(ListedPage),
    Index(Vec<IndexedId>),
}

/// Both listings.
pub(super) struct Listed {
    spill: Spill,
    /// Entries of both.
    pub(super) entries: u64,
}

impl Listed {
    pub(super) fn partitions(&self) -> usize {
        self.spill.partitions()
    }

    pub(super) fn take(&mut self, partition: usize) -> io::Result<Vec<u8>> {
        self.spill.take(partition)
    }

    fn add(&mut self, page: Page) -> io::Result<()> {
        match page {
            Page::Database(page) => {
                for document in page.documents {
                    // No pillow indexes design documents.
                    if document.id.as_str().starts_with("_design/") {
                        continue;
                    }
                    let (id, revision) = (document.id.as_str(), document.revision.as_str());
                    self.spill.add(Entry {
                        side: Side::Database,
                        id,
                        revision,
                        deleted: document.deleted,
                    })?;
                    self.entries += 1;
                }
            }
            Page::Index(documents) => {
                for document in documents {
                    let (id, revision) = (document.id.as_str(), document.revision.as_str());
                    self.spill.add(Entry { side: Side::Index, id, revision, deleted: false })?;
                    self.entries += 1;
                }
            }
        }
        Ok(())
    }
}

/// Lists both sides. `indexed` is how many documents the target has.
pub(super) async fn list(
    sides: &Sides<'_>,
    indexed: u64,
    notify: &(dyn Fn(VerifyEvent) + Sync),
) -> Result<Listed, VerifyError> {
    let (sender, mut pages) = mpsc::channel(PAGES);
    let extent = match sides.databases {
        DatabaseSelection::One(_) => Extent::Whole,
        DatabaseSelection::Several { .. } => Extent::Database(sides.identity.name.clone()),
    };
    let database = list_database(Arc::clone(&sides.source), sender.clone());
    let index = list_index(Arc::clone(&sides.reader), extent, sender);
    // Tasks of their own: each reads its pages while those of the other are kept.
    let database = AbortOnDropHandle::new(tokio::spawn(database));
    let index = AbortOnDropHandle::new(tokio::spawn(index));
    let mut listed = Listed { spill: Spill::new(sides.options.memory), entries: 0 };
    let mut documents = 0;
    while let Some(page) = pages.recv().await {
        if let Page::Database(ListedPage { total: Some(reported), .. }) = &page {
            documents = documents.max(*reported);
        }
        listed = tokio::task::spawn_blocking(move || listed.add(page).map(|()| listed)).await??;
        let total = (documents + indexed).max(listed.entries);
        notify(VerifyEvent::Listing { done: listed.entries, total });
    }
    // The channel is closed when both have ended, whatever the way.
    database.await??;
    index.await??;
    Ok(listed)
}

async fn list_database(source: Arc<dyn Source>, pages: mpsc::Sender<Page>) -> Result<(), VerifyError> {
    let mut listing = source.list();
    while let Some(page) = listing.try_next().await? {
        if pages.send(Page::Database(page)).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn list_index(
    reader: Arc<dyn TargetReader>,
    extent: Extent,
    pages: mpsc::Sender<Page>,
) -> Result<(), VerifyError> {
    let mut listing = reader.list(extent);
    while let Some(page) = listing.try_next().await.map_err(VerifyError::Target)? {
        if pages.send(Page::Index(page)).await.is_err() {
            break;
        }
    }
    Ok(())
}
