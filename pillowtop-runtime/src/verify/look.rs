//! Looking at documents on both sides: what they are in the database, what the pillow makes of
//! them, and what the target has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use pillowtop_core::{DatabaseName, DocumentId, Revision, Sequence};

use super::{VerifyError, VerifyOptions};
use crate::caught_up::{MOST_BEHIND, read_changes};
use crate::claim::{ClaimDocument, ClaimKey, ClaimStore, DatabaseIdentity, Phase, read};
use crate::engine::DatabaseSelection;
use crate::member::{Deciders, Decision};
use crate::row::Row;
use crate::source::Source;
use crate::target::{StoredDocument, TargetReader, TargetRef};

/// Documents that are fetched together: their bodies are in memory.
const CHUNK: usize = 250;
/// Chunks that are fetched at the same time.
const AT_ONCE: usize = 4;
/// How long filter and transform may take for a chunk, with everything that they look up.
const HUNG: Duration = Duration::from_mins(5);

/// What is compared.
pub(super) struct Sides<'a> {
    pub(super) reader: Arc<dyn TargetReader>,
    pub(super) source: Arc<dyn Source>,
    pub(super) deciders: Deciders,
    pub(super) store: Arc<dyn ClaimStore>,
    pub(super) key: ClaimKey,
    pub(super) target: TargetRef,
    pub(super) identity: DatabaseIdentity,
    pub(super) databases: &'a DatabaseSelection,
    pub(super) options: &'a VerifyOptions,
    pub(super) has_one_copy: bool,
}

/// A document of the database at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) revision: Revision,
    pub(super) deleted: bool,
}

/// What the target should have of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// This `_source`.
    Document(Bytes),
    /// It cannot be indexed.
    DeadLetter,
    /// Nothing: the reason.
    Nothing(&'static str),
}

/// A document of the database, decided.
pub(super) struct DecidedDocument {
    pub(super) id: DocumentId,
    pub(super) seen: Seen,
    pub(super) expected: Expected,
}

/// A document on both sides.
pub(super) struct Look {
    pub(super) decided: DecidedDocument,
    pub(super) found: Option<StoredDocument>,
}

impl DecidedDocument {
    fn new(row: &Row, decision: Decision) -> Self {
        let expected = match decision {
            Decision::Index { source, .. } => Expected::Document(source),
            Decision::DeadLetter(_) => Expected::DeadLetter,
            _ if row.is_missing() => Expected::Nothing("not found in the database"),
            Decision::Delete => Expected::Nothing("deleted"),
            Decision::Filtered => Expected::Nothing("filtered out"),
            Decision::Remove | Decision::Ignore => Expected::Nothing("not a document of the pillow"),
        };
        let seen = Seen { revision: row.revision.clone(), deleted: row.deleted };
        Self { id: row.id.clone(), seen, expected }
    }
}

impl Look {
    /// The database of the document that the target has, if that is another one.
    pub(super) fn found_in<'l>(&'l self, sides: &Sides<'_>) -> Option<&'l DatabaseName> {
        let is_shared = matches!(sides.databases, DatabaseSelection::Several { .. });
        let found = self.found.as_ref().filter(|_| is_shared)?.database.as_ref()?;
        Some(found).filter(|found| **found != sides.identity.name)
    }
}

impl Sides<'_> {
    /// The claim, which must be that of a complete target from this database.
    pub(super) async fn claim(&self) -> Result<ClaimDocument, VerifyError> {
        let target = || self.target.name.clone();
        let claim = read(self.store.as_ref(), &self.key).await?;
        let claim = claim.ok_or_else(|| VerifyError::NeverLoaded { target: target() })?;
        if claim.state.phase != Phase::Following {
            return Err(VerifyError::Incomplete { target: target(), phase: claim.state.phase });
        }
        if !claim.state.database.matches(&self.identity) {
            let (expected, found) = (claim.state.database, self.identity.clone());
            return Err(VerifyError::OtherDatabase { expected, found });
        }
        Ok(claim)
    }

    /// Fails if the database or the target is not the one that was opened.
    pub(super) async fn check_same(&self) -> Result<(), VerifyError> {
        let found = self.source.identity().await?;
        if !found.matches(&self.identity) {
            return Err(VerifyError::OtherDatabase { expected: self.identity.clone(), found });
        }
        if self.reader.is_same().await.map_err(VerifyError::Target)? {
            return Ok(());
        }
        Err(VerifyError::TargetReplaced { target: self.target.name.clone() })
    }

    /// Which of some documents were changed after a position.
    pub(super) async fn changed_since(
        &self,
        since: Sequence,
        identity: DatabaseIdentity,
        among: &HashSet<DocumentId>,
    ) -> Result<HashSet<DocumentId>, VerifyError> {
        let mut changed = HashSet::new();
        let take = |row: Row| changed.extend(Some(row.id).filter(|id| among.contains(id)));
        if !read_changes(self.source.as_ref(), since, identity, take).await? {
            return Err(VerifyError::Behind { target: self.target.name.clone(), most: MOST_BEHIND });
        }
        Ok(changed)
    }

    /// Fetches and decides documents, chunk by chunk.
    pub(super) fn decide<'s>(
        &'s self,
        ids: &'s [DocumentId],
    ) -> BoxStream<'s, Result<Vec<DecidedDocument>, VerifyError>> {
        stream::iter(ids.chunks(CHUNK)).map(|chunk| self.decide_chunk(chunk)).buffered(AT_ONCE).boxed()
    }

    /// Looks at documents on both sides, chunk by chunk: first in the target, then in the database.
    pub(super) fn look<'s>(&'s self, ids: &'s [DocumentId]) -> BoxStream<'s, Result<Vec<Look>, VerifyError>> {
        stream::iter(ids.chunks(CHUNK)).map(|chunk| self.look_chunk(chunk)).buffered(AT_ONCE).boxed()
    }

    async fn look_chunk(&self, ids: &[DocumentId]) -> Result<Vec<Look>, VerifyError> {
        let in_target: Vec<DocumentId> = ids.iter().map(|id| self.deciders.decider.id_of(id)).collect();
        let found = self.reader.read(&in_target).await.map_err(VerifyError::Target)?;
        let mut found: HashMap<&DocumentId, Option<StoredDocument>> = ids.iter().zip(found).collect();
        let decided = self.decide_chunk(ids).await?;
        Ok(decided
            .into_iter()
            .map(|decided| Look { found: found.remove(&decided.id).flatten(), decided })
            .collect())
    }

    async fn decide_chunk(&self, ids: &[DocumentId]) -> Result<Vec<DecidedDocument>, VerifyError> {
        let rows: Arc<[Row]> = self.source.fetch(ids).await?.into();
        let deciding = self.deciders.decide_rows(Arc::clone(&rows));
        let decided = tokio::time::timeout(HUNG, deciding).await.map_err(|_| VerifyError::Hung(HUNG))?;
        // One row for each id, and one decision for each row.
        Ok(rows
            .iter()
            .zip(decided)
            .map(|(row, decided)| DecidedDocument::new(row, decided.decision))
            .collect())
    }
}
