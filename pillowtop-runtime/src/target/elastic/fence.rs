//! The fence of an index: the private alias that only its present owner writes through, and the
//! identity of its shards.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{IndexName, PillowName};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::private_aliases::PrivateAliases;
use super::request::Request;
use crate::claim::{Fence, FenceError, Slice};

/// How often an installation is tried when aliases vanish between being read and being named.
const TRIES: usize = 3;

/// The fence of an index, or of a slice of it.
#[derive(Debug, Clone)]
pub struct IndexFence {
    cluster: Cluster,
    index: IndexName,
    uuid: String,
    pillow: PillowName,
    aliases: PrivateAliases,
}

/// An index as it is now.
struct Live {
    shards: Option<usize>,
    aliases: Vec<String>,
}

impl IndexFence {
    /// The fence of a slice of the index with this name and uuid. Errors name the pillow, as what
    /// has to be built again.
    pub fn new(cluster: &Cluster, index: &IndexName, uuid: &str, slice: &Slice, pillow: &PillowName) -> Self {
        Self {
            cluster: cluster.clone(),
            index: index.clone(),
            uuid: uuid.to_owned(),
            pillow: pillow.clone(),
            aliases: PrivateAliases::new(index, uuid, slice),
        }
    }

    /// The private alias of an epoch.
    pub fn alias(&self, epoch: u64) -> String {
        self.aliases.alias(epoch)
    }

    fn gone(&self) -> FenceError {
        FenceError::TargetGone(format!(
            "index `{}` was deleted; run `fast-reindex {}` to build it again",
            self.index, self.pillow
        ))
    }

    fn error(&self, error: &ClusterError) -> FenceError {
        match error {
            error if error.is_missing() => self.gone(),
            ClusterError::Forbidden { .. } => FenceError::Forbidden(error.to_string()),
            error => FenceError::Unavailable(error.to_string()),
        }
    }

    /// Reads the index, which must be the one with this uuid.
    async fn live(&self) -> Result<Live, FenceError> {
        let doing = format!("reading the aliases of index `{}`", self.index);
        let path = [self.index.as_str()];
        let parts = "*.aliases,*.settings.index.uuid,*.settings.index.number_of_shards";
        let query = [("filter_path", parts)];
        let request = Request::get(&path).query(&query);
        let response = self.cluster.value(request, &doing).await.map_err(|error| self.error(&error))?;
        let entry = response.get(self.index.as_str()).unwrap_or(&Value::Null);
        let setting = |name: &str| entry.pointer(&format!("/settings/index/{name}")).and_then(Value::as_str);
        if setting("uuid") != Some(self.uuid.as_str()) {
            return Err(self.gone());
        }
        let aliases = entry.get("aliases").and_then(Value::as_object).into_iter().flatten();
        Ok(Live {
            shards: setting("number_of_shards").and_then(|number| number.parse().ok()),
            aliases: aliases.map(|(alias, _)| alias.clone()).collect(),
        })
    }

    async fn read_histories(&self) -> Result<BTreeMap<String, String>, FenceError> {
        let live = self.live().await?;
        let doing = format!("reading the shard histories of index `{}`", self.index);
        let path = [self.index.as_str(), "_stats", "docs"];
        let query = [("level", "shards")];
        let request = Request::get(&path).query(&query);
        let stats = self.cluster.value(request, &doing).await.map_err(|error| self.error(&error))?;
        let histories = histories_in(&stats, &self.index);
        match live.shards {
            Some(shards) if histories.len() >= shards => Ok(histories),
            shards => Err(FenceError::Unavailable(format!(
                "{} of {} primary shards of index `{}` are active",
                histories.len(),
                shards.map_or_else(|| "?".to_owned(), |shards| shards.to_string()),
                self.index
            ))),
        }
    }

    /// Removes the aliases of earlier epochs and adds that of this one, in one change of the
    /// cluster's state: what an earlier owner still sends is refused from then on. Each attempt
    /// reads the aliases again.
    async fn install_alias(&self, epoch: u64) -> Result<(), FenceError> {
        self.cluster.retry(|| self.rotate(epoch)).await.unwrap_or_else(|error| Err(self.error(&error)))?;
        // Another index may have taken the name between reading and adding.
        let aliases = match self.live().await {
            Err(FenceError::TargetGone(reason)) => {
                self.remove_alias(epoch).await;
                return Err(FenceError::TargetGone(reason));
            }
            live => live?.aliases,
        };
        match self.aliases.latest(&aliases) {
            Some((installed, _)) if installed == epoch => Ok(()),
            Some((later, alias)) if later > epoch => Err(FenceError::Overtaken(format!("alias `{alias}`"))),
            _ => Err(FenceError::Unavailable(format!("alias `{}` is not installed", self.alias(epoch)))),
        }
    }

    /// One attempt. The outer error is one that may pass.
    async fn rotate(&self, epoch: u64) -> Result<Result<(), FenceError>, ClusterError> {
        let doing = format!("installing the private alias of index `{}`", self.index);
        let mut tries = 1;
        loop {
            let aliases = match self.live().await {
                Ok(live) => live.aliases,
                Err(error) => return Ok(Err(error)),
            };
            if let Some((later, alias)) = self.aliases.latest(&aliases)
                && later > epoch
            {
                return Ok(Err(FenceError::Overtaken(format!("alias `{alias}`"))));
            }
            let actions = self.aliases.rotation(&aliases, epoch);
            return match self.cluster.change_aliases(&actions, &doing).await {
                Ok(()) => Ok(Ok(())),
                // An alias that was read was removed meanwhile. Whether the index was deleted shows
                // with the next reading.
                Err(error) if error.is_missing() && tries < TRIES => {
                    tries += 1;
                    continue;
                }
                Err(ClusterError::Forbidden { reason, .. }) => Ok(Err(FenceError::Forbidden(format!(
                    "the private alias of index `{}` cannot be changed, which needs the privilege `manage` on it: {reason}",
                    self.index
                )))),
                // Repeating it would change nothing, so it would be acknowledged without all nodes.
                Err(error @ ClusterError::NotAcknowledged { .. }) => Ok(Err(self.error(&error))),
                Err(error) if error.is_retryable() => Err(error),
                Err(error) => Ok(Err(self.error(&error))),
            };
        }
    }

    /// Removes the fences of several slices of the index in one change of the cluster's state:
    /// whatever their owners still send is refused from then on.
    pub async fn remove_all(fences: &[Self]) -> Result<(), FenceError> {
        let Some(first) = fences.first() else { return Ok(()) };
        let remove = async || {
            let aliases = match first.live().await {
                Ok(live) => live.aliases,
                Err(error) => return Ok(Err(error)),
            };
            let actions: Vec<Value> =
                fences.iter().flat_map(|fence| fence.aliases.removal(&aliases)).collect();
            if actions.is_empty() {
                return Ok(Ok(()));
            }
            let doing = format!("removing private aliases of index `{}`", first.index);
            match first.cluster.change_aliases(&actions, &doing).await {
                // Repeating it would find nothing to remove, so it would pass without all nodes.
                Err(error @ ClusterError::NotAcknowledged { .. }) => Ok(Err(first.error(&error))),
                changed => changed.map(Ok),
            }
        };
        first.cluster.retry(remove).await.unwrap_or_else(|error| Err(first.error(&error)))
    }

    async fn remove_alias(&self, epoch: u64) {
        let actions = [json!({"remove": {"index": self.index, "alias": self.alias(epoch)}})];
        let doing = "removing a private alias from another index";
        if let Err(error) = self.cluster.change_aliases(&actions, doing).await {
            tracing::debug!(%error, "no private alias is removed");
        }
    }
}

/// The history of each shard whose primary is active, by the shard's number.
fn histories_in(stats: &Value, index: &IndexName) -> BTreeMap<String, String> {
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

impl Fence for IndexFence {
    fn histories(&self) -> BoxFuture<'_, Result<BTreeMap<String, String>, FenceError>> {
        self.read_histories().boxed()
    }

    fn installed(&self) -> BoxFuture<'_, Result<u64, FenceError>> {
        async {
            let aliases = self.live().await?.aliases;
            Ok(self.aliases.latest(&aliases).map_or(0, |(epoch, _)| epoch))
        }
        .boxed()
    }

    fn install(&self, epoch: u64) -> BoxFuture<'_, Result<(), FenceError>> {
        self.install_alias(epoch).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_are_those_of_primaries() {
        let copy = |primary: bool, history: &str| json!({"routing": {"primary": primary}, "commit": {"user_data": {"history_uuid": history}}});
        let stats = json!({"indices": {"a": {"shards": {
            "0": [copy(false, "replica"), copy(true, "h0")],
            "1": [copy(false, "replica")],
        }}}});
        assert_eq!(histories_in(&stats, &"a".into()), BTreeMap::from([("0".to_owned(), "h0".to_owned())]));
        assert!(histories_in(&json!({}), &"a".into()).is_empty());
    }
}
