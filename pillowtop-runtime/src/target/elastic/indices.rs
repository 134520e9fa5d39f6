//! Creating, tuning and removing physical indices.

use std::collections::BTreeMap;

use pillowtop_core::field_types::Product;
use pillowtop_core::{Definition, IndexName};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::readback::{Additions, additions};
use super::rendering::{creation_body, settings_after_loading};
use super::request::{Request, acknowledged};
use crate::unique_id::unique_id;

/// What an index is created for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// A first load: without refreshing and without replicas until [`Cluster::restore_settings`].
    Loading,
    /// Following from the start, with its own settings.
    Following,
}

/// An index that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedIndex {
    /// Its name.
    pub name: IndexName,
    /// Its uuid.
    pub uuid: String,
    /// Whether it has the hashed alias. Otherwise another index of the hash has it, and the alias
    /// is flipped later.
    pub has_alias: bool,
    /// Settings and fields that index templates of the cluster added, which do no harm.
    pub added: Vec<String>,
}

/// What is known of an index by its number.
struct Numbered {
    hash: Option<String>,
    /// The id of its creation.
    creation: Option<String>,
}

impl Cluster {
    /// Creates the next physical index of a definition. It gets the hashed alias in the same
    /// request unless another index has it.
    ///
    /// # Errors
    ///
    /// [`ClusterError::Altered`] when an index template or a policy of the cluster made something
    /// else of it, such as an index with an ingest pipeline. The index is then deleted again.
    pub async fn create_index(
        &self,
        definition: &Definition,
        index_use: IndexUse,
    ) -> Result<CreatedIndex, ClusterError> {
        let definition = &self.with_overrides(definition);
        let alias = definition.hashed_alias(self.prefix());
        let has_alias = self.indices_of(&alias).await?.is_empty();
        let mut body = creation_body(
            definition,
            self.target(),
            self.prefix(),
            has_alias.then_some(alias.as_str()),
            index_use == IndexUse::Loading,
        )?;
        let creation = unique_id();
        if let Some(meta) = body.pointer_mut("/mappings/_meta/pillowtop") {
            meta["creation"] = json!(creation);
        }
        let name = self.retry(|| self.create_once(definition, &body, &creation)).await?;
        match self.read_back(definition, &name, &body).await {
            Ok((uuid, added)) => Ok(CreatedIndex { name, uuid, has_alias, added }),
            Err(error) => {
                self.delete_index(&name).await?;
                Err(error)
            }
        }
    }

    /// Creates the index with the next number, unless an earlier attempt without a response has
    /// created it. `creation` is in the body and tells that index from another one of the same
    /// name.
    async fn create_once(
        &self,
        definition: &Definition,
        body: &Value,
        creation: &str,
    ) -> Result<IndexName, ClusterError> {
        loop {
            let existing = self.numbers_of(definition).await?;
            let name = |number| definition.index_name(self.prefix(), number);
            let earlier = existing.iter().find(|(_, found)| found.creation.as_deref() == Some(creation));
            if let Some((number, _)) = earlier {
                return Ok(name(*number));
            }
            let name = name(existing.keys().max().map_or(1, |number| number + 1));
            let doing = format!("creating index `{name}`");
            let path = [name.as_str()];
            match self.value(Request::put(&path).json(body), &doing).await {
                // Another process was faster.
                Err(ClusterError::Refused { error_type, .. })
                    if error_type == "resource_already_exists_exception" => {}
                response => {
                    acknowledged(&response?, &doing)?;
                    return Ok(name);
                }
            }
        }
    }

    /// Compares a new index with what was requested. Its uuid, and what was added that does no
    /// harm.
    async fn read_back(
        &self,
        definition: &Definition,
        name: &IndexName,
        body: &Value,
    ) -> Result<(String, Vec<String>), ClusterError> {
        let description = self.index_description(name.as_str()).await?;
        let missing = |reason: &str| ClusterError::Malformed {
            doing: format!("reading index `{name}` after its creation"),
            reason: reason.to_owned(),
        };
        let live = description.get(name.as_str()).ok_or_else(|| missing("it does not exist"))?;
        let uuid = live.pointer("/settings/index/uuid").and_then(Value::as_str);
        let uuid = uuid.ok_or_else(|| missing("it has no uuid"))?.to_owned();
        let Additions { mut refused, reported } = additions(body, live);
        refused.extend(
            self.policy_of(name)
                .await?
                .map(|policy| format!("policy `{policy}` (it may roll over, shrink or delete the index)")),
        );
        if !refused.is_empty() {
            return Err(ClusterError::Altered { index: name.clone(), changes: refused });
        }
        self.compare_mapping(definition, name, live.get("mappings").unwrap_or(&Value::Null))?;
        Ok((uuid, reported))
    }

    /// The policy of OpenSearch's Index State Management that an index has. It is attached without
    /// showing in the settings.
    async fn policy_of(&self, name: &IndexName) -> Result<Option<String>, ClusterError> {
        if self.target().product != Product::OpenSearch {
            return Ok(None);
        }
        let path = ["_plugins", "_ism", "explain", name.as_str()];
        let doing = format!("reading the policy of index `{name}`");
        let response = match self.value(Request::get(&path), &doing).await {
            Ok(response) => response,
            // The plugin is not installed, or may not be used.
            Err(ClusterError::Refused { status: 400 | 404 | 405, .. } | ClusterError::Forbidden { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let entry = response.get(name.as_str()).unwrap_or(&Value::Null);
        let names = ["index.plugins.index_state_management.policy_id", "policy_id"];
        Ok(names.iter().find_map(|name| entry.get(name)?.as_str()).map(str::to_owned))
    }

    /// The definition with this environment's settings.
    pub(super) fn with_overrides(&self, definition: &Definition) -> Definition {
        Definition { settings: self.settings_overrides().over(definition), ..definition.clone() }
    }

    /// The numbers of the physical indices that are named after a definition's hash.
    async fn numbers_of(&self, definition: &Definition) -> Result<BTreeMap<u32, Numbered>, ClusterError> {
        let stem = format!("{}_", definition.hashed_alias(self.prefix()));
        let pattern = format!("{stem}*");
        let path = [pattern.as_str()];
        let query = [
            ("expand_wildcards", "all"),
            ("filter_path", "*.settings.index.uuid,*.mappings._meta.pillowtop"),
        ];
        let doing = format!("listing the indices `{pattern}`");
        let response = self.optional_value(Request::get(&path).query(&query), &doing).await?;
        let indices = response.as_ref().and_then(Value::as_object).into_iter().flatten();
        let numbers = indices.filter_map(|(name, entry)| {
            let number = name.strip_prefix(&stem)?.parse().ok()?;
            let meta = |member: &str| {
                let meta = entry.pointer("/mappings/_meta/pillowtop")?;
                meta.get(member)?.as_str().map(str::to_owned)
            };
            Some((number, Numbered { hash: meta("hash"), creation: meta("creation") }))
        });
        Ok(numbers.collect())
    }

    /// The physical indices of a definition's hash with higher numbers than this one, or all of
    /// them; the highest first. One whose mapping was extended to another definition's is not among
    /// them.
    pub async fn indices_after(
        &self,
        definition: &Definition,
        index: Option<&IndexName>,
    ) -> Result<Vec<IndexName>, ClusterError> {
        let stem = format!("{}_", definition.hashed_alias(self.prefix()));
        // One that was created for another hash has a number of that one.
        let number_of = |index: &IndexName| index.as_str().strip_prefix(&stem)?.parse().ok();
        let after: u32 = index.and_then(number_of).unwrap_or(0);
        let hash = definition.hash.to_string();
        let is_own = |found: &Numbered| found.hash.as_ref().is_none_or(|live| *live == hash);
        let numbers = self.numbers_of(definition).await?.into_iter().rev();
        let later = numbers.filter(|(number, found)| *number > after && is_own(found));
        Ok(later.map(|(number, _)| definition.index_name(self.prefix(), number)).collect())
    }

    /// The uuid of a physical index; `None` if none has this name, an alias included.
    pub async fn index_uuid(&self, index: &IndexName) -> Result<Option<String>, ClusterError> {
        let path = [index.as_str(), "_settings", "index.uuid"];
        let doing = format!("reading the uuid of index `{index}`");
        let response = self.optional_value(Request::get(&path), &doing).await?;
        let uuid = response
            .as_ref()
            .and_then(|response| response.get(index.as_str())?.pointer("/settings/index/uuid")?.as_str());
        Ok(uuid.map(str::to_owned))
    }

    /// Restores the settings of an index that a load changed, makes what was loaded visible, and
    /// adds its replicas.
    pub async fn restore_settings(
        &self,
        definition: &Definition,
        index: &IndexName,
    ) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_settings"];
        let doing = format!("restoring the settings of index `{index}`");
        let settings = settings_after_loading(&self.with_overrides(definition));
        self.change(Request::put(&path).json(&settings), &doing).await?;
        self.refresh(index).await
    }

    /// Makes what was written visible to searches.
    pub async fn refresh(&self, index: &IndexName) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_refresh"];
        let doing = format!("refreshing index `{index}`");
        self.retry(|| async {
            let response = self.value(Request::post(&path), &doing).await?;
            match response.pointer("/_shards/failed").and_then(Value::as_u64) {
                Some(0) => Ok(()),
                failed => Err(ClusterError::Refused {
                    doing: doing.clone(),
                    status: 503,
                    error_type: "failed_shards".to_owned(),
                    reason: format!("{} shards failed", failed.unwrap_or_default()),
                }),
            }
        })
        .await
    }

    /// Waits until every shard of an index has all its copies, or at least its primary. `false`
    /// when the time is over first.
    pub async fn wait_for_copies(
        &self,
        index: &IndexName,
        with_replicas: bool,
        seconds: u16,
    ) -> Result<bool, ClusterError> {
        let path = ["_cluster", "health", index.as_str()];
        let seconds = format!("{seconds}s");
        let status = if with_replicas { "green" } else { "yellow" };
        let query = [("wait_for_status", status), ("timeout", seconds.as_str())];
        let doing = format!("waiting for the shards of index `{index}`");
        match self.value(Request::get(&path).query(&query), &doing).await {
            Ok(response) => Ok(response.get("timed_out") != Some(&json!(true))),
            // A timeout is reported by a status.
            Err(ClusterError::Refused { status: 408, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a physical index with everything in it. A missing one is fine. Names that could mean
    /// several are refused before they are sent.
    pub async fn delete_index(&self, index: &IndexName) -> Result<(), ClusterError> {
        let doing = format!("deleting index `{index}`");
        let name = index.as_str();
        if name.is_empty() || name == "_all" || name.contains(['*', ',', '?', '<']) {
            let reason = "it is not the name of a single index".to_owned();
            let error_type = "unsafe_name".to_owned();
            return Err(ClusterError::Refused { doing, status: 400, error_type, reason });
        }
        self.retry(|| async {
            match self.optional_value(Request::delete(&[name]), &doing).await? {
                Some(response) => acknowledged(&response, &doing),
                None => Ok(()),
            }
        })
        .await
    }
}
