//! Removing an index that nothing needs, with what belongs to it.

use serde_json::Value;

use super::cluster::Cluster;
use super::control::ControlIndex;
use super::dead_letter_search::{DeadLetterFilter, DeadLettersOf};
use super::error::ClusterError;
use super::request::Request;
use super::status::IndexStatus;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Dead letters.
    pub dead_letters: u64,
    /// Documents of the control index.
    pub control_documents: u64,
}

impl Cluster {
    /// Deletes an index, then its dead letters and what the control index knows of it. It must
    /// still be the index that was seen, and pillowtop's own.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, or a server refuses something. Nothing is deleted if it
    /// changed.
    pub async fn remove_index(&self, seen: &IndexStatus) -> Result<Removed, ClusterError> {
        self.check_unused(seen).await?;
        self.delete_index(&seen.name).await?;
        self.forget_index(seen).await
    }

    /// Closes an index: it keeps its documents on disk, and no memory.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, or a server refuses it.
    pub async fn close_index(&self, seen: &IndexStatus) -> Result<(), ClusterError> {
        self.check_unused(seen).await?;
        let path = [seen.name.as_str(), "_close"];
        let doing = format!("closing index `{}`", seen.name);
        self.change(Request::post(&path), &doing).await
    }

    /// Removes what the control index knows of an index that was deleted.
    ///
    /// # Errors
    ///
    /// When a server refuses it.
    pub async fn forget_uuid(&self, uuid: &str) -> Result<u64, ClusterError> {
        Ok(ControlIndex::new(self).forget(uuid).await?)
    }

    async fn forget_index(&self, seen: &IndexStatus) -> Result<Removed, ClusterError> {
        let filter = DeadLetterFilter {
            of: DeadLettersOf::DeletedIndices,
            index: Some(seen.name.clone()),
            ..DeadLetterFilter::default()
        };
        let dead_letters = self.purge_dead_letters(&filter).await?;
        Ok(Removed { dead_letters, control_documents: self.forget_uuid(&seen.uuid).await? })
    }

    /// Whether an index is still the one that was seen: the same uuid, created by pillowtop under
    /// this prefix, with the same aliases.
    async fn check_unused(&self, seen: &IndexStatus) -> Result<(), ClusterError> {
        let doing = format!("looking at index `{}` once more", seen.name);
        let description = self.index_description(seen.name.as_str()).await?;
        let entry = description.get(seen.name.as_str()).unwrap_or(&Value::Null);
        let now = IndexStatus::described(seen.name.as_str(), entry, self.prefix());
        let is_same = now
            .is_some_and(|now| now.uuid == seen.uuid && now.hash == seen.hash && now.aliases == seen.aliases);
        if is_same {
            return Ok(());
        }
        Err(ClusterError::Refused {
            doing,
            status: 409,
            error_type: "changed_concurrently".to_owned(),
            reason: "another index has its name, or its aliases changed".to_owned(),
        })
    }
}
