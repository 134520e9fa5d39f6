//! What a row means to a pillow: type filter, decode, filter, transform. A pure function of the
//! row, so any number of cores can decide the rows of a batch at once. What a transform looks up is
//! not part of it: it is found before, for all rows of a chunk.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use pillowtop_core::lookup::{LookupKey, LookupValue};
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::{AnyPillow, ChangeMeta, DatabaseName, DocumentId, IndexName, ProcessError, Verdict};

use super::lookups::{LookupOutcome, LookupOutcomes};
use crate::clock::now_text;
use crate::dead_letter::{DeadLetter, Stage};
use crate::index_id::{index_id, index_routing};
use crate::operation::Version;
use crate::panic_message::panic_message;
use crate::row::Row;

/// The longest document that a dead letter keeps, in bytes.
pub(super) const KEPT_DOCUMENT: usize = 64 * 1024;
/// The longest reason that it keeps: one that quotes a value may be as long as the document.
pub(super) const KEPT_REASON: usize = 4 * 1024;

/// What a `_source` has beside its document, in bytes: its id, revision and database once more,
/// with their names, and members that the document lacks.
const OVERHEAD: usize = 512;

/// What a row means to a pillow.
#[derive(Debug)]
pub enum Decision {
    /// Nothing: a design document, or a document of another type that cannot have been one of
    /// these.
    Ignore,
    /// A document of another type: whatever the target holds under its id is deleted.
    Remove,
    /// A document that the filter or the transform keeps out: deleted too.
    Filtered,
    /// A deletion.
    Delete,
    /// A document to index.
    Index {
        /// Its `_source`.
        source: Bytes,
        /// Its routing value, as the target has it.
        routing: Option<Box<str>>,
    },
    /// It cannot be indexed. The dead letter has no version yet.
    DeadLetter(Box<DeadLetter>),
}

/// A decision and the id that it is about.
#[derive(Debug)]
pub struct Decided {
    /// The id in the target.
    pub id: DocumentId,
    /// The decision.
    pub decision: Decision,
}

/// A pillow that decides rows of one database for one target.
#[derive(Clone)]
pub struct Decider {
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// The target, for dead letters.
    pub target: IndexName,
    /// The database.
    pub database: DatabaseName,
    /// Whether ids in the target are `<database>/<_id>`: two databases may have documents of the
    /// same id.
    pub prefixes_ids: bool,
    /// Whether dead letters keep the document.
    pub keeps_bodies: bool,
}

/// Where a decision's `_source` lies in the buffer of its batch, until that is complete.
enum Draft {
    Done(Decision),
    Source(Range<usize>, Option<Box<str>>),
}

/// What a row needs before it can be decided.
enum Triage<'row> {
    /// Nothing: it is decided.
    Decided(Draft),
    /// To be decoded: the document.
    Process(&'row str),
}

/// The keys that the transform of a row looks up, or the message of a panic in the function that
/// gives them.
pub(super) type NeededKeys = Result<Vec<LookupKey>, String>;

/// What was found for a row.
type FoundValues = Vec<(LookupKey, LookupValue)>;

impl Decider {
    /// Decides rows, as if their lookup, where the pillow has one, found nothing. Their `_source`s
    /// share one buffer. `current` tells which row is being decided, for reporting one that
    /// never ends.
    pub fn decide(&self, rows: &[Row], current: &AtomicUsize) -> Vec<Decided> {
        self.decide_each(rows, current, |row, id, _, buffer| self.draft(row, id, buffer))
    }

    /// The keys that each of these rows looks up.
    pub(super) fn needed_keys(&self, rows: &[Row], current: &AtomicUsize) -> Vec<NeededKeys> {
        let keys = |(position, row): (usize, &Row)| {
            current.store(position, Ordering::Relaxed);
            let Triage::Process(document) = self.triage(row, &self.id_of(&row.id)) else {
                return Ok(Vec::new());
            };
            match catch_unwind(AssertUnwindSafe(|| self.pillow.lookup_keys(document))) {
                // Of a document that does not fit its struct there are none; deciding it finds that again.
                Ok(keys) => Ok(keys.unwrap_or_default()),
                Err(panic) => Err(panic_message(panic.as_ref()).to_owned()),
            }
        };
        rows.iter().enumerate().map(keys).collect()
    }

    /// Decides rows given what was found for their keys.
    pub(super) fn decide_found(
        &self,
        rows: &[Row],
        current: &AtomicUsize,
        needed: &[NeededKeys],
        outcomes: &LookupOutcomes,
    ) -> Vec<Decided> {
        self.decide_each(rows, current, |row, id, position, buffer| {
            let needed = match &needed[position] {
                Ok(keys) if keys.is_empty() => return self.draft(row, id, buffer),
                Ok(keys) => keys,
                Err(panic) => return self.dead_letter(row, id, Stage::Lookup, "panic", None, panic),
            };
            match (self.triage(row, id), found_for(needed, outcomes)) {
                (Triage::Decided(draft), _) => draft,
                (Triage::Process(document), Ok(found)) => self.process(row, id, document, &found, buffer),
                (Triage::Process(_), Err(reason)) => {
                    self.dead_letter(row, id, Stage::Lookup, "lookup_failed", None, &reason)
                }
            }
        })
    }

    fn decide_each(
        &self,
        rows: &[Row],
        current: &AtomicUsize,
        draft: impl Fn(&Row, &DocumentId, usize, &mut Vec<u8>) -> Draft,
    ) -> Vec<Decided> {
        let bytes: usize =
            rows.iter().map(|row| row.document().map_or(0, |document| document.len() + OVERHEAD)).sum();
        let mut buffer = Vec::with_capacity(bytes);
        let mut drafts = Vec::with_capacity(rows.len());
        for (position, row) in rows.iter().enumerate() {
            current.store(position, Ordering::Relaxed);
            let id = self.id_of(&row.id);
            let draft = draft(row, &id, position, &mut buffer);
            drafts.push((id, draft));
        }
        if buffer.capacity() / 2 > buffer.len() {
            buffer.shrink_to_fit();
        }
        let buffer = Bytes::from(buffer);
        let decided = drafts.into_iter().map(|(id, draft)| {
            let decision = match draft {
                Draft::Done(decision) => decision,
                Draft::Source(range, routing) => Decision::Index { source: buffer.slice(range), routing },
            };
            Decided { id, decision }
        });
        decided.collect()
    }

    /// Decides one row, as if a lookup found nothing.
    pub fn decide_one(&self, row: &Row) -> Decided {
        let decided = self.decide(std::slice::from_ref(row), &AtomicUsize::new(0)).pop();
        // There is one decision for each row.
        decided.unwrap_or_else(|| Decided { id: self.id_of(&row.id), decision: Decision::Ignore })
    }

    /// The id in the target of a document.
    pub fn id_of(&self, id: &DocumentId) -> DocumentId {
        index_id(&self.database, id, self.prefixes_ids)
    }

    fn draft(&self, row: &Row, id: &DocumentId, buffer: &mut Vec<u8>) -> Draft {
        match self.triage(row, id) {
            Triage::Decided(draft) => draft,
            Triage::Process(document) => self.process(row, id, document, &[], buffer),
        }
    }

    /// The type filter works on raw JSON: a document of another type is never decoded, so it can
    /// never be a dead letter.
    fn triage<'row>(&self, row: &'row Row, id: &DocumentId) -> Triage<'row> {
        let info = &self.pillow.definition().document;
        if row.id.as_str().starts_with("_design/") {
            return Triage::Decided(Draft::Done(Decision::Ignore));
        }
        if let Some(unreadable) = &row.unreadable {
            let (error_type, reason) = (&unreadable.error_type, &unreadable.reason);
            return Triage::Decided(self.dead_letter(row, id, Stage::Read, error_type, None, reason));
        }
        let document_type = row.document_text(info.type_field);
        let is_of = |types: &[&str]| document_type.as_deref().is_some_and(|found| types.contains(&found));
        let ours = is_of(info.types);
        let foreign = document_type.is_some() && !ours && !is_of(info.deleted_types);
        if foreign && info.type_is_immutable {
            return Triage::Decided(Draft::Done(Decision::Ignore));
        }
        let is_deletion = row.deleted || is_of(info.deleted_types);
        let length = id.as_str().len();
        if length == 0 || length > MAX_INDEX_ID_BYTES {
            // No index can hold it, so there is nothing to delete either.
            if !ours || is_deletion {
                return Triage::Decided(Draft::Done(Decision::Ignore));
            }
            let reason = format!("the id has {length} bytes; an index accepts 1 to {MAX_INDEX_ID_BYTES}");
            let error_type = if length == 0 { "id_empty" } else { "id_too_long" };
            return Triage::Decided(self.dead_letter(row, id, Stage::Id, error_type, None, &reason));
        }
        if is_deletion {
            return Triage::Decided(Draft::Done(Decision::Delete));
        }
        match row.document() {
            Some(document) if ours => Triage::Process(document),
            _ => Triage::Decided(Draft::Done(Decision::Remove)),
        }
    }

    /// A filter or a transform that panics on one document makes a dead letter of it: the next
    /// start would panic on it again.
    fn process(
        &self,
        row: &Row,
        id: &DocumentId,
        document: &str,
        found: &[(LookupKey, LookupValue)],
        buffer: &mut Vec<u8>,
    ) -> Draft {
        let change = ChangeMeta::new(row.id.clone(), row.revision.clone(), self.database.clone());
        let (start, mut routing) = (buffer.len(), None);
        // What a panic may leave half done is cut off below; a pillow itself has no state.
        let process = || self.pillow.process_with(document, &change, found, buffer, &mut routing);
        let processed = catch_unwind(AssertUnwindSafe(process));
        if !matches!(processed, Ok(Ok(Verdict::Index))) {
            buffer.truncate(start);
        }
        match processed {
            Ok(Ok(Verdict::Index)) => {
                let routing = routing.map(|value| index_routing(&self.database, &value, self.prefixes_ids));
                Draft::Source(start..buffer.len(), routing)
            }
            Ok(Ok(_)) => Draft::Done(Decision::Filtered),
            Err(panic) => {
                self.dead_letter(row, id, Stage::Transform, "panic", None, panic_message(panic.as_ref()))
            }
            Ok(Err(ProcessError::Decode(error))) => {
                let reason = format!("decoding failed at `{}`: {}", error.path, error.without_value());
                self.dead_letter(row, id, Stage::Decode, "decode_error", Some(error.path), &reason)
            }
            Ok(Err(error)) => {
                let (stage, error_type) = match error {
                    ProcessError::Emit { .. } => (Stage::Transform, "emit_error"),
                    ProcessError::Indicator { .. } => (Stage::Transform, "indicator_error"),
                    _ => (Stage::Transform, "serialize_error"),
                };
                self.dead_letter(row, id, stage, error_type, None, &error.to_string())
            }
        }
    }

    fn dead_letter(
        &self,
        row: &Row,
        id: &DocumentId,
        stage: Stage,
        error_type: &str,
        path: Option<String>,
        reason: &str,
    ) -> Draft {
        Draft::Done(Decision::DeadLetter(Box::new(DeadLetter {
            pillow: self.pillow.definition().pillow.clone(),
            index: self.target.clone(),
            database: self.database.clone(),
            id: id.clone(),
            revision: row.revision.clone(),
            version: Version::default(),
            stage,
            error_type: error_type.to_owned(),
            path,
            reason: cut(reason, KEPT_REASON),
            time: now_text(),
            document: row.document().filter(|_| self.keeps_bodies).map(|text| cut(text, KEPT_DOCUMENT)),
        })))
    }
}

/// What was found for the keys of a row, or why one of them failed.
fn found_for(needed: &[LookupKey], outcomes: &LookupOutcomes) -> Result<FoundValues, String> {
    let mut found = Vec::with_capacity(needed.len());
    for key in needed {
        match outcomes.get(key) {
            Some(LookupOutcome::Found(value)) => found.push((key.clone(), Arc::clone(value))),
            Some(LookupOutcome::NotFound) | None => {}
            Some(LookupOutcome::Failed(reason)) => return Err(reason.to_string()),
        }
    }
    Ok(found)
}

/// The string, or as much of its start as a dead letter keeps.
pub(super) fn cut(string: &str, most: usize) -> String {
    let mut end = string.len().min(most);
    while !string.is_char_boundary(end) {
        end -= 1;
    }
    string[..end].to_owned()
}
