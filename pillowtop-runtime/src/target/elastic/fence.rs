//! The fence around an index: the private alias that only its present owner writes through, and the identity of its shards.

use std::collections::BTreeMap;

use pillowtop_core::IndexName;
use serde_json::{Value, json};

use super::aliases::read_aliases;
use super::cluster::{Cluster, Request};
use super::error::ClusterError;

/// How often a rotation is tried when aliases vanish between being seen and being named.
const ROTATIONS: usize = 3;

/// Why an alias was not rotated.
#[derive(Debug, thiserror::Error)]
pub(super) enum FenceError {
    /// A later owner has its alias already.
    #[error("alias `{0}` of a later owner is there")]
    Overtaken(String),
    /// The cluster did not do it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// The private alias of an epoch. The capital letter is what keeps servers from creating it as an index.
pub(super) fn write_alias(index: &IndexName, epoch: u64) -> String {
    format!("{index}.W{epoch}")
}

fn epoch_of(index: &IndexName, alias: &str) -> Option<u64> {
    alias.strip_prefix(index.as_str())?.strip_prefix(".W")?.parse().ok()
}

/// The epochs whose aliases are on the index.
pub(super) async fn epochs(cluster: &Cluster, index: &IndexName) -> Result<Vec<u64>, ClusterError> {
    let path = [index.as_str(), "_alias"];
    let answer =
        cluster.value(Request::get(&path), &format!("reading the aliases of index `{index}`")).await?;
    let aliases = read_aliases(&answer).remove(index).unwrap_or_default();
    Ok(aliases.iter().filter_map(|alias| epoch_of(index, alias.as_str())).collect())
}

fn rotation(index: &IndexName, seen: &[u64], epoch: u64) -> Value {
    let earlier = seen.iter().filter(|seen| **seen != epoch);
    let mut actions: Vec<Value> = earlier
        .map(|earlier| json!({"remove": {"index": index, "alias": write_alias(index, *earlier)}}))
        .collect();
    actions.push(json!({"add": {"index": index, "alias": write_alias(index, epoch)}}));
    json!({"actions": actions})
}

/// Takes the aliases of earlier epochs off the index and puts this one's on, in one change of the cluster's state: what an earlier
/// owner still sends is refused from then on.
pub(super) async fn rotate(cluster: &Cluster, index: &IndexName, epoch: u64) -> Result<(), FenceError> {
    let doing = format!("rotating the private alias of index `{index}`");
    let mut tries = 1;
    loop {
        let seen = epochs(cluster, index).await?;
        if let Some(later) = seen.iter().find(|seen| **seen > epoch) {
            return Err(FenceError::Overtaken(write_alias(index, *later)));
        }
        let request = Request::post(&["_aliases"]).json(&rotation(index, &seen, epoch));
        match cluster.value(request, &doing).await {
            Err(error) if error.is_missing() && tries < ROTATIONS => tries += 1,
            answer => {
                answer?;
                return Ok(());
            }
        }
    }
}

/// The history of each shard, by its number. A shard without an active primary is an error: nothing can be said of it.
pub(super) async fn shard_histories(
    cluster: &Cluster,
    index: &IndexName,
) -> Result<BTreeMap<String, String>, ClusterError> {
    let doing = format!("reading the shard histories of index `{index}`");
    let path = [index.as_str(), "_settings"];
    let settings = cluster.value(Request::get(&path), &doing).await?;
    let shards = settings
        .pointer(&format!("/{index}/settings/index/number_of_shards"))
        .and_then(Value::as_str)
        .and_then(|number| number.parse::<usize>().ok());
    let path = [index.as_str(), "_stats", "docs"];
    let stats = cluster.value(Request::get(&path).query(&[("level", "shards")]), &doing).await?;
    let histories = read_histories(&stats, index);
    if shards.is_none_or(|shards| histories.len() < shards) {
        return Err(ClusterError::Refused {
            doing,
            status: 503,
            error_type: "no_active_primary".to_owned(),
            reason: format!(
                "{} of {} primary shards are active",
                histories.len(),
                shards.map_or_else(|| "?".to_owned(), |shards| shards.to_string())
            ),
        });
    }
    Ok(histories)
}

fn read_histories(stats: &Value, index: &IndexName) -> BTreeMap<String, String> {
    let shards = stats.pointer(&format!("/indices/{index}/shards")).and_then(Value::as_object);
    let history = |copies: &Value| {
        let primary =
            copies.as_array()?.iter().find(|copy| copy.pointer("/routing/primary") == Some(&json!(true)))?;
        Some(primary.pointer("/commit/user_data/history_uuid")?.as_str()?.to_owned())
    };
    shards
        .into_iter()
        .flatten()
        .filter_map(|(number, copies)| Some((number.clone(), history(copies)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_names_each_alias_that_was_seen() {
        let index: IndexName = "hqcases_0_1".into();
        assert_eq!(
            rotation(&index, &[6, 7], 8),
            json!({"actions": [
                {"remove": {"index": "hqcases_0_1", "alias": "hqcases_0_1.W6"}},
                {"remove": {"index": "hqcases_0_1", "alias": "hqcases_0_1.W7"}},
                {"add": {"index": "hqcases_0_1", "alias": "hqcases_0_1.W8"}},
            ]})
        );
        assert_eq!(epoch_of(&index, "hqcases_0_1.W8"), Some(8));
        for other in ["hqcases_0_1", "hqcases_0_1.w8", "hqcases_0_1.W", "hqcases_0_12.W8", "hqcases_0"] {
            assert_eq!(epoch_of(&index, other), None, "{other}");
        }
    }

    #[test]
    fn histories_are_those_of_primaries() {
        let copy = |primary: bool, history: &str| json!({"routing": {"primary": primary}, "commit": {"user_data": {"history_uuid": history}}});
        let stats = json!({"indices": {"a": {"shards": {
            "0": [copy(false, "replica"), copy(true, "h0")],
            "1": [copy(false, "replica")],
        }}}});
        assert_eq!(read_histories(&stats, &"a".into()), BTreeMap::from([("0".to_owned(), "h0".to_owned())]));
        assert!(read_histories(&json!({}), &"a".into()).is_empty());
    }
}
