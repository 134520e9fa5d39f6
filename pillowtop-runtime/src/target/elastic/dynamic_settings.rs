//! Dynamic settings of a live index: compared with those of a definition, and changed.

use std::collections::BTreeMap;

use pillowtop_core::settings::hashed_names;
use pillowtop_core::{Definition, IndexName};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::readback::flatten;
use super::request::Request;

/// Settings that are fixed when an index is created, although they decide nothing of its contents.
const FIXED: [&str; 2] = ["number_of_shards", "shard.check_on_startup"];

/// A dynamic setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Its dotted name, without `index.`.
    pub name: String,
    /// What the index has.
    pub live: Option<String>,
    /// What the definition and the configuration say.
    pub wanted: String,
}

impl Cluster {
    /// The dynamic settings of a definition, with those of this environment over them, that a live
    /// index has otherwise.
    ///
    /// # Errors
    ///
    /// When the settings cannot be read.
    pub async fn setting_changes(
        &self,
        definition: &Definition,
        index: &IndexName,
    ) -> Result<Vec<SettingChange>, ClusterError> {
        let wanted = self.settings_overrides().over(definition);
        let path = [index.as_str(), "_settings"];
        let doing = format!("reading the settings of index `{index}`");
        let response = self.value(Request::get(&path), &doing).await?;
        let live = response.get(index.as_str()).and_then(|entry| entry.pointer("/settings/index"));
        Ok(changes(&wanted, live.unwrap_or(&Value::Null)))
    }

    /// Changes dynamic settings of a live index.
    ///
    /// # Errors
    ///
    /// When the server refuses one, or does not respond.
    pub async fn put_settings(
        &self,
        index: &IndexName,
        changes: &[SettingChange],
    ) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_settings"];
        let doing = format!("changing settings of index `{index}`");
        let settings: serde_json::Map<String, Value> =
            changes.iter().map(|change| (change.name.clone(), json!(change.wanted))).collect();
        let body = json!({ "index": settings });
        self.change(Request::put(&path).json(&body), &doing).await
    }
}

fn changes(wanted: &Value, live: &Value) -> Vec<SettingChange> {
    let fixed = hashed_names(wanted);
    let is_fixed = |name: &str| {
        FIXED.contains(&name)
            || fixed.iter().any(|fixed| {
                name.strip_prefix(fixed.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    };
    let (mut declared, mut found) = (BTreeMap::new(), BTreeMap::new());
    flatten(Some(wanted), "", &mut declared);
    flatten(Some(live), "", &mut found);
    let differs = |(name, wanted): (String, String)| {
        let live = found.get(&name).cloned();
        (!is_fixed(&name) && live.as_ref() != Some(&wanted)).then_some(SettingChange { name, live, wanted })
    };
    declared.into_iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dynamic_settings_that_differ_are_changed() {
        let wanted = json!({
            "number_of_shards": 3, "number_of_replicas": 2, "refresh_interval": "5s", "max_result_window": 20000,
            "analysis": {"analyzer": {"comma": {"type": "pattern"}}}, "search": {"slowlog": {"level": "info"}},
        });
        let live = json!({"number_of_shards": "1", "number_of_replicas": "1", "refresh_interval": "5s"});
        let change = |name: &str, live: Option<&str>, wanted: &str| SettingChange {
            name: name.to_owned(),
            live: live.map(str::to_owned),
            wanted: wanted.to_owned(),
        };
        assert_eq!(
            changes(&wanted, &live),
            [
                change("max_result_window", None, "20000"),
                change("number_of_replicas", Some("1"), "2"),
                change("search.slowlog.level", None, "info"),
            ]
        );
    }
}
