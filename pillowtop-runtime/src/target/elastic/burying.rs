//! The dead letters of an index whose lease is held: which are open is known, so that indexing costs nothing while there are none.

use pillowtop_core::DocumentId;

use super::bookkeeping::Bookkeeping;
use super::dead_letters;
use super::error::ClusterError;
use super::owned::{OwnedIndex, lock};
use crate::dead_letter::DeadLetter;
use crate::operation::{Operation, Version};
use crate::sink::{ItemOutcome, SinkError};

impl OwnedIndex {
    /// Removes the dead letters of documents that are indexed now. One that cannot be removed now is removed with the next change.
    pub(super) async fn settle_letters(&self, operations: &[Operation], outcomes: &[ItemOutcome]) {
        let settled: Vec<(DocumentId, Version)> = {
            let letters = lock(&self.letters);
            if letters.is_empty() {
                return;
            }
            let done = operations.iter().zip(outcomes).filter(|(_, outcome)| **outcome == ItemOutcome::Done);
            // An equal one is the write that was rejected: sent again, it went well.
            done.map(|(operation, _)| operation)
                .filter(|written| letters.get(&written.id).is_some_and(|letter| *letter <= written.version))
                .map(|written| (written.id.clone(), written.version))
                .collect()
        };
        if settled.is_empty() {
            return;
        }
        match dead_letters::settle(&self.cluster, &self.uuid, &settled).await {
            Ok(()) => {
                let mut letters = lock(&self.letters);
                for (id, version) in &settled {
                    if letters.get(id).is_some_and(|letter| letter <= version) {
                        letters.remove(id);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(index = %self.index, %error, "dead letters of indexed documents stay for now");
            }
        }
    }

    pub(super) async fn bury_letters(&self, letters: Vec<DeadLetter>) -> Result<(), SinkError> {
        if letters.is_empty() {
            return Ok(());
        }
        let what = "dead letters";
        let mut stored = dead_letters::store(&self.cluster, &self.uuid, &letters).await;
        if matches!(&stored, Err(ClusterError::Refused { status: 400 | 404, .. })) {
            // The index was deleted under us.
            let ensured = Bookkeeping::DeadLetters.ensure(&self.cluster).await;
            ensured.map_err(|error| self.unavailable(what, &error))?;
            stored = dead_letters::store(&self.cluster, &self.uuid, &letters).await;
        }
        match stored {
            Ok(()) => {}
            Err(ClusterError::Refused { status: 413, reason, .. }) => {
                return Err(SinkError::TooLarge { index: self.index.to_string(), what, reason });
            }
            Err(error) => return Err(self.unavailable(what, &error)),
        }
        let mut open = lock(&self.letters);
        for DeadLetter { id, version, .. } in letters {
            let newest = open.entry(id).or_insert(version);
            *newest = version.max(*newest);
        }
        Ok(())
    }
}
