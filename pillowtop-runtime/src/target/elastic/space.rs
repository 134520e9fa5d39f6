//! Whether an index fits onto the disks of a cluster, as far as that can be estimated before it is
//! built.

use pillowtop_core::Definition;
use pillowtop_core::lenient::integer;
use serde_json::Value;

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::Request;

/// Bytes of a shard above which searches and recoveries become slow.
const LARGE_SHARD: u64 = 50_000_000_000;

/// An estimate of what an index needs, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All copies of all shards.
    pub needed: u64,
    /// What is free on the disks of all nodes that hold data; `None` if the server does not tell.
    pub available: Option<u64>,
    /// One shard.
    pub shard: u64,
}

impl Space {
    /// Whether it fits. A tenth of what is free is left to everything else.
    pub fn fits(&self) -> bool {
        self.available.is_none_or(|available| self.needed <= available / 10 * 9)
    }

    /// Whether the shards become so large that more of them would be better.
    pub fn has_large_shards(&self) -> bool {
        self.shard > LARGE_SHARD
    }
}

impl Cluster {
    /// What an index of a definition needs whose documents have so many bytes as JSON.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn space(&self, definition: &Definition, bytes: u64) -> Result<Space, ClusterError> {
        let query = [("filter_path", "nodes.*.roles,nodes.*.fs.total")];
        let path = ["_nodes", "stats", "fs"];
        let stats = self.value(Request::get(&path).query(&query), "reading the space on disks").await;
        let available = match stats {
            Ok(stats) => available_in(&stats),
            // Not every user, and not every service, may see that.
            Err(error) if !error.is_retryable() => None,
            Err(error) => return Err(error),
        };
        let settings = self.with_overrides(definition).settings;
        let number = |name: &str, usual: u64| {
            let number = settings.get(name).and_then(integer);
            number.and_then(|number| u64::try_from(number).ok()).unwrap_or(usual)
        };
        let (shards, replicas) = (number("number_of_shards", 1), number("number_of_replicas", 1));
        let needed = bytes.saturating_mul(replicas + 1);
        Ok(Space { needed, available, shard: bytes / shards.max(1) })
    }
}

/// What is free on the nodes that hold data.
fn available_in(stats: &Value) -> Option<u64> {
    let nodes = stats.get("nodes")?.as_object()?.values();
    let holds_data = |node: &&Value| {
        let roles = node.get("roles").and_then(Value::as_array);
        roles.is_none_or(|roles| roles.iter().filter_map(Value::as_str).any(|role| role.starts_with("data")))
    };
    nodes
        .filter(holds_data)
        .map(|node| node.pointer("/fs/total/available_in_bytes").and_then(Value::as_u64))
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_free_on_nodes_that_hold_data_counts() {
        let node =
            |role: &str, bytes: u64| json!({"roles": [role], "fs": {"total": {"available_in_bytes": bytes}}});
        let stats =
            json!({"nodes": {"a": node("data", 5), "b": node("master", 7), "c": node("data_hot", 20)}});
        assert_eq!(available_in(&stats), Some(25));
        assert_eq!(available_in(&json!({})), None);
        let space = |needed, available| Space { needed, available, shard: 0 };
        assert!(space(90, Some(100)).fits() && space(91, None).fits() && !space(91, Some(100)).fits());
    }
}
