//! The shards of an index, and which of them a routing value leads to.

use pillowtop_core::IndexName;
use serde_json::Value;

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::Request;

/// A document's shard is computed with a number of virtual shards: this many at least, so that an
/// index can be split.
const LOG2_ROUTING_SHARDS: u32 = 10;

/// The shards of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexShards {
    count: u32,
    routing_shards: u32,
}

impl IndexShards {
    /// So many shards. Without the number of virtual shards it is the one that servers choose by
    /// default.
    pub(super) fn new(count: u32, routing_shards: Option<u32>) -> Self {
        let count = count.max(1);
        let routing_shards = routing_shards.unwrap_or_else(|| default_routing_shards(count)).max(count);
        Self { count, routing_shards }
    }

    /// Reads the shards of an index. The number of virtual shards is in the cluster's state, which
    /// not everyone may read.
    pub(super) async fn read(cluster: &Cluster, index: &IndexName) -> Result<Self, ClusterError> {
        let doing = format!("reading the shards of index `{index}`");
        let path = [index.as_str(), "_settings"];
        let settings = cluster.value(Request::get(&path), &doing).await?;
        let count = settings.pointer(&format!("/{index}/settings/index/number_of_shards"));
        let count = count.and_then(Value::as_str).and_then(|number| number.parse().ok()).unwrap_or(1);
        if count == 1 {
            return Ok(Self::new(1, None));
        }
        let path = ["_cluster", "state", "metadata", index.as_str()];
        let query = [("filter_path", "metadata.indices.*.routing_num_shards")];
        let routing_shards = match cluster.value(Request::get(&path).query(&query), &doing).await {
            Ok(state) => state
                .pointer(&format!("/metadata/indices/{index}/routing_num_shards"))
                .and_then(Value::as_u64)
                .and_then(|number| u32::try_from(number).ok()),
            Err(error) if error.is_retryable() => return Err(error),
            Err(_) => None,
        };
        Ok(Self::new(count, routing_shards))
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// The shard that a routing value leads to: the declared one of a document, or its id.
    pub(super) fn shard_of(self, routing: &str) -> usize {
        if self.count == 1 {
            return 0;
        }
        let virtual_shard = i64::from(murmur3(routing)).rem_euclid(i64::from(self.routing_shards));
        let shard = u32::try_from(virtual_shard).unwrap_or_default() / (self.routing_shards / self.count);
        usize::try_from(shard).unwrap_or_default().min(self.count() - 1)
    }

    /// A routing value for each shard, in order.
    fn routings(self) -> Vec<String> {
        let mut found: Vec<Option<String>> = vec![None; self.count()];
        let mut missing = found.len();
        for number in 0_u64.. {
            if missing == 0 {
                break;
            }
            let routing = number.to_string();
            let shard = self.shard_of(&routing);
            if found[shard].is_none() {
                found[shard] = Some(routing);
                missing -= 1;
            }
        }
        found.into_iter().flatten().collect()
    }

    /// A routing value for each shard, in order, confirmed by the server: as many values as there
    /// are shards lead to all of them, so no two lead to one.
    pub(super) async fn confirmed_routings(
        self,
        cluster: &Cluster,
        index: &IndexName,
    ) -> Result<Vec<String>, ClusterError> {
        let routings = self.routings();
        let doing = format!("reading which shards of index `{index}` routing values lead to");
        let (path, listed) = ([index.as_str(), "_search_shards"], routings.join(","));
        let query = [("routing", listed.as_str()), ("filter_path", "shards.shard")];
        let response = cluster.value(Request::get(&path).query(&query), &doing).await?;
        let groups = response.get("shards").and_then(Value::as_array).map_or(0, Vec::len);
        if groups == routings.len() {
            return Ok(routings);
        }
        let reason = format!("{} values lead to {groups} shards", routings.len());
        Err(ClusterError::Malformed { doing, reason })
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
    fn routing_values_are_hashed_as_servers_hash_them() {
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
    fn there_is_a_routing_value_for_each_shard() {
        for count in [1, 2, 3, 5, 16, 100] {
            let shards = IndexShards::new(count, None);
            let found: Vec<usize> =
                shards.routings().iter().map(|routing| shards.shard_of(routing)).collect();
            assert_eq!(found, (0..shards.count()).collect::<Vec<_>>());
        }
    }
}
