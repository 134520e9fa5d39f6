//! The primary term of each shard, as responses show it. A shard has another term after its primary
//! was replaced: by a copy, which has everything, or by an older or empty one, which has not.

use std::sync::atomic::{AtomicU64, Ordering};

use pillowtop_core::DocumentId;

/// A document's shard is computed with a number of virtual shards: this many at least, so that an
/// index can be split.
const LOG2_ROUTING_SHARDS: u32 = 10;

/// The last seen primary term of each shard; 0 before the first response.
#[derive(Debug)]
pub(super) struct ShardTerms {
    terms: Vec<AtomicU64>,
    routing_shards: u32,
}

/// A shard's term that was not seen before.
pub(super) type ChangedTerm = (usize, u64);

impl ShardTerms {
    /// The shards of an index. Without the number of virtual shards it is the one that servers
    /// choose by default.
    pub(super) fn new(shards: u32, routing_shards: Option<u32>) -> Self {
        let shards = shards.max(1);
        let routing_shards = routing_shards.unwrap_or_else(|| default_routing_shards(shards)).max(shards);
        Self { terms: (0..shards).map(|_| AtomicU64::new(0)).collect(), routing_shards }
    }

    /// The shard of a document.
    fn shard_of(&self, id: &DocumentId) -> usize {
        if self.terms.len() == 1 {
            return 0;
        }
        let shards = u32::try_from(self.terms.len()).unwrap_or(u32::MAX);
        let virtual_shard = i64::from(murmur3(id.as_str())).rem_euclid(i64::from(self.routing_shards));
        let shard = u32::try_from(virtual_shard).unwrap_or_default() / (self.routing_shards / shards);
        usize::try_from(shard).unwrap_or_default().min(self.terms.len() - 1)
    }

    /// The shard of a document, if its term is not the last seen one.
    pub(super) fn changed(&self, id: &DocumentId, term: u64) -> Option<ChangedTerm> {
        let shard = self.shard_of(id);
        (self.terms[shard].load(Ordering::Relaxed) != term).then_some((shard, term))
    }

    /// Notes terms as seen.
    pub(super) fn note(&self, changed: &[ChangedTerm]) {
        for (shard, term) in changed {
            self.terms[*shard].store(*term, Ordering::Relaxed);
        }
    }
}

/// The number of virtual shards of an index that was created without `number_of_routing_shards`.
fn default_routing_shards(shards: u32) -> u32 {
    let log2 = 32 - (shards - 1).leading_zeros();
    shards << LOG2_ROUTING_SHARDS.saturating_sub(log2).max(1)
}

/// Murmur3 (x86, 32 bits, seed 0) of the UTF-16 code units in little endian, as the servers compute
/// it for a routing.
fn murmur3(routing: &str) -> i32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |block: u32| block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let (mut hash, mut units) = (0_u32, 0_u32);
    let mut half = None;
    for unit in routing.encode_utf16().map(u32::from) {
        units += 1;
        match half.take() {
            None => half = Some(unit),
            Some(low) => {
                hash ^= mix(low | unit << 16);
                hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
            }
        }
    }
    if let Some(low) = half {
        hash ^= mix(low);
    }
    hash ^= units.wrapping_mul(2);
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hashed_as_servers_hash_them() {
        // The values of Elasticsearch's own tests.
        for (routing, expected) in [
            ("hell", 0x5a0c_b7c3_u32),
            ("hello", 0xd7c3_1989),
            ("hello w", 0x22ab_2984),
            ("hello wo", 0xdf0c_a123),
            ("hello wor", 0xe774_4d61),
            ("The quick brown fox jumps over the lazy dog", 0xe07d_b09c),
        ] {
            assert_eq!(murmur3(routing).cast_unsigned(), expected, "{routing}");
        }
    }

    #[test]
    fn virtual_shards_leave_room_for_splitting() {
        for (shards, expected) in [(1, 1024), (2, 1024), (3, 768), (5, 640), (1024, 2048)] {
            assert_eq!(default_routing_shards(shards), expected, "{shards}");
        }
    }

    #[test]
    fn a_term_is_new_until_it_is_noted() {
        let terms = ShardTerms::new(1, None);
        let id = DocumentId::from("a");
        let changed = terms.changed(&id, 3).unwrap();
        terms.note(&[changed]);
        assert_eq!((terms.changed(&id, 3), terms.changed(&id, 4)), (None, Some((0, 4))));
    }
}
