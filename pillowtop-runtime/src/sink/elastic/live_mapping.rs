//! Whether a live index is the one that a definition asks for: by the hash in its `_meta` first, then by its fields.

use pillowtop_core::{Definition, IndexName};
use serde_json::Value;

use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use super::rendering;

impl Cluster {
    /// The root of an index's live mapping.
    pub async fn live_mapping(&self, index: &IndexName) -> Result<Value, ClusterError> {
        let path = [index.as_str(), "_mapping"];
        let doing = format!("reading the mapping of index `{index}`");
        let mut answer = self.value(Request::get(&path), &doing).await?;
        let mappings = answer.get_mut(index.as_str()).and_then(|entry| entry.get_mut("mappings"));
        mappings
            .map(Value::take)
            .ok_or_else(|| ClusterError::Malformed { doing, reason: "it is no physical index".to_owned() })
    }

    /// Compares a live mapping with a definition. Another hash is an error of its own, which names both.
    pub async fn check_mapping(
        &self,
        definition: &Definition,
        index: &IndexName,
    ) -> Result<(), ClusterError> {
        let live = self.live_mapping(index).await?;
        let (hash, committed) = (live_hash(&live), definition.hash.to_string());
        if hash != Some(&committed) {
            return Err(ClusterError::OtherHash {
                index: index.clone(),
                live: hash.map(str::to_owned),
                committed,
            });
        }
        let wanted = rendering::mappings(definition, self.target())?;
        let mut paths = Vec::new();
        compare_fields(&wanted, &live, "", &mut paths);
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

/// Paths that the live mapping lacks or has with another type. Parameters are not compared: servers drop defaults and write values
/// their own way, and those that matter cannot be changed on a live field.
fn compare_fields(wanted: &Value, live: &Value, above: &str, paths: &mut Vec<String>) {
    for group in ["properties", "fields"] {
        for (name, field) in wanted.get(group).and_then(Value::as_object).into_iter().flatten() {
            let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            match live.get(group).and_then(|fields| fields.get(name)) {
                Some(found) if type_of(found) == type_of(field) => {
                    compare_fields(field, found, &path, paths);
                }
                _ => paths.push(path),
            }
        }
    }
}

/// Servers leave `object` out.
fn type_of(field: &Value) -> &str {
    field.get("type").and_then(Value::as_str).unwrap_or("object")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_missing_fields_and_other_types_differ() {
        let wanted = json!({"properties": {
            "name": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
            "inner": {"type": "object", "properties": {"at": {"type": "date", "format": "x"}}},
            "gone": {"type": "long"},
        }});
        let live = json!({"properties": {
            "name": {"type": "text", "fields": {"exact": {"type": "wildcard"}}},
            "inner": {"properties": {"at": {"type": "date"}, "more": {"type": "long"}}},
        }});
        let mut paths = Vec::new();
        compare_fields(&wanted, &live, "", &mut paths);
        paths.sort();
        assert_eq!(paths, ["gone", "name.exact"]);
        compare_fields(&wanted, &wanted, "", &mut Vec::new());
        assert_eq!(live_hash(&json!({"_meta": {"pillowtop": {"hash": "00"}}})), Some("00"));
        assert_eq!(live_hash(&json!({})), None);
    }
}
