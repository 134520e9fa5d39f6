//! Everything that is known of the indices under a prefix, in a fixed number of requests: whatever
//! the number of pillows.

use std::collections::BTreeMap;

use pillowtop_core::{AliasName, IndexName};
use serde::Deserialize;
use serde_json::Value;

use super::backfill::Backfill;
use super::cluster::Cluster;
use super::control::{ControlIndex, read_claim, uuid_in};
use super::error::ClusterError;
use super::moves::{AliasHistory, MOVES};
use super::request::Request;
use super::status::{IndexStatus, PARTS, aliases_in};
use crate::claim::{
    BUILDS, Build, ClaimDocument, ClaimKey, FollowReport, LEASES, Leases, Owner, Slice, VERIFIED, Verified,
};

/// An index that pillowtop did not create, or not under this prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignIndex {
    /// Its name.
    pub name: IndexName,
    /// Its aliases.
    pub aliases: Vec<AliasName>,
}

/// The indices under a prefix, and what the control index knows of them.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The indices that pillowtop created under this prefix, in order of names.
    pub indices: Vec<IndexStatus>,
    /// Others whose name or alias begins with the prefix.
    pub foreign: Vec<ForeignIndex>,
    /// What owners report of their claims.
    pub reports: BTreeMap<ClaimKey, FollowReport>,
    /// What the last comparisons with their databases found.
    pub verified: BTreeMap<ClaimKey, Verified>,
    /// Which indices search aliases were on.
    pub moves: BTreeMap<AliasName, AliasHistory>,
    /// How far backfills are, by the uuids of their indices.
    pub backfills: BTreeMap<String, Backfill>,
    /// Who builds the index of which hashed alias.
    pub builds: BTreeMap<AliasName, Build>,
    leases: Leases,
    claims: BTreeMap<String, Vec<(Slice, ClaimDocument)>>,
}

impl Overview {
    /// Some indices of which the control index knows nothing more.
    pub fn of(indices: Vec<IndexStatus>) -> Self {
        Self { indices, ..Self::default() }
    }

    /// The owner of a claim, if its lease was renewed recently by the wall clock.
    pub fn live_owner<'a>(&self, claim: &'a ClaimDocument) -> Option<&'a Owner> {
        let owner = claim.owner.as_ref()?;
        self.leases.seems_alive(owner, claim.length()).then_some(owner)
    }

    /// Who builds the index of a hashed alias now.
    pub fn builder(&self, alias: &AliasName) -> Option<&Owner> {
        let build = self.builds.get(alias)?;
        self.leases.seems_alive(&build.owner, build.length()).then_some(&build.owner)
    }

    /// What the owner of a slice of an index reports.
    pub fn report(&self, index: &IndexStatus, slice: &Slice) -> Option<&FollowReport> {
        self.reports.get(&ClaimKey { target: index.uuid.clone(), slice: slice.clone() })
    }

    /// What the last comparison of a slice of an index found.
    pub fn verified(&self, index: &IndexStatus, slice: &Slice) -> Option<&Verified> {
        self.verified.get(&ClaimKey { target: index.uuid.clone(), slice: slice.clone() })
    }

    /// The indices that an alias is on, those that pillowtop did not create among them.
    pub fn indices_of<'a>(&'a self, alias: &AliasName) -> Vec<&'a IndexName> {
        let own = self.indices.iter().filter(|index| index.aliases.contains(alias));
        let foreign = self.foreign.iter().filter(|index| index.aliases.contains(alias));
        own.map(|index| &index.name).chain(foreign.map(|index| &index.name)).collect()
    }

    /// An index that pillowtop created.
    pub fn index(&self, name: &IndexName) -> Option<&IndexStatus> {
        self.indices.iter().find(|index| index.name == *name)
    }

    /// Takes a document of the control index by its key.
    ///
    /// # Errors
    ///
    /// When a claim cannot be read.
    pub fn take(&mut self, key: &str, value: &Value) -> Result<(), ClusterError> {
        match key.split_once(':').map_or((key, ""), |(kind, rest)| (kind, rest)) {
            ("claim", _) => {
                if let Some(claim) = ClaimKey::of_claim(key) {
                    let document = read_claim(value, &claim)?;
                    self.claims.entry(claim.target).or_default().push((claim.slice, document));
                }
            }
            ("report", rest) => {
                let report = FollowReport::deserialize(value).ok();
                let claim = ClaimKey::of_claim(&format!("claim:{rest}"));
                self.reports.extend(claim.zip(report));
            }
            ("verified", rest) => {
                let verified = Verified::deserialize(value).ok();
                self.verified.extend(ClaimKey::of_claim(&format!("claim:{rest}")).zip(verified));
            }
            ("moved", alias) => {
                self.moves.extend(AliasHistory::deserialize(value).ok().map(|moves| (alias.into(), moves)));
            }
            ("build", alias) => {
                self.builds.extend(Build::deserialize(value).ok().map(|build| (alias.into(), build)));
            }
            ("backfill", _) => {
                let backfill = Backfill::deserialize(value).ok();
                self.backfills.extend(uuid_in(key).map(str::to_owned).zip(backfill));
            }
            _ => self.leases.add(key, value),
        }
        Ok(())
    }
}

impl Cluster {
    /// Reads the indices under this prefix with aliases, health, sizes and documents, and the
    /// control index.
    ///
    /// # Errors
    ///
    /// When a claim cannot be read: it must not look like an index that was never loaded.
    pub async fn overview(&self) -> Result<Overview, ClusterError> {
        let response = self.described_indices().await?;
        let states = self.index_states(&self.prefixed("*")).await?;
        let kinds = ["claim:", "report:", VERIFIED, MOVES, BUILDS, "backfill:", LEASES];
        let mut overview = Overview::default();
        for (key, stored) in ControlIndex::new(self).documents_of(&kinds).await? {
            overview.take(&key, &stored.value)?;
        }
        for (name, entry) in response.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let Some(mut index) = IndexStatus::described(name, entry, self.prefix()) else {
                overview
                    .foreign
                    .push(ForeignIndex { name: name.as_str().into(), aliases: aliases_in(entry) });
                continue;
            };
            // An index that was created between the two requests has none yet.
            let Some(state) = states.get(name) else { continue };
            (index.health, index.bytes) = (state.health, state.bytes);
            index.claims = overview.claims.remove(&index.uuid).unwrap_or_default();
            overview.indices.push(index);
        }
        overview.indices.sort_by(|left, right| left.name.cmp(&right.name));
        // Other counts include nested objects.
        let names: Vec<IndexName> = overview.indices.iter().map(|index| index.name.clone()).collect();
        for (index, count) in overview.indices.iter_mut().zip(self.counts(&names).await?) {
            index.documents = count;
        }
        Ok(overview)
    }

    /// What is told of the indices under this prefix, by their names.
    async fn described_indices(&self) -> Result<Option<Value>, ClusterError> {
        let pattern = self.prefixed("*");
        let path = [pattern.as_str()];
        let query = [("expand_wildcards", "open,closed"), ("filter_path", PARTS)];
        self.optional_value(Request::get(&path).query(&query), "listing indices").await
    }

    /// The claims on the indices that pillowtop created under this prefix, in order of names. They
    /// are known by `_meta.pillowtop`, so an index of a pillow that no longer exists is among them.
    ///
    /// # Errors
    ///
    /// When a claim cannot be read: it must not look like an index that was never loaded.
    pub async fn index_claims(&self) -> Result<Vec<(IndexName, ClaimKey, ClaimDocument)>, ClusterError> {
        let response = self.described_indices().await?;
        let entries = response.as_ref().and_then(Value::as_object).into_iter().flatten();
        let described =
            entries.filter_map(|(name, entry)| IndexStatus::described(name, entry, self.prefix()));
        let names: BTreeMap<String, IndexName> = described.map(|index| (index.uuid, index.name)).collect();
        let mut claims = Vec::new();
        for (key, stored) in ControlIndex::new(self).documents_of(&["claim:"]).await? {
            let Some(key) = ClaimKey::of_claim(&key) else { continue };
            let Some(name) = names.get(&key.target) else { continue };
            let claim = read_claim(&stored.value, &key)?;
            claims.push((name.clone(), key, claim));
        }
        claims.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
        Ok(claims)
    }

    /// The uuids of indices that were deleted and that the control index still knows.
    ///
    /// # Errors
    ///
    /// When something cannot be read.
    pub async fn forgotten_uuids(&self) -> Result<Vec<String>, ClusterError> {
        // Claims before indices: one that is created meanwhile is in the list.
        let documents = ControlIndex::new(self).documents_of(&["claim:", "past:", "report:"]).await?;
        let existing = self.index_uuids().await?;
        let mut uuids: Vec<String> =
            documents.iter().filter_map(|(key, _)| uuid_in(key)).map(str::to_owned).collect();
        uuids.sort();
        uuids.dedup();
        uuids.retain(|uuid| !existing.contains(uuid));
        Ok(uuids)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(key: &str, value: &Value) -> Overview {
        let mut overview = Overview::default();
        overview.take(key, value).unwrap();
        overview
    }

    #[test]
    fn documents_of_the_control_index_are_told_apart_by_their_keys() {
        let report = taken("report:uuid/a:b", &json!({"written": "2026-01-01T00:00:00Z", "pending": 3}));
        let key = ClaimKey { target: "uuid".to_owned(), slice: Slice::Database("a:b".into()) };
        assert_eq!(report.reports.get(&key).and_then(|report| report.pending), Some(3));
        let moves = taken("moved:cases", &json!({"moves": [{"from": ["a"], "to": "b", "time": "t"}]}));
        assert_eq!(moves.moves[&"cases".into()].before(&"b".into()), Some([IndexName::from("a")].as_slice()));
        let mut overview = Overview::default();
        assert!(
            overview.take("claim:uuid", &json!({"state": 1})).is_err(),
            "a claim that cannot be read is not a missing claim"
        );
    }
}
