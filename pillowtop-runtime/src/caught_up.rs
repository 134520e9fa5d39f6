//! Whether everything that a database had at some moment is in a target: one-shot readings of its
//! feed, from the position that the owner of the claim has stored.
//!
//! Rows that the first reading brings were written before it ended. One of them is acknowledged once
//! a reading from a later stored position does not bring its document any more. Changes of other
//! documents that are made meanwhile do not count, so it ends under any number of writes. A
//! document that is changed all the time would be waited for without end: after a while, another
//! revision of it than the first one is enough.
//!
//! Where a database keeps several copies of a shard, a reading may lack what a copy that lags does
//! not have yet.

use std::collections::HashMap;
use std::time::Duration;

use pillowtop_core::{DocumentId, Revision, Sequence};
use tokio::time::Instant;

use crate::claim::{ClaimKey, ClaimStore, DatabaseIdentity, StoreError, read};
use crate::row::Row;
use crate::source::{FeedEvent, FeedMode, FeedRequest, Source, SourceError};

/// How long a change is waited for: an owner stores its position once a minute while nothing of its
/// database is its own.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Changes that an owner may be behind: they are read several times.
pub const MOST_BEHIND: u64 = 100_000;
/// How long a feed may be silent.
const SILENT: Duration = Duration::from_mins(2);
/// How long a document is waited for that is changed all the time: longer than two saves of an owner
/// take.
const RESTLESS: Duration = Duration::from_secs(15);
/// The pause between two readings.
const PAUSE: Duration = Duration::from_secs(1);

/// Why it is not known how far a target is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaughtUpError {
    /// The database cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The claim cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the changes after a position, to the end of what there is now. `false` when there are more
/// than [`MOST_BEHIND`].
pub(crate) async fn read_changes(
    source: &dyn Source,
    since: Sequence,
    identity: DatabaseIdentity,
    mut take: impl FnMut(Row),
) -> Result<bool, SourceError> {
    let mut feed = source.open(FeedRequest { since, identity, mode: FeedMode::OneShot, selector: None });
    let mut rows = 0;
    loop {
        let event = tokio::time::timeout(SILENT, feed.next()).await.map_err(|_| SourceError::Other {
            reason: format!("{} does not respond", source.describe()),
            is_retryable: true,
        })?;
        match event.transpose()? {
            None => return Ok(true),
            Some(FeedEvent::Rows(found)) => {
                rows += found.len() as u64;
                found.into_iter().for_each(&mut take);
            }
            Some(FeedEvent::Position { .. } | FeedEvent::Waiting(_)) => {}
        }
        if rows > MOST_BEHIND {
            return Ok(false);
        }
    }
}

/// How many of the changes that a database has now are not acknowledged, after they were waited for
/// so long; 0 once all are. A claim that nobody holds is not waited for.
///
/// # Errors
///
/// When the database or the claim cannot be read.
pub async fn pending_changes(
    source: &dyn Source,
    store: &dyn ClaimStore,
    key: &ClaimKey,
    patience: Duration,
) -> Result<u64, CaughtUpError> {
    let began = Instant::now();
    let mut pending: Option<HashMap<DocumentId, Revision>> = None;
    loop {
        let claim = read(store, key).await?;
        // Without a claim, nothing is acknowledged.
        let (since, identity) = match &claim {
            Some(claim) => (claim.state.position(), claim.state.database.clone()),
            None => (Sequence::start(), source.identity().await?),
        };
        let is_restless = began.elapsed() >= RESTLESS;
        let mut found = HashMap::new();
        let take = |row: Row| {
            let first = pending.as_ref().map(|pending| pending.get(&row.id));
            match first {
                None => drop(found.insert(row.id, row.revision)),
                Some(Some(revision)) if !is_restless || *revision == row.revision => {
                    found.insert(row.id, revision.clone());
                }
                Some(_) => {}
            }
        };
        if !read_changes(source, since, identity, take).await? {
            return Ok(pending.map_or(MOST_BEHIND, |pending| pending.len() as u64));
        }
        let count = found.len() as u64;
        let is_followed = claim.is_some_and(|claim| claim.live_owner().is_some());
        if count == 0 || !is_followed || began.elapsed() >= patience {
            return Ok(count);
        }
        pending = Some(found);
        tokio::time::sleep(PAUSE).await;
    }
}
