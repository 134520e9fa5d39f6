//! CouchDB over HTTP as a source.

mod error;

mod server;

mod database;

mod documents;
mod page;
mod writes;

mod listing;
mod purges;

mod bodies;
mod changed;
mod design;

mod load;

mod changes;
mod lines;
mod live;
mod repair;

mod feed;

#[cfg(test)]
mod feed_tests;
#[cfg(test)]
mod load_tests;
#[cfg(test)]
pub(crate) mod scripted;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use pillowtop_core::{DocumentId, Sequence};

use super::{Feed, FeedRequest, ListedPage, Purges, Source, SourceError};
use crate::claim::DatabaseIdentity;
use crate::retry::{RetryPolicy, retry};
use crate::row::Row;

pub use database::{CouchDatabase, DatabaseInfo};
pub use error::CouchError;
pub use load::{CouchListing, CouchLoad};
pub use page::ViewName;
pub use purges::PurgedIds;
pub use server::CouchServer;
pub use writes::{Head, Written};

impl CouchDatabase {
    /// Reads the database's information, and retries for a while.
    async fn known_info(&self) -> Result<DatabaseInfo, CouchError> {
        retry(RetryPolicy::default(), CouchError::is_retryable, || self.info()).await
    }
}

impl Source for CouchDatabase {
    fn describe(&self) -> String {
        format!("database `{}` at {}", self.name(), self.address())
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        Box::pin(async { Ok(self.known_info().await?.identity) })
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let database = self.clone();
        Feed::spawn(|sender| feed::read(database, request, sender))
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        Box::pin(async { Ok(self.documents(ids).await?) })
    }

    fn list(&self) -> BoxStream<'_, Result<ListedPage, SourceError>> {
        self.listing().map_err(SourceError::from).boxed()
    }

    fn purges<'a>(
        &'a self,
        since: Option<&'a Sequence>,
    ) -> BoxFuture<'a, Result<Option<Purges>, SourceError>> {
        Box::pin(async move {
            let Some(since) = since else {
                let position = self.purge_sequence().await?;
                return Ok(Some(Purges { ids: Vec::new(), position, is_complete: true }));
            };
            let purged = self.purged(since).await?;
            if purged.sequence == *since {
                return Ok(None);
            }
            let PurgedIds { ids, sequence: position, is_complete } = purged;
            Ok(Some(Purges { ids, position, is_complete }))
        })
    }

    fn has_one_copy(&self) -> BoxFuture<'_, Result<bool, SourceError>> {
        Box::pin(async { Ok(self.known_info().await?.copies <= 1) })
    }
}
