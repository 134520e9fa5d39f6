//! Which documents a load has written, as far as it needs to know.
//!
//! A load begins with an empty index, so most of what is not indexed need not be deleted either: a
//! delete for each tombstone and each document of another type would cost as much as the load. But
//! its feed may bring a document and later its deletion: it was changed meanwhile, or the copy of
//! the database that is read lags behind the one that reported where catching up starts. Then the
//! deletion comes in this feed alone.

use std::fmt;

/// Words of the filter: 8 MB, however many documents there are. With ten million of them, one
/// delete in twenty is for nothing.
const WORDS: usize = 1 << 20;

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

/// The ids that were indexed, in a Bloom filter: one that was is always known, and a few others
/// count as known too.
pub(super) struct LoadedIds {
    words: Vec<u64>,
}

impl Default for LoadedIds {
    fn default() -> Self {
        Self { words: vec![0; WORDS] }
    }
}

impl fmt::Debug for LoadedIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LoadedIds").finish_non_exhaustive()
    }
}

impl LoadedIds {
    /// Tells whether the load sends this: all that it indexes, which is remembered, and deletes of
    /// what it may have indexed. `hash` is that of the document's id.
    pub(super) fn admit(&mut self, hash: u64, is_index: bool) -> Admission {
        // All bits of a document are in one word, which is one access to memory instead of three.
        let bits = [0, 6, 12].into_iter().fold(0, |bits, shift| bits | 1_u64 << (hash >> shift & 63));
        let Some(word) = usize::try_from(hash >> 20).ok().and_then(|word| self.words.get_mut(word % WORDS))
        else {
            return Admission::Again;
        };
        match (is_index, *word & bits == bits) {
            (_, true) => Admission::Again,
            (true, false) => {
                *word |= bits;
                Admission::First
            }
            (false, false) => Admission::NotNeeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::entry::hash_of;

    #[test]
    fn only_what_was_indexed_is_deleted() {
        let mut loaded = LoadedIds::default();
        let hash = |number: usize| hash_of(&format!("document-{number}").into());
        let again = (0..50_000).filter(|number| loaded.admit(hash(*number), true) != Admission::First);
        assert!(again.count() < 50);
        assert!((0..50_000).all(|number| loaded.admit(hash(number), true) == Admission::Again));
        assert!((0..50_000).all(|number| loaded.admit(hash(number), false) == Admission::Again));
        let mut deleted = |number: usize| loaded.admit(hash(number), false);
        let others = (50_000..100_000).filter(|number| deleted(*number) != Admission::NotNeeded).count();
        assert!(others < 150, "{others} of 50,000 others are deleted for nothing");
    }
}
