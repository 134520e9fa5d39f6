//! The physical indices of a cluster that pillowtop created, with what is known of each.

use std::collections::BTreeMap;

use pillowtop_core::{AliasName, IndexName, PillowName, lenient};
use serde_json::Value;

use super::cluster::Cluster;
use super::error::ClusterError;
use super::live_mapping::live_hash;
use super::private_aliases::is_private;
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
    /// The hash of what decides its contents beside the mapping; `None` for an index of an earlier
    /// release.
    pub rest: Option<String>,
    /// Whether its mapping was extended and not all documents have been indexed again since.
    pub is_backfilling: bool,
    /// Its aliases, the private ones of its owners among them.
    pub aliases: Vec<AliasName>,
    /// When it was created, in milliseconds since 1970.
    pub created: u64,
    /// The blocks that are on, such as `write` or `read_only_allow_delete`.
    pub blocks: Vec<String>,
    /// The lifecycle policy in its settings.
    pub policy: Option<String>,
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
    pub(super) bytes: Option<u64>,
}

/// What `GET /index` reports of an index in an overview.
pub(super) const PARTS: &str = "*.aliases,*.mappings._meta.pillowtop,*.settings.index.uuid,\
    *.settings.index.creation_date,*.settings.index.blocks,*.settings.index.lifecycle.name";

impl IndexStatus {
    /// Its aliases without the private ones of its owners.
    pub fn public_aliases(&self) -> impl Iterator<Item = &AliasName> {
        self.aliases.iter().filter(|alias| !is_private(alias.as_str()))
    }

    /// An index as `GET /index` describes it, if pillowtop created it under this prefix.
    pub(super) fn described(name: &str, entry: &Value, prefix: Option<&str>) -> Option<Self> {
        let mapping = entry.get("mappings")?;
        let meta = mapping.pointer("/_meta/pillowtop")?;
        // Without a prefix the pattern finds the indices of all prefixes.
        if meta.get("prefix").and_then(Value::as_str) != prefix {
            return None;
        }
        let settings = entry.pointer("/settings/index")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let created = settings.get("creation_date").and_then(Value::as_str);
        Some(Self {
            name: name.into(),
            uuid: settings.get("uuid").and_then(text)?,
            pillow: meta.get("pillow").and_then(Value::as_str).unwrap_or_default().into(),
            hash: live_hash(mapping).unwrap_or_default().to_owned(),
            rest: meta.get("rest").and_then(text),
            is_backfilling: meta.get("backfilling") == Some(&Value::Bool(true)),
            aliases: aliases_in(entry),
            created: created.and_then(|millis| millis.parse().ok()).unwrap_or_default(),
            blocks: blocks_in(settings),
            policy: settings.pointer("/lifecycle/name").and_then(text),
            health: IndexHealth::Red,
            documents: None,
            bytes: None,
            claims: Vec::new(),
        })
    }
}

pub(super) fn aliases_in(entry: &Value) -> Vec<AliasName> {
    let aliases = entry.get("aliases").and_then(Value::as_object).into_iter().flatten();
    aliases.map(|(alias, _)| alias.as_str().into()).collect()
}

/// The blocks that are on, such as `write`.
fn blocks_in(settings: &Value) -> Vec<String> {
    let blocks = settings.get("blocks").and_then(Value::as_object).into_iter().flatten();
    let on = blocks.filter(|(_, value)| lenient::boolean(value) == Some(true));
    on.map(|(name, _)| name.clone()).collect()
}

impl Cluster {
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
