//! The two indices of pillowtop's own, and the aliases that they are written through.

use serde_json::{Value, json};

use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use super::rendering::GC_DELETES;

/// One of pillowtop's own indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bookkeeping {
    /// State, lease and epoch of each physical index.
    Control,
    /// What could not be indexed.
    DeadLetters,
}

impl Bookkeeping {
    /// The index's name, which is read from.
    pub(super) fn index(self, cluster: &Cluster) -> String {
        cluster.prefixed(match self {
            Self::Control => "pillowtop-control",
            Self::DeadLetters => "pillowtop-dead-letters",
        })
    }

    /// The alias that is written through. A plain write to an index that was deleted would create it anew with guessed
    /// mappings; no index can be created by a name with a capital letter.
    pub(super) fn write_alias(self, cluster: &Cluster) -> String {
        format!("{}.W", self.index(cluster))
    }

    fn body(self, alias: &str) -> Value {
        let keywords = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), json!({"type": "keyword"})));
            Value::Object(fields.collect())
        };
        let properties = match self {
            Self::Control => {
                let state = keywords(&["pillow", "index", "phase", "hash"]);
                json!({
                    "state": {"type": "object", "dynamic": false, "properties": state},
                    "epoch": {"type": "long"},
                    "saved": {"type": "date"},
                })
            }
            Self::DeadLetters => {
                let mut properties = keywords(&[
                    "pillow",
                    "index",
                    "index_uuid",
                    "database",
                    "revision",
                    "stage",
                    "error_type",
                ]);
                // CouchDB has no bound on ids, a term has one.
                properties["id"] = json!({"type": "keyword", "ignore_above": 8191});
                properties["time"] = json!({"type": "date"});
                properties["reason"] = json!({"type": "text"});
                properties
            }
        };
        // A letter that was held up must not come back after its document was indexed.
        json!({
            "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "gc_deletes": GC_DELETES}},
            "mappings": {"dynamic": false, "date_detection": false, "properties": properties},
            "aliases": {alias: {}},
        })
    }

    /// Creates the index if it is missing, and gives back its alias if that is.
    pub(super) async fn ensure(self, cluster: &Cluster) -> Result<(), ClusterError> {
        let (index, alias) = (self.index(cluster), self.write_alias(cluster));
        let doing = format!("looking for index `{index}`");
        let path = [index.as_str(), "_alias"];
        let found = cluster.optional_value(Request::get(&path), &doing).await?;
        if let Some(found) = found {
            if found.pointer(&format!("/{index}/aliases")).and_then(|aliases| aliases.get(&alias)).is_some() {
                return Ok(());
            }
            let actions = json!({"actions": [{"add": {"index": index, "alias": alias}}]});
            let doing = format!("giving index `{index}` its alias");
            return cluster.value(Request::post(&["_aliases"]).json(&actions), &doing).await.map(drop);
        }
        let doing = format!("creating index `{index}`");
        let path = [index.as_str()];
        match cluster.value(Request::put(&path).json(&self.body(&alias)), &doing).await {
            // Somebody else was faster.
            Err(ClusterError::Refused { error_type, .. })
                if error_type == "resource_already_exists_exception" =>
            {
                Ok(())
            }
            created => created.map(drop),
        }
    }
}
