//! Creating, tuning and removing physical indices.

use pillowtop_core::{Definition, IndexName};
use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use super::rendering::{creation_body, settings_after_loading};

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
    /// Whether the hashed alias was made with it; otherwise another index of the hash has it, and it is flipped later.
    pub has_alias: bool,
}

impl Cluster {
    /// Creates the next physical index of a definition. It gets the hashed alias in the same request unless another index has it.
    pub async fn create_index(
        &self,
        definition: &Definition,
        index_use: IndexUse,
    ) -> Result<CreatedIndex, ClusterError> {
        let definition = &self.with_overrides(definition);
        let alias = definition.hashed_alias(self.prefix());
        let has_alias = self.indices_of(&alias).await?.is_empty();
        let number = self.numbers_of(definition).await?.into_iter().max().map_or(1, |number| number + 1);
        let name = definition.index_name(self.prefix(), number);
        let body = creation_body(
            definition,
            self.target(),
            self.prefix(),
            has_alias.then_some(alias.as_str()),
            index_use == IndexUse::Loading,
        )?;
        let doing = format!("creating index `{name}`");
        let path = [name.as_str()];
        self.value(Request::put(&path).json(&body), &doing).await?;
        let uuid = self.index_uuid(&name).await?.ok_or_else(|| ClusterError::Malformed {
            doing,
            reason: "it is not there after it was created".to_owned(),
        })?;
        Ok(CreatedIndex { name, uuid, has_alias })
    }

    /// The definition with this environment's settings.
    fn with_overrides(&self, definition: &Definition) -> Definition {
        Definition { settings: self.settings_overrides().over(definition), ..definition.clone() }
    }

    /// The numbers of the physical indices that a definition's hash has.
    async fn numbers_of(&self, definition: &Definition) -> Result<Vec<u32>, ClusterError> {
        let stem = format!("{}_", definition.hashed_alias(self.prefix()));
        let pattern = format!("{stem}*");
        let path = [pattern.as_str(), "_settings", "index.uuid"];
        let query = [("expand_wildcards", "open,closed")];
        let doing = format!("listing the indices `{pattern}`");
        let answer = self.optional_value(Request::get(&path).query(&query), &doing).await?;
        let names = answer.as_ref().and_then(Value::as_object).into_iter().flatten();
        Ok(names.filter_map(|(name, _)| name.strip_prefix(&stem)?.parse().ok()).collect())
    }

    /// The physical indices of a definition's hash with higher numbers than this one, or all of them; the highest first.
    pub(crate) async fn indices_after(
        &self,
        definition: &Definition,
        index: Option<&IndexName>,
    ) -> Result<Vec<IndexName>, ClusterError> {
        let number_of = |index: &IndexName| index.as_str().rsplit('_').next()?.parse().ok();
        let after: u32 = index.and_then(number_of).unwrap_or(0);
        let mut numbers = self.numbers_of(definition).await?;
        numbers.retain(|number| *number > after);
        numbers.sort_unstable_by(|left, right| right.cmp(left));
        Ok(numbers.into_iter().map(|number| definition.index_name(self.prefix(), number)).collect())
    }

    /// The uuid of a physical index; `None` when there is none of this name, an alias included.
    pub async fn index_uuid(&self, index: &IndexName) -> Result<Option<String>, ClusterError> {
        let path = [index.as_str(), "_settings", "index.uuid"];
        let doing = format!("reading the uuid of index `{index}`");
        let answer = self.optional_value(Request::get(&path), &doing).await?;
        let uuid = answer
            .as_ref()
            .and_then(|answer| answer.get(index.as_str())?.pointer("/settings/index/uuid")?.as_str());
        Ok(uuid.map(str::to_owned))
    }

    /// Gives an index the settings back that a load changed, makes what was loaded visible, and gives it its replicas.
    pub async fn restore_settings(
        &self,
        definition: &Definition,
        index: &IndexName,
    ) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_settings"];
        let doing = format!("restoring the settings of index `{index}`");
        self.value(
            Request::put(&path).json(&settings_after_loading(&self.with_overrides(definition))),
            &doing,
        )
        .await?;
        self.refresh(index).await
    }

    /// Makes what was written visible to searches.
    pub async fn refresh(&self, index: &IndexName) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_refresh"];
        let doing = format!("refreshing index `{index}`");
        let answer = self.value(Request::post(&path), &doing).await?;
        match answer.pointer("/_shards/failed").and_then(Value::as_u64) {
            Some(0) | None => Ok(()),
            Some(failed) => Err(ClusterError::Refused {
                doing,
                status: 503,
                error_type: "failed_shards".to_owned(),
                reason: format!("{failed} shards failed"),
            }),
        }
    }

    /// Opens an index that was closed.
    pub async fn open_index(&self, index: &IndexName) -> Result<(), ClusterError> {
        let path = [index.as_str(), "_open"];
        self.value(Request::post(&path), &format!("opening index `{index}`")).await.map(drop)
    }

    /// Waits until every shard of an index has all its copies, or at least its primary. `false` when the time is over first.
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
            Ok(answer) => Ok(answer.get("timed_out") != Some(&json!(true))),
            // The time-out is told by a status.
            Err(ClusterError::Refused { status: 408, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a physical index, with all that is in it. Names that could mean several are refused before they are sent.
    pub async fn delete_index(&self, index: &IndexName) -> Result<(), ClusterError> {
        let doing = format!("deleting index `{index}`");
        let name = index.as_str();
        if name.is_empty() || name == "_all" || name.contains(['*', ',', '?', '<']) {
            let reason = "it is no name of a single index".to_owned();
            let error_type = "unsafe_name".to_owned();
            return Err(ClusterError::Refused { doing, status: 400, error_type, reason });
        }
        self.value(Request::new(Method::DELETE, &[name]), &doing).await.map(drop)
    }
}
