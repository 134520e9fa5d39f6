//! The physical indices of a cluster that pillowtop created, with what is known of each.

use std::collections::BTreeMap;

use pillowtop_core::{AliasName, IndexName, PillowName};
use serde_json::Value;

use super::cluster::Cluster;
use super::control::ControlIndex;
use super::error::ClusterError;
use super::live_mapping::live_hash;
use super::request::Request;
use crate::claim::{ClaimDocument, Slice};

/// Whether an index can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexHealth {
    /// All its shards have all their copies.
    Green,
    /// All its shards have their primary.
    Yellow,
    /// A shard has no primary.
    Red,
    /// It is closed.
    Closed,
}

/// A physical index that pillowtop created.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexStatus {
    /// Its name.
    pub name: IndexName,
    /// Its uuid.
    pub uuid: String,
    /// The pillow that it was created for.
    pub pillow: PillowName,
    /// The content hash that it was created for.
    pub hash: String,
    /// Its aliases, the private ones of its owners among them.
    pub aliases: Vec<AliasName>,
    /// Whether it can be used.
    pub health: IndexHealth,
    /// How many documents searches see; `None` while it cannot be searched, as when it is closed.
    pub documents: Option<u64>,
    /// The size of its primary shards in bytes; `None` while it is not known.
    pub bytes: Option<u64>,
    /// Phase, position, owner and epoch of each of its slices; empty for an index that was never
    /// written.
    pub claims: Vec<(Slice, ClaimDocument)>,
}

/// What `_cat/indices` reports of an index.
pub(super) struct IndexState {
    pub(super) health: IndexHealth,
    bytes: Option<u64>,
}

impl Cluster {
    /// The physical indices that pillowtop created under this prefix, in order of names. They are
    /// known by `_meta.pillowtop`, so an index of a pillow that no longer exists is among them.
    ///
    /// # Errors
    ///
    /// When a claim cannot be read: it must not look like an index that was never loaded.
    pub async fn list_indices(&self) -> Result<Vec<IndexStatus>, ClusterError> {
        let pattern = self.prefixed("*");
        let path = [pattern.as_str()];
        let parts = "*.aliases,*.mappings._meta.pillowtop,*.settings.index.uuid";
        let query = [("expand_wildcards", "open,closed"), ("filter_path", parts)];
        let response = self.optional_value(Request::get(&path).query(&query), "listing indices").await?;
        let states = self.index_states(&pattern).await?;
        let mut claims = ControlIndex::new(self).all_claims().await?;
        let indices = response.as_ref().and_then(Value::as_object).into_iter().flatten();
        let found = indices.filter_map(|(name, entry)| {
            let mut index = self.described(name, entry)?;
            // An index that was created between the two requests.
            let state = states.get(name)?;
            (index.health, index.bytes) = (state.health, state.bytes);
            index.claims = claims.remove(&index.uuid).unwrap_or_default();
            Some(index)
        });
        let mut found: Vec<IndexStatus> = found.collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        // Other counts include nested objects.
        let names: Vec<IndexName> = found.iter().map(|index| index.name.clone()).collect();
        for (index, count) in found.iter_mut().zip(self.counts(&names).await?) {
            index.documents = count;
        }
        Ok(found)
    }

    /// An index as `GET /index` describes it, if pillowtop created it under this prefix.
    fn described(&self, name: &str, entry: &Value) -> Option<IndexStatus> {
        let mapping = entry.get("mappings")?;
        let meta = mapping.pointer("/_meta/pillowtop")?;
        // Without a prefix the pattern finds the indices of all prefixes.
        if meta.get("prefix").and_then(Value::as_str) != self.prefix() {
            return None;
        }
        let aliases = entry.get("aliases").and_then(Value::as_object).into_iter().flatten();
        Some(IndexStatus {
            name: name.into(),
            uuid: entry.pointer("/settings/index/uuid")?.as_str()?.to_owned(),
            pillow: meta.get("pillow").and_then(Value::as_str).unwrap_or_default().into(),
            hash: live_hash(mapping).unwrap_or_default().to_owned(),
            aliases: aliases.map(|(alias, _)| alias.as_str().into()).collect(),
            health: IndexHealth::Red,
            documents: None,
            bytes: None,
            claims: Vec::new(),
        })
    }

    /// The states of some indices, by their names.
    pub(super) async fn index_states(
        &self,
        pattern: &str,
    ) -> Result<BTreeMap<String, IndexState>, ClusterError> {
        let path = ["_cat", "indices", pattern];
        let query = [
            ("format", "json"),
            ("bytes", "b"),
            ("h", "index,status,health,pri.store.size"),
            ("expand_wildcards", "open,closed"),
        ];
        let doing = "reading the states of indices";
        let response = self.optional_value(Request::get(&path).query(&query), doing).await?;
        let rows = response.as_ref().and_then(Value::as_array).into_iter().flatten();
        let states = rows.filter_map(|row| {
            let column = |name: &str| row.get(name).and_then(Value::as_str);
            let health = match (column("status"), column("health")) {
                (Some("close"), _) => IndexHealth::Closed,
                (_, Some("green")) => IndexHealth::Green,
                (_, Some("yellow")) => IndexHealth::Yellow,
                _ => IndexHealth::Red,
            };
            let bytes = column("pri.store.size").and_then(|size| size.parse().ok());
            Some((column("index")?.to_owned(), IndexState { health, bytes }))
        });
        Ok(states.collect())
    }
}
