//! An additive change of a mapping, put on a live index.
//!
//! ```text
//! fields ─▶ `_meta`: hash, backfilling ─▶ claims: hash, no owner ─▶ hashed alias ─▶ backfill ─▶ `_meta`
//! ```
//!
//! Once the hash in `_meta` is raised, a release with the earlier mapping cannot take a claim on
//! the index any more: it stands by. Its present owner loses the claim, and what it writes until it
//! notices is read again by the next owner, from the position that was last saved. So every
//! document that lacks the new fields was in the index before, and the backfill touches it.
//!
//! Each step may be repeated: an interrupted extension is continued from the start.

use std::time::Duration;

use pillowtop_core::diff::{ChangeClass, PathChange, live_changes};
use pillowtop_core::{AliasName, Definition, IndexName};
use serde_json::{Value, json};

use super::backfill::Backfill;
use super::cluster::Cluster;
use super::control::ControlIndex;
use super::error::ClusterError;
use super::live_mapping::live_hash;
use super::rendering;
use super::request::Request;
use super::status::{IndexHealth, IndexStatus, aliases_in};
use crate::claim::{ClaimKey, Phase, amend, read};
use crate::request::{RequestKind, submit, wait, withdraw};

/// How long owners may take to notice that they lost their claims. They notice with their next save
/// otherwise.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

/// Whether a live index can be extended to a definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Extension {
    /// It can: the changes.
    Additive(Vec<PathChange>),
    /// Another index has to be built, because of this.
    NeedsIndex(String),
}

impl Cluster {
    /// Whether the mapping of a definition can be put on a live index: all changes are additive,
    /// and what else decides its contents is the same.
    ///
    /// # Errors
    ///
    /// When the live mapping cannot be read.
    pub async fn extension(
        &self,
        definition: &Definition,
        index: &IndexStatus,
    ) -> Result<Extension, ClusterError> {
        let needs = |reason: &str| Ok(Extension::NeedsIndex(reason.to_owned()));
        match &index.rest {
            None => {
                return needs(
                    "it was created by an earlier release, which did not store what else decides its contents",
                );
            }
            Some(rest) if *rest != definition.rest_hash().to_string() => {
                return needs("static settings, document types, filter or transform changed");
            }
            Some(_) => {}
        }
        if matches!(index.health, IndexHealth::Closed | IndexHealth::Red) || !index.blocks.is_empty() {
            return needs("it is closed, red or read-only");
        }
        if index.claims.is_empty()
            || index.claims.iter().any(|(_, claim)| claim.state.phase != Phase::Following)
        {
            return needs("it is not complete");
        }
        let wanted = rendering::mappings(definition, self.target())?;
        let live = self.live_mapping(&index.name).await?;
        let changes = live_changes(&live, &wanted).map_err(|reason| ClusterError::Malformed {
            doing: format!("comparing the mapping of index `{}`", index.name),
            reason,
        })?;
        match changes.iter().find(|change| change.class != ChangeClass::Additive) {
            Some(change) => needs(&format!("`{}`: {}", change.path, change.reason)),
            None => Ok(Extension::Additive(changes)),
        }
    }

    /// Puts the mapping of a definition on a live index, and makes the index that of the
    /// definition. Its documents have to be indexed again then ([`Cluster::end_extension`]).
    ///
    /// # Errors
    ///
    /// When the server refuses it, or does not respond. The next call continues.
    pub async fn extend(&self, definition: &Definition, index: &IndexStatus) -> Result<(), ClusterError> {
        let name = &index.name;
        let hash = definition.hash.to_string();
        let live = self.live_mapping(name).await?;
        if live_hash(&live) != Some(&hash) {
            let mut fields = rendering::mappings(definition, self.target())?;
            let meta = fields.as_object_mut().and_then(|root| root.remove("_meta"));
            self.put_mapping(name, &fields).await?;
            self.put_mapping(name, &json!({"_meta": raised(&live, meta, true)})).await?;
        }
        self.hand_over(index, &hash).await?;
        self.rename(definition, index).await?;
        if self.backfill(&index.uuid).await?.is_none_or(|backfill| backfill.hash != hash) {
            self.refresh(name).await?;
            let total = self.count(name.as_str()).await?;
            let backfill = Backfill { hash, total, ..Backfill::default() };
            self.store_backfill(&index.uuid, Some(&backfill)).await?;
        }
        Ok(())
    }

    /// Notes that every document of an extended index was indexed again.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub async fn end_extension(&self, name: &IndexName, uuid: &str) -> Result<(), ClusterError> {
        let live = self.live_mapping(name).await?;
        let meta = raised(&live, live.get("_meta").cloned(), false);
        self.put_mapping(name, &json!({ "_meta": meta })).await?;
        self.store_backfill(uuid, None).await
    }

    async fn put_mapping(&self, name: &IndexName, body: &Value) -> Result<(), ClusterError> {
        let path = [name.as_str(), "_mapping"];
        let doing = format!("extending the mapping of index `{name}`");
        self.change(Request::put(&path).json(body), &doing).await
    }

    /// Takes the claims from whoever has them, for the hash of the extended mapping.
    async fn hand_over(&self, index: &IndexStatus, hash: &str) -> Result<(), ClusterError> {
        let control = ControlIndex::new(self);
        let mut told = Vec::new();
        for (slice, _) in &index.claims {
            let key = ClaimKey { target: index.uuid.clone(), slice: slice.clone() };
            let claim = read(&control, &key).await?;
            let Some(claim) = claim.filter(|claim| claim.state.hash != hash) else { continue };
            amend(&control, &key, |state| hash.clone_into(&mut state.hash)).await?;
            if claim.live_owner().is_some() {
                told.extend(submit(&control, &key, RequestKind::Reload, &[]).await?);
            }
        }
        // The present owner notices at once, not with its next save; the next one answers.
        if tokio::time::timeout(NOTICED_WITHIN, wait(&control, &told, |_| ())).await.is_err() {
            withdraw(&control, &told).await?;
        }
        Ok(())
    }

    /// Moves the hashed alias of the definition to the index, and removes that of the earlier hash.
    async fn rename(&self, definition: &Definition, index: &IndexStatus) -> Result<(), ClusterError> {
        let name = &index.name;
        let hashed = definition.hashed_alias(self.prefix());
        let described = self.index_description(name.as_str()).await?;
        let aliases = described.get(name.as_str()).map(aliases_in).unwrap_or_default();
        let stem = format!("{}_", definition.search_alias(self.prefix()));
        let is_earlier = |alias: &&str| {
            let digits = alias.strip_prefix(&stem);
            *alias != hashed.as_str()
                && digits
                    .is_some_and(|hash| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let earlier = aliases.iter().map(AliasName::as_str).filter(is_earlier);
        let mut actions: Vec<Value> =
            earlier.map(|alias| json!({"remove": {"index": name, "alias": alias}})).collect();
        if aliases.contains(&hashed) && actions.is_empty() {
            return Ok(());
        }
        actions.push(json!({"add": {"index": name, "alias": hashed}}));
        self.change_aliases(&actions, &format!("moving alias `{hashed}` to index `{name}`")).await
    }
}

/// The `_meta` of an extended index: that of the definition, with what the index has beside it.
fn raised(live: &Value, wanted: Option<Value>, backfilling: bool) -> Value {
    let mut meta = wanted.unwrap_or_else(|| json!({}));
    let mut own = live.pointer("/_meta/pillowtop").cloned().unwrap_or_else(|| json!({}));
    if let (Some(own), Some(wanted)) = (own.as_object_mut(), meta.get("pillowtop").and_then(Value::as_object))
    {
        own.extend(wanted.clone());
        own.insert("backfilling".to_owned(), json!(backfilling));
    }
    meta["pillowtop"] = own;
    meta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_has_beside_the_hash_is_kept() {
        let live =
            json!({"_meta": {"owner": "old", "pillowtop": {"hash": "a", "prefix": "p", "creation": "c"}}});
        let wanted = json!({"owner": "us", "pillowtop": {"hash": "b"}});
        let meta = raised(&live, Some(wanted), true);
        assert_eq!(
            meta,
            json!({"owner": "us", "pillowtop": {"hash": "b", "prefix": "p", "creation": "c", "backfilling": true}})
        );
        let ended = raised(&json!({"_meta": meta}), Some(meta.clone()), false);
        assert_eq!(ended["pillowtop"]["backfilling"], json!(false));
        assert_eq!(ended["pillowtop"]["hash"], json!("b"));
    }
}
