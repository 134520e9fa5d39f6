//! Indexing every document of an index again after its mapping was extended: which ids there are,
//! and how far that is.

use pillowtop_core::{DatabaseName, DocumentId, IndexName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::control::ControlIndex;
use super::error::ClusterError;
use super::search::hits;
use crate::claim::{ClaimStore as _, overwrite};

/// How many ids are read at once.
const PAGE: usize = 2000;

/// How far a backfill is. It is stored beside the claims of the index until it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The content hash that the index is extended to.
    pub hash: String,
    /// Id and database of the last document that is done, as the index sorts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// How many documents are done.
    pub done: u64,
    /// How many there were when it began.
    pub total: u64,
}

/// A document of an index, as its database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedId {
    /// The database.
    pub database: DatabaseName,
    /// The `_id` in it.
    pub id: DocumentId,
}

impl Backfill {
    /// How much is done, in percent.
    pub fn percent(&self) -> u64 {
        self.done.saturating_mul(100).checked_div(self.total).unwrap_or(100).min(100)
    }
}

fn key(uuid: &str) -> String {
    format!("backfill:{uuid}")
}

impl Cluster {
    /// How far the backfill of an index is, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn backfill(&self, uuid: &str) -> Result<Option<Backfill>, ClusterError> {
        let stored = ControlIndex::new(self).read(&key(uuid)).await?;
        Ok(stored.and_then(|stored| serde_json::from_value(stored.value).ok()))
    }

    /// Stores how far it is; `None` when it is done.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub async fn store_backfill(&self, uuid: &str, backfill: Option<&Backfill>) -> Result<(), ClusterError> {
        // Another process may work on the same backfill.
        let value = backfill.map(|backfill| json!(backfill));
        Ok(overwrite(&ControlIndex::new(self), &key(uuid), |_| value.clone()).await?)
    }

    /// Some documents of an index in order of their ids, those after `after`, and where they end.
    ///
    /// # Errors
    ///
    /// When the index cannot be searched whole.
    pub async fn indexed_ids(
        &self,
        index: &IndexName,
        after: Option<&Value>,
    ) -> Result<(Vec<IndexedId>, Option<Value>), ClusterError> {
        let doing = format!("listing the documents of index `{index}`");
        let mut body = json!({
            "size": PAGE, "_source": false, "docvalue_fields": ["pillowtop.id", "pillowtop.db"],
            "sort": [{"pillowtop.id": "asc"}, {"pillowtop.db": "asc"}],
        });
        if let Some(after) = after {
            body["search_after"] = after.clone();
        }
        let response = self.whole_search(index.as_str(), &body, &doing).await?.unwrap_or_default();
        let found = hits(&response);
        let field =
            |hit: &Value, name: &str| Some(hit.get("fields")?.get(name)?.get(0)?.as_str()?.to_owned());
        let ids = found.iter().map(|hit| {
            let (id, database) = (field(hit, "pillowtop.id"), field(hit, "pillowtop.db"));
            id.zip(database).ok_or_else(|| ClusterError::Malformed {
                doing: doing.clone(),
                reason: "a document has no `pillowtop.id` and `pillowtop.db`".to_owned(),
            })
        });
        let ids = ids
            .map(|found| found.map(|(id, database)| IndexedId { database: database.into(), id: id.into() }));
        let last = found.last().and_then(|hit| hit.get("sort")).cloned();
        Ok((ids.collect::<Result<_, ClusterError>>()?, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backfill_is_never_done_by_more_than_all() {
        let percent = |done, total| Backfill { done, total, ..Backfill::default() }.percent();
        assert_eq!((percent(0, 10), percent(43, 100), percent(12, 10), percent(0, 0)), (0, 43, 100, 100));
    }
}
