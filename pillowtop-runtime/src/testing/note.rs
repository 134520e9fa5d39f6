//! A pillow of notes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pillowtop_core::lookup::NoLookup;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{AnyPillow, ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};

/// The transform panics on notes of this number.
pub(crate) const PANICS: u32 = 99;
/// The index rejects notes of this number.
pub(crate) const REFUSED: u32 = 13;
/// No request with a note of this number ever gets a response.
pub(crate) const POISON: u32 = 66;
/// Notes of this number fail with an unrecognised error.
pub(crate) const UNKNOWN: u32 = 77;

#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Note {
    n: u32,
    keep: bool,
}

impl CouchDocument for Note {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo =
        DocumentInfo { types: &["Note"], deleted_types: &["Note-Deleted"], ..DocumentInfo::PART };
}

impl Pillow for Note {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = NoLookup;
    const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.keep
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        assert!(self.n != PANICS, "no note may have {}", self.n);
        Some(self)
    }
}

/// A note whose transform does not end for the number [`HANGS`], until [`RELEASED`] is set.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct HangingNote(Note);

/// The transform of a [`HangingNote`] of this number does not end.
pub(crate) const HANGS: u32 = 88;
/// Ends the transforms that hang, and with them the threads of a test.
pub(crate) static RELEASED: AtomicBool = AtomicBool::new(false);

impl CouchDocument for HangingNote {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = Note::DOCUMENT;
}

impl Pillow for HangingNote {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = NoLookup;
    const PILLOW: PillowInfo = PillowInfo::named("hanging", "notes");
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.0.keep
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        while self.0.n == HANGS && !RELEASED.load(Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        Some(self)
    }
}

/// A note of which it is declared that `keep` and the type never change.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct FixedNote(Note);

impl CouchDocument for FixedNote {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = DocumentInfo { type_is_immutable: true, ..Note::DOCUMENT };
}

impl Pillow for FixedNote {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = NoLookup;
    const PILLOW: PillowInfo = PillowInfo {
        filter: Some("self.keep"),
        selector: Some(r#"{"keep": {"$eq": true}}"#),
        filter_is_immutable: true,
        ..Note::PILLOW
    };
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.0.keep
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        Some(self)
    }
}

/// The pillow.
pub(crate) fn note_pillow() -> Arc<dyn AnyPillow> {
    Arc::clone(&Registry::new().with::<Note>().pillows()[0])
}

/// Whether a source is that of a note of this number.
pub(crate) fn has_number(source: &[u8], number: u32) -> bool {
    String::from_utf8_lossy(source).contains(&format!("\"n\":{number},"))
}
