//! The primary term of each shard, as responses show it. A shard has another term after its primary
//! was replaced: by a copy, which has everything, or by an older or empty one, which has not.

use std::sync::atomic::{AtomicU64, Ordering};

use super::shards::IndexShards;

/// The last seen primary term of each shard; 0 before the first response.
#[derive(Debug)]
pub(super) struct ShardTerms {
    terms: Vec<AtomicU64>,
    shards: IndexShards,
}

/// A shard's term that was not seen before.
pub(super) type ChangedTerm = (usize, u64);

impl ShardTerms {
    /// The shards of an index, none of whose terms was seen.
    pub(super) fn new(shards: IndexShards) -> Self {
        Self { terms: (0..shards.count()).map(|_| AtomicU64::new(0)).collect(), shards }
    }

    /// The shard that a routing value leads to, if its term is not the last seen one.
    pub(super) fn changed(&self, routing: &str, term: u64) -> Option<ChangedTerm> {
        let shard = self.shards.shard_of(routing);
        (self.terms[shard].load(Ordering::Relaxed) != term).then_some((shard, term))
    }

    /// Notes terms as seen.
    pub(super) fn note(&self, changed: &[ChangedTerm]) {
        for (shard, term) in changed {
            self.terms[*shard].store(*term, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_new_until_it_is_noted() {
        let terms = ShardTerms::new(IndexShards::new(1, None));
        let changed = terms.changed("a", 3).unwrap();
        terms.note(&[changed]);
        assert_eq!((terms.changed("a", 3), terms.changed("a", 4)), (None, Some((0, 4))));
    }
}
