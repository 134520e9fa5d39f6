//! What a row means to a pillow: gate, decode, filter, transform.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::{AnyPillow, ChangeMeta, ProcessError, Verdict};

use crate::clock::now_text;
use crate::dead_letter::{DeadLetter, Stage};
use crate::operation::{Action, Version};
use crate::row::Row;
use crate::state::IndexState;

/// The longest document text that a dead letter keeps, in bytes.
pub(super) const KEPT_DOCUMENT: usize = 64 * 1024;
/// The longest reason that it keeps: one that quotes a value may be as long as the document.
pub(super) const KEPT_REASON: usize = 4 * 1024;

/// What a `_source` has more than its document, in bytes: its id, revision and database once more.
const ROOM: usize = 256;

/// What a row means to a pillow.
#[derive(Debug)]
pub enum Judgement {
    /// Nothing: a design document, or a document of another type that cannot have been one of these.
    Foreign,
    /// A document of another type: whatever the index has under its id goes.
    Leave,
    /// A document that the filter or the transform keeps out: the same.
    Filtered,
    /// A deletion.
    Delete,
    /// A document to index, with its `_source`.
    Index(Bytes),
    /// It cannot be indexed. The letter has no version yet: whoever takes the row stamps it.
    Dead(DeadLetter),
}

impl Judgement {
    /// What is written, if anything.
    pub fn action(self) -> Option<Action> {
        match self {
            Self::Index(source) => Some(Action::Index(source)),
            Self::Leave | Self::Filtered | Self::Delete => Some(Action::Delete),
            Self::Foreign | Self::Dead(_) => None,
        }
    }
}

/// Judges a row. The gate works on raw JSON: a document of another type is never decoded, so it can never be a dead letter. A filter or
/// a transform that panics on one document makes a dead letter of it: the next start would panic on it again.
pub fn judge(pillow: &dyn AnyPillow, row: &Row, state: &IndexState) -> Judgement {
    let info = &pillow.definition().document;
    if row.id.as_str().starts_with("_design/") {
        return Judgement::Foreign;
    }
    let document_type = row.document_text(info.type_field);
    let is_of = |types: &[&str]| document_type.as_deref().is_some_and(|found| types.contains(&found));
    let ours = is_of(info.types);
    let foreign = document_type.is_some() && !ours && !is_of(info.deleted_types);
    if foreign && info.type_is_immutable {
        return Judgement::Foreign;
    }
    if row.id.as_str().len() > MAX_INDEX_ID_BYTES {
        // No index can have it, so there is nothing to delete either.
        let reason = format!("the id is {} bytes long, over {MAX_INDEX_ID_BYTES}", row.id.as_str().len());
        return if ours && !row.deleted {
            Judgement::Dead(letter(row, state, Stage::Id, "id_too_long", &reason))
        } else {
            Judgement::Foreign
        };
    }
    if row.deleted || is_of(info.deleted_types) {
        return Judgement::Delete;
    }
    let (true, Some(document)) = (ours, row.document()) else {
        return Judgement::Leave;
    };
    let change = ChangeMeta::new(row.id.clone(), row.revision.clone(), state.database.name.clone());
    // What a panic may leave half done is made here and thrown away with it; a pillow itself has no state.
    let processed = catch_unwind(AssertUnwindSafe(|| {
        let mut source = Vec::with_capacity(document.len() + ROOM);
        pillow.process(document, &change, &mut source).map(|verdict| (verdict, source))
    }));
    match processed {
        Ok(Ok((Verdict::Index, source))) => Judgement::Index(without_slack(source)),
        Ok(Ok(_)) => Judgement::Filtered,
        Err(panic) => {
            Judgement::Dead(letter(row, state, Stage::Transform, "panic", panic_message(panic.as_ref())))
        }
        Ok(Err(error)) => {
            let (stage, error_type) = match error {
                ProcessError::Decode(_) => (Stage::Decode, "decode_error"),
                _ => (Stage::Transform, "serialize_error"),
            };
            Judgement::Dead(letter(row, state, stage, error_type, &error.to_string()))
        }
    }
}

/// What a panic says.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it panicked without a text")
}

/// The bytes without a copy, unless much of what they were given is left over: it would be kept as long as they are.
fn without_slack(source: Vec<u8>) -> Bytes {
    if source.capacity() - source.len() > source.len() / 2 + ROOM {
        return Bytes::copy_from_slice(&source);
    }
    source.into()
}

fn letter(row: &Row, state: &IndexState, stage: Stage, error_type: &str, reason: &str) -> DeadLetter {
    DeadLetter {
        pillow: state.pillow.clone(),
        index: state.index.clone(),
        database: state.database.name.clone(),
        id: row.id.clone(),
        revision: row.revision.clone(),
        version: Version::default(),
        stage,
        error_type: error_type.to_owned(),
        reason: cut(reason, KEPT_REASON),
        time: now_text(),
        document: row.document().map(|text| cut(text, KEPT_DOCUMENT)),
    }
}

/// The text, or as much of its start as a dead letter keeps.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
