//! Completing rows that came without their documents.

use std::collections::HashMap;
use std::time::Duration;

use pillowtop_core::DocumentId;

use super::database::CouchDatabase;
use super::error::CouchError;
use crate::backoff::Backoff;
use crate::row::{Row, Unreadable};
use crate::source::{FeedEvent, Sender};

/// How often a document is fetched before it counts as unreadable, over some seconds: a copy that
/// lags behind may lack it at first.
const ATTEMPTS: usize = 5;

/// Fetches the documents of rows that came without them. A row whose document cannot be read for
/// good stays [unreadable](Row::unreadable). A server that does not respond is not such a reason:
/// it is retried for as long as it takes.
pub(super) async fn complete(database: &CouchDatabase, sender: &mut Sender) -> Result<(), CouchError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(4));
    let mut outage = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let mut attempts = 0;
    while attempts < ATTEMPTS {
        let ids: Vec<DocumentId> =
            sender.rows().iter().filter(|row| row.unreadable.is_some()).map(|row| row.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        if attempts > 0 {
            tokio::time::sleep(backoff.failed()).await;
        }
        match database.documents(&ids).await {
            Ok(found) => {
                fill_in(sender.rows(), found);
                attempts += 1;
            }
            Err(error) if error.is_retryable() => {
                sender.tell(FeedEvent::Waiting(error.to_string())).await;
                tokio::time::sleep(outage.failed()).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn fill_in(rows: &mut [Row], found: Vec<Row>) {
    let mut found: HashMap<DocumentId, Row> = found.into_iter().map(|row| (row.id.clone(), row)).collect();
    for row in rows.iter_mut().filter(|row| row.unreadable.is_some()) {
        let Some(fetched) = found.remove(&row.id) else { continue };
        if fetched.is_missing() {
            // The feed reports that it exists, so this is not a deletion.
            let reason = "the feed reports the document, but it is not found by its id";
            row.unreadable = Some(Box::new(Unreadable::new("missing", reason)));
        } else if fetched.unreadable.is_some() {
            row.unreadable = fetched.unreadable;
        } else {
            *row = fetched.in_place_of(row);
        }
    }
}
