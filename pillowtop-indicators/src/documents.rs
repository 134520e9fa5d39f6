//! Documents as what is looked up for other documents.

use std::time::Duration;

use pillowtop_core::{DocumentId, Fetched, Lookup, LookupError, LookupOptions};
use pillowtop_runtime::source::{CouchDatabase, Source as _};
use serde_json::Value;

/// The documents of a database by their ids, read in batches. Nothing is cached, so that what is
/// computed again because a document changed is computed from the changed document.
#[derive(Debug, Clone)]
pub struct Documents(pub CouchDatabase);

impl Lookup for Documents {
    type Key = String;
    type Value = Value;
    const OPTIONS: LookupOptions = LookupOptions {
        cache_ttl: Duration::ZERO,
        timeout: Duration::from_mins(1),
        ..LookupOptions::DEFAULT
    };

    async fn fetch(&self, ids: Vec<String>) -> Result<Fetched<String, Value>, LookupError> {
        let ids: Vec<DocumentId> = ids.into_iter().map(DocumentId::from).collect();
        let mut fetched = Fetched::new();
        for row in self.0.fetch(&ids).await? {
            let id = row.id.to_string();
            if let Some(unreadable) = &row.unreadable {
                fetched.fail(id, &unreadable.reason);
            } else if let Some(document) = row.document().filter(|_| !row.deleted) {
                fetched.insert(id, serde_json::from_str(document)?);
            }
        }
        Ok(fetched)
    }
}
