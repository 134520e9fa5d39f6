//! The two indices of pillowtop's own, and the aliases that they are written through.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::rendering::GC_DELETES;
use super::request::{Request, acknowledged};

/// One of pillowtop's own indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum InternalIndex {
    /// Claims, leases and requests to owners.
    Control,
    /// Changes that could not be indexed.
    DeadLetters,
}

impl InternalIndex {
    /// The index's name, which is read from.
    pub(super) fn name(self, cluster: &Cluster) -> String {
        cluster.prefixed(match self {
            Self::Control => "pillowtop-control",
            Self::DeadLetters => "pillowtop-dead-letters",
        })
    }

    /// The alias that is written through. A plain write to an index that was deleted would create
    /// it again with guessed mappings. No index can be created by a name with a capital letter.
    pub(super) fn write_alias(self, cluster: &Cluster) -> String {
        format!("{}.W", self.name(cluster))
    }

    fn body(self, alias: &str) -> Value {
        let keywords = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), json!({"type": "keyword"})));
            Value::Object(fields.collect())
        };
        let properties = match self {
            Self::Control => {
                let state = keywords(&["pillow", "target", "phase", "hash"]);
                json!({
                    "key": {"type": "keyword"},
                    "value": {"type": "object", "dynamic": false, "properties": {
                        "state": {"type": "object", "dynamic": false, "properties": state},
                    }},
                })
            }
            Self::DeadLetters => {
                let mut properties = keywords(&[
                    "key",
                    "id_hash",
                    "pillow",
                    "index",
                    "index_uuid",
                    "database",
                    "revision",
                    "stage",
                    "error_type",
                ]);
                // CouchDB does not limit the length of ids, a term does.
                properties["id"] = json!({"type": "keyword", "ignore_above": 8191});
                properties["time"] = json!({"type": "date"});
                properties["reason"] = json!({"type": "text"});
                properties
            }
        };
        // A dead letter that was delayed must not come back after its document was indexed.
        json!({
            "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "gc_deletes": GC_DELETES}},
            "mappings": {"dynamic": false, "date_detection": false, "properties": properties},
            "aliases": {alias: {}},
        })
    }

    /// Creates the index or its alias, whichever is missing. Called when a write found the alias
    /// missing.
    pub(super) async fn ensure(self, cluster: &Cluster) -> Result<(), ClusterError> {
        cluster.retry(|| self.ensure_once(cluster)).await
    }

    async fn ensure_once(self, cluster: &Cluster) -> Result<(), ClusterError> {
        let (index, alias) = (self.name(cluster), self.write_alias(cluster));
        let doing = format!("reading the aliases of index `{index}`");
        let path = [index.as_str(), "_alias"];
        let Some(found) = cluster.optional_value(Request::get(&path), &doing).await? else {
            let doing = format!("creating index `{index}`");
            let path = [index.as_str()];
            return match cluster.value(Request::put(&path).json(&self.body(&alias)), &doing).await {
                // Another process was faster.
                Err(ClusterError::Refused { error_type, .. })
                    if error_type == "resource_already_exists_exception" =>
                {
                    Ok(())
                }
                created => acknowledged(&created?, &doing),
            };
        };
        let aliases = found.get(&index).and_then(|entry| entry.get("aliases"));
        if aliases.is_some_and(|aliases| aliases.get(&alias).is_some()) {
            return Ok(());
        }
        let actions = json!({"actions": [{"add": {"index": index, "alias": alias}}]});
        let doing = format!("adding the alias of index `{index}`");
        let response = cluster.value(Request::post(&["_aliases"]).json(&actions), &doing).await?;
        acknowledged(&response, &doing)
    }
}
