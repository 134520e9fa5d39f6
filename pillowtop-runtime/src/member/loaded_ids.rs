//! Which documents a load has written, as far as it needs to know.
//!
//! A load begins with an empty index, so most of what is not indexed need not be deleted either: a delete for each tombstone and each
//! document of another type would cost as much as the load. But its feed may bring a document and later its deletion: it was changed
//! meanwhile, or the copy of the database that is read lags behind the one that reported where catching up starts. Then the deletion
//! comes in this feed alone.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use pillowtop_core::DocumentId;

use crate::operation::Action;

/// Bits of the filter: 8 MB, however many documents there are. With ten million of them, one delete in twenty is for nothing.
const BITS: usize = 1 << 26;
/// Bits of one document.
const PROBES: u64 = 3;

/// What a load does with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is sent, and certainly nothing was written under its id before.
    First,
    /// It is sent, and something may have been written under its id.
    Again,
    /// A delete of what was never written.
    NotNeeded,
}

/// The ids that were indexed, in a Bloom filter: one that was is always known, and a few others count as known too.
pub(super) struct LoadedIds {
    words: Vec<u64>,
}

impl Default for LoadedIds {
    fn default() -> Self {
        Self { words: vec![0; BITS / 64] }
    }
}

impl fmt::Debug for LoadedIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LoadedIds").finish_non_exhaustive()
    }
}

impl LoadedIds {
    /// Tells whether the load sends this: all that it indexes, which is remembered, and deletes of what it may have indexed.
    pub(super) fn admit(&mut self, id: &DocumentId, action: &Action) -> Admission {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        // Two halves of one hash make as many as are needed (Kirsch and Mitzenmacher).
        let (first, step) = (hash >> 32, hash & 0xffff_ffff | 1);
        let places = (0..PROBES).map(|probe| {
            let bit = usize::try_from(first.wrapping_add(probe * step)).unwrap_or(usize::MAX) % BITS;
            (bit / 64, 1_u64 << (bit % 64))
        });
        let is_known = places.clone().all(|(word, bit)| self.words[word] & bit != 0);
        match (action, is_known) {
            (_, true) => Admission::Again,
            (Action::Index(_), false) => {
                places.for_each(|(word, bit)| self.words[word] |= bit);
                Admission::First
            }
            (Action::Delete, false) => Admission::NotNeeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_what_was_indexed_is_deleted() {
        let mut loaded = LoadedIds::default();
        let id = |number: usize| DocumentId::new(format!("document-{number}"));
        let index = Action::Index(Bytes::new());
        let again = (0..50_000).filter(|number| loaded.admit(&id(*number), &index) != Admission::First);
        assert!(again.count() < 50);
        assert!((0..50_000).all(|number| loaded.admit(&id(number), &index) == Admission::Again));
        assert!((0..50_000).all(|number| loaded.admit(&id(number), &Action::Delete) == Admission::Again));
        let mut deleted = |number: usize| loaded.admit(&id(number), &Action::Delete);
        let others = (50_000..100_000).filter(|number| deleted(*number) != Admission::NotNeeded).count();
        assert!(others < 50, "{others} of 50,000 others are deleted for nothing");
    }
}
