//! The physical indices of a cluster that pillowtop created, with what is known of each.

use pillowtop_core::{AliasName, IndexName, PillowName};
use serde_json::Value;

use super::aliases::read_aliases;
use super::cluster::{Cluster, Request};
use super::control::ControlDocument;
use super::error::ClusterError;
use super::live_mapping::live_hash;

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
    /// Its aliases, the private one of its owner among them.
    pub aliases: Vec<AliasName>,
    /// How many documents searches see; `None` while it cannot be asked, as when it is closed.
    pub documents: Option<u64>,
    /// The size of its primary shards in bytes; `None` while it cannot be asked.
    pub bytes: Option<u64>,
    /// Phase, position, owner and epoch; `None` for an index that nobody ever wrote to.
    pub control: Option<ControlDocument>,
}

impl Cluster {
    /// The physical indices that pillowtop created under this prefix, in order of names. They are known by `_meta.pillowtop`, so an
    /// index of a pillow that no longer exists is among them.
    pub async fn list_indices(&self) -> Result<Vec<IndexStatus>, ClusterError> {
        let pattern = self.prefixed("*");
        let doing = "listing indices";
        let both = [("expand_wildcards", "open,closed")];
        let get = async |what: &str, query: &[(&str, &str)]| -> Result<Value, ClusterError> {
            let path = [pattern.as_str(), what];
            let found = self.optional_value(Request::get(&path).query(query), doing).await?;
            Ok(found.unwrap_or_default())
        };
        let meta = [both[0], ("filter_path", "*.mappings._meta.pillowtop")];
        let mappings = get("_mapping", &meta).await?;
        let settings = get("_settings", &[both[0], ("filter_path", "*.settings.index.uuid")]).await?;
        let aliases = read_aliases(&get("_alias", &both).await?);
        let sizes = get("_stats", &[("filter_path", "indices.*.primaries.store.size_in_bytes")]).await?;
        let mut found = Vec::new();
        for (name, entry) in mappings.as_object().into_iter().flatten() {
            let mapping = entry.get("mappings").unwrap_or(&Value::Null);
            let at = |value: &Value, path: &str| value.get(name.as_str())?.pointer(path).cloned();
            let Some(meta) = mapping.pointer("/_meta/pillowtop") else { continue };
            // Without a prefix the pattern finds the indices of all prefixes.
            if meta.get("prefix").and_then(Value::as_str) != self.prefix() {
                continue;
            }
            let uuid = at(&settings, "/settings/index/uuid");
            let Some(Value::String(uuid)) = uuid else { continue };
            found.push(IndexStatus {
                name: name.as_str().into(),
                uuid,
                pillow: meta.get("pillow").and_then(Value::as_str).unwrap_or_default().into(),
                hash: live_hash(mapping).unwrap_or_default().to_owned(),
                aliases: aliases.get(&IndexName::from(name.as_str())).cloned().unwrap_or_default(),
                documents: None,
                bytes: sizes
                    .get("indices")
                    .and_then(|indices| at(indices, "/primaries/store/size_in_bytes")?.as_u64()),
                control: None,
            });
        }
        self.add_details(&mut found).await?;
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    async fn add_details(&self, found: &mut [IndexStatus]) -> Result<(), ClusterError> {
        let uuids: Vec<String> = found.iter().map(|index| index.uuid.clone()).collect();
        let mut control = self.control_documents(&uuids).await?;
        for index in found {
            // The counts of `_stats` include nested objects, so each index is asked.
            index.documents = match self.count(index.name.as_str()).await {
                Ok(count) => Some(count),
                Err(error @ (ClusterError::Unreachable { .. } | ClusterError::Forbidden { .. })) => {
                    return Err(error);
                }
                Err(_) => None,
            };
            index.control = control.remove(&index.uuid);
        }
        Ok(())
    }
}
