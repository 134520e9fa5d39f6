//! The database that is followed: indicators are written into the documents that they are computed
//! from.
//!
//! A document is written over the very revision that its values were computed from, and over no
//! other. Where it has a newer one, nothing is written: that revision is a change of the feed, for
//! which the values are computed again. So an edit is never lost, and no owner of the claim can
//! write anything stale. A document that was written comes back on the feed, and has then nothing
//! left to be written.

use std::cmp::Ordering;
use std::collections::HashMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, PillowName};
use pillowtop_runtime::clock::now_text;
use pillowtop_runtime::operation::Operation;
use pillowtop_runtime::source::{CouchDatabase, Head, Written};
use pillowtop_runtime::target::{Outcome, Target, WriteError};

use super::{CHUNK, evaluated, failed, refused, rejected};
use crate::computed::merge;

/// The documents of the followed database.
#[derive(Debug)]
pub(crate) struct WatchedTarget {
    pub(crate) database: CouchDatabase,
    pub(crate) pillow: PillowName,
}

/// A document to write.
struct Update {
    /// The index of its operation.
    position: usize,
    id: DocumentId,
    /// The revision that its values were computed from.
    revision: String,
    text: String,
}

/// How the latest revision of a document is to the one that values were computed from.
#[derive(Debug, PartialEq, Eq)]
enum Latest {
    /// It is that one, or an older one: the copy that responded is behind.
    SameOrOlder,
    /// It is newer, or wins over that one. It is a change of the feed.
    Newer,
}

impl WatchedTarget {
    async fn update(&self, updates: Vec<Update>, outcomes: &mut [Outcome]) -> Result<(), WriteError> {
        let heads = self.heads(&updates).await?;
        let is_current = |update: &Update| latest(&heads, update) == Latest::SameOrOlder;
        let current: Vec<Update> = updates.into_iter().filter(is_current).collect();
        if current.is_empty() {
            return Ok(());
        }
        let texts: Vec<&str> = current.iter().map(|update| update.text.as_str()).collect();
        let written = self.database.write_json(&texts).await.map_err(failed)?;
        let mut conflicts = Vec::new();
        for (update, written) in current.into_iter().zip(written) {
            match written {
                Written::Done(_) => {}
                Written::Conflict => conflicts.push(update),
                Written::Refused { error, reason } => outcomes[update.position] = refused(error, reason),
            }
        }
        if conflicts.is_empty() {
            return Ok(());
        }
        let heads = self.heads(&conflicts).await?;
        for update in conflicts {
            // One that does not exist any more was purged.
            if heads.contains_key(update.id.as_str()) && latest(&heads, &update) == Latest::SameOrOlder {
                let reason = "a copy of the document does not have its latest revision".to_owned();
                outcomes[update.position] = Outcome::Busy { reason };
            }
        }
        Ok(())
    }

    async fn heads(&self, updates: &[Update]) -> Result<HashMap<String, Head>, WriteError> {
        let ids: Vec<DocumentId> = updates.iter().map(|update| update.id.clone()).collect();
        self.database.heads(&ids, false).await.map_err(failed)
    }
}

fn latest(heads: &HashMap<String, Head>, update: &Update) -> Latest {
    match heads.get(update.id.as_str()) {
        Some(head) if is_newer(head, &update.revision) => Latest::Newer,
        _ => Latest::SameOrOlder,
    }
}

/// Whether the revision that a copy takes for the winner wins over another one, or comes after it:
/// the longer history does, then the higher hash. A deletion wins only over its own ancestors.
fn is_newer(head: &Head, revision: &str) -> bool {
    match generation(head.revision.as_str()).cmp(&generation(revision)) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => !head.is_deleted && head.revision.as_str() > revision,
    }
}

fn generation(revision: &str) -> u64 {
    revision.split_once('-').and_then(|(generation, _)| generation.parse().ok()).unwrap_or(0)
}

impl Target for WatchedTarget {
    fn describe(&self) -> String {
        format!(
            "indicators of `{}` in the documents of database `{}` at {}",
            self.pillow,
            self.database.name(),
            self.database.address()
        )
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        async move {
            let (mut outcomes, mut updates, now) = (Vec::new(), Vec::new(), now_text());
            for (position, operation) in operations.iter().enumerate() {
                outcomes.push(Outcome::Done);
                let evaluated = match evaluated(operation) {
                    Ok(Some(evaluated)) => evaluated,
                    // What is in a document that has no indicators any more stays there.
                    Ok(None) => {
                        outcomes[position] = Outcome::Absent;
                        continue;
                    }
                    Err(outcome) => {
                        outcomes[position] = outcome;
                        continue;
                    }
                };
                let document = evaluated.document.get();
                match merge(document, document, &evaluated.computed, &now) {
                    Ok(None) => {}
                    Ok(Some(text)) => updates.push(Update {
                        position,
                        id: operation.id.clone(),
                        revision: evaluated.pillowtop.rev,
                        text,
                    }),
                    Err(error) => outcomes[position] = rejected(&error),
                }
            }
            while !updates.is_empty() {
                let rest = updates.split_off(updates.len().min(CHUNK));
                self.update(std::mem::replace(&mut updates, rest), &mut outcomes).await?;
            }
            Ok(outcomes)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_revision_is_distinguished_from_a_copy_that_is_behind() {
        let head =
            |revision: &str, is_deleted| Head { revision: revision.into(), is_deleted, document: None };
        for (revision, is_deleted, expected) in [
            ("3-b", false, false),
            ("4-a", false, true),
            ("10-a", false, true),
            ("2-z", false, false),
            ("3-c", false, true),
            ("3-a", false, false),
            ("4-a", true, true),
            ("3-c", true, false),
        ] {
            assert_eq!(is_newer(&head(revision, is_deleted), "3-b"), expected, "{revision}");
        }
    }
}
