//! Whether a live index has the mapping of a definition: by the hash in its `_meta` first, then by
//! its fields.

use pillowtop_core::normal_form::missing_fields;
use pillowtop_core::{Definition, IndexName};
use serde_json::Value;

use super::cluster::Cluster;
use super::error::ClusterError;
use super::rendering;
use super::request::Request;

impl Cluster {
    /// The response to `GET /index` for one index or alias: aliases, mappings and settings by the
    /// index's name.
    pub async fn index_description(&self, index: &str) -> Result<Value, ClusterError> {
        self.value(Request::get(&[index]), &format!("reading index `{index}`")).await
    }

    /// The root of an index's live mapping.
    pub async fn live_mapping(&self, index: &IndexName) -> Result<Value, ClusterError> {
        let path = [index.as_str(), "_mapping"];
        let doing = format!("reading the mapping of index `{index}`");
        let mut response = self.value(Request::get(&path), &doing).await?;
        let mappings = response.get_mut(index.as_str()).and_then(|entry| entry.get_mut("mappings"));
        mappings
            .map(Value::take)
            .ok_or_else(|| ClusterError::Malformed { doing, reason: "it is not a concrete index".to_owned() })
    }

    /// Compares a live mapping with a definition. A different hash is an error of its own, which
    /// names both.
    pub async fn check_mapping(
        &self,
        definition: &Definition,
        index: &IndexName,
    ) -> Result<(), ClusterError> {
        self.compare_mapping(definition, index, &self.live_mapping(index).await?)
    }

    /// The same for a mapping that was read already.
    pub(super) fn compare_mapping(
        &self,
        definition: &Definition,
        index: &IndexName,
        live: &Value,
    ) -> Result<(), ClusterError> {
        let (hash, committed) = (live_hash(live), definition.hash.to_string());
        if hash != Some(&committed) {
            return Err(ClusterError::OtherHash {
                index: index.clone(),
                live: hash.map(str::to_owned),
                committed,
            });
        }
        let wanted = rendering::mappings(definition, self.target())?;
        let paths = missing_fields(&wanted, live);
        if paths.is_empty() {
            Ok(())
        } else {
            Err(ClusterError::OtherMapping { index: index.clone(), paths })
        }
    }
}

/// The content hash that an index was created for.
pub(super) fn live_hash(mapping: &Value) -> Option<&str> {
    mapping.pointer("/_meta/pillowtop/hash")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_is_in_meta() {
        assert_eq!(live_hash(&json!({"_meta": {"pillowtop": {"hash": "00"}}})), Some("00"));
        assert_eq!(live_hash(&json!({})), None);
    }
}
