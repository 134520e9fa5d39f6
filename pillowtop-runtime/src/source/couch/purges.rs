//! Purged documents. A purge raises the update sequence and is not a change of the feed, so an
//! index keeps the document.

use pillowtop_core::{DocumentId, Sequence};
use serde::Deserialize;

use super::database::CouchDatabase;
use super::error::CouchError;

/// The ids of documents that were purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgedIds {
    /// The ids, without duplicates. A purged document may still exist: only some of its revisions
    /// were purged, or it was written again. Fetch each by its id.
    pub ids: Vec<DocumentId>,
    /// The position to continue from.
    pub sequence: Sequence,
    /// Whether no purge since the earlier position can be missing. CouchDB keeps the last purges
    /// only (1000 of a shard by default).
    pub is_complete: bool,
}

#[derive(Deserialize)]
struct History {
    purged_infos: Vec<Purge>,
}

#[derive(Deserialize)]
struct Purge {
    id: String,
}

impl CouchDatabase {
    /// The position after the last purge.
    ///
    /// # Errors
    ///
    /// When the database does not exist, or the server does not respond.
    pub async fn purge_sequence(&self) -> Result<Sequence, CouchError> {
        Ok(self.known_info().await?.purge_sequence)
    }

    /// The documents that were purged after a position. CouchDB lists its whole history of purges,
    /// so some of them may have been purged before.
    ///
    /// # Errors
    ///
    /// When the database does not exist, the user may not read its purges, or the server does not
    /// respond.
    pub async fn purged(&self, since: &Sequence) -> Result<PurgedIds, CouchError> {
        // Read before the history, which then contains at least everything up to it.
        let sequence = self.purge_sequence().await?;
        if sequence == *since || purges_in(&sequence) == Some(0) {
            return Ok(PurgedIds { ids: Vec::new(), sequence, is_complete: true });
        }
        let name = self.name().as_str();
        let what = "the history of purges";
        let history: History = match self.server().get(&[name, "_purged_infos"], None, what).await {
            Ok(history) => history,
            // CouchDB has it since 3.4.
            Err(CouchError::Refused { status: 400 | 404 | 405, .. }) => {
                return Ok(PurgedIds { ids: Vec::new(), sequence, is_complete: false });
            }
            Err(error) => return Err(error),
        };
        let limit = match self.server().get(&[name, "_purged_infos_limit"], None, what).await {
            Ok(limit) => limit,
            Err(CouchError::Refused { .. } | CouchError::Forbidden { .. }) => 0,
            Err(error) => return Err(error),
        };
        let is_complete = purges_between(since, &sequence).is_some_and(|purges| purges <= limit);
        let mut ids: Vec<DocumentId> =
            history.purged_infos.into_iter().map(|purge| purge.id.into()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(PurgedIds { ids, sequence, is_complete })
    }
}

/// How many purges there were between two positions. It serves only to prove that a history is long
/// enough: each shard keeps at least its last ones, up to the limit.
fn purges_between(since: &Sequence, until: &Sequence) -> Option<u64> {
    purges_in(until)?.checked_sub(purges_in(since)?)
}

/// The number of all purges, which CouchDB writes before an opaque purge sequence.
fn purges_in(sequence: &Sequence) -> Option<u64> {
    sequence.as_str().split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Script, Scripted};
    use super::*;

    async fn purged(sequence: &str, limit: &str, since: &str) -> PurgedIds {
        let info = format!(r#"{{"instance_start_time":"1","update_seq":"s","purge_seq":"{sequence}"}}"#);
        let history = r#"{"purged_infos":[{"id":"b","revs":["1-a"]},{"id":"a","revs":["1-a"]},{"id":"b","revs":["2-a"]}]}"#;
        let info = vec![Script::text(info), Script::text(history), Script::text(limit)];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        server.database().purged(&since.into()).await.unwrap()
    }

    #[tokio::test]
    async fn purged_documents_are_listed_once() {
        let purged = purged("3-g1AAA", "1000", "0").await;
        assert_eq!(purged.ids, ["a".into(), "b".into()]);
        assert_eq!((purged.sequence.as_str(), purged.is_complete), ("3-g1AAA", true));
    }

    #[tokio::test]
    async fn without_a_new_purge_nothing_is_listed() {
        for (sequence, since) in [("3-g1AAA", "3-g1AAA"), ("0-g1AAA", "0")] {
            let purged = purged(sequence, "1000", since).await;
            assert_eq!((purged.ids.len(), purged.is_complete), (0, true));
        }
    }

    #[tokio::test]
    async fn a_history_of_purges_that_may_be_too_short_is_reported() {
        assert!(purged("3-g1AAA", "3", "0").await.is_complete);
        assert!(!purged("4-g1AAA", "3", "0").await.is_complete);
        assert!(purged("4-g1AAA", "3", "1-g1AAA").await.is_complete);
        assert!(!purged("opaque", "3", "0").await.is_complete);
    }

    #[tokio::test]
    async fn a_server_without_a_history_of_purges_reports_none_as_incomplete() {
        let info = r#"{"instance_start_time":"1","update_seq":"s","purge_seq":"4-g1AAA"}"#;
        let info =
            vec![Script::text(info), Script::Status(404, r#"{"error":"not_found","reason":"missing"}"#)];
        let server = Scripted { info, ..Scripted::default() }.start().await;
        let purged = server.database().purged(&"0".into()).await.unwrap();
        assert_eq!((purged.ids.len(), purged.is_complete), (0, false));
    }
}
