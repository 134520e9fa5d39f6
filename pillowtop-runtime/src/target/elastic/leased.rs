//! An index whose claim this process holds: the only thing that writes documents into it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, IndexName};

use super::bulk::{self, BulkResult, FILTER_PATH, SERVER_TIMEOUT};
use super::classify::{Open, conflict};
use super::cluster::Cluster;
use super::error::ClusterError;
use super::fence::IndexFence;
use super::item::{Item, Routings, add_outcomes, unrouted};
use super::request::{Request, type_and_reason};
use super::search::DocumentKey;
use super::shard_terms::ShardTerms;
use super::shards::IndexShards;
use crate::claim::{Claim, ClaimError};
use crate::operation::{Operation, Version};
use crate::target::{Outcome, Target, WriteError};

/// An index, or a slice of it, whose claim this process holds. Bulks are sent to the private alias
/// of the claim's epoch.
pub struct LeasedIndex {
    cluster: Cluster,
    index: IndexName,
    claim: Arc<Claim>,
    fence: IndexFence,
    terms: ShardTerms,
    /// Of a pillow with a routing.
    routings: Option<Routings>,
}

impl fmt::Debug for LeasedIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LeasedIndex")
            .field("cluster", &self.cluster)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl LeasedIndex {
    /// An index whose claim is held and whose fence is installed. `is_routed`: its documents go
    /// where their routing values lead.
    pub(super) async fn open(
        cluster: &Cluster,
        claim: Arc<Claim>,
        fence: IndexFence,
        is_routed: bool,
    ) -> Result<Self, ClusterError> {
        let index = claim.target();
        let shards = IndexShards::read(cluster, &index).await?;
        let routings = if is_routed {
            let of_shards = shards.confirmed_routings(cluster, &index).await?;
            Some(Routings { shards, of_shards })
        } else {
            None
        };
        let terms = ShardTerms::new(shards);
        Ok(Self { cluster: cluster.clone(), index, claim, fence, terms, routings })
    }

    /// The alias that bulks are sent to, another one in each epoch.
    pub fn write_alias(&self) -> String {
        self.fence.alias(self.claim.epoch())
    }

    async fn write_bulk(&self, operations: &[Operation]) -> Result<Vec<Outcome>, WriteError> {
        let Some(routings) = &self.routings else {
            return self.send(&unrouted(operations, None)).await;
        };
        let mut all = vec![None; operations.len()];
        let items = routings.first(operations);
        add_outcomes(&mut all, &items, self.send(&items).await?);
        let outcomes: Vec<Outcome> = all.into_iter().flatten().collect();
        let items = routings.second(operations, &outcomes);
        if items.is_empty() {
            return Ok(outcomes);
        }
        let mut all: Vec<Option<Outcome>> = outcomes.into_iter().map(Some).collect();
        add_outcomes(&mut all, &items, self.send(&items).await?);
        Ok(all.into_iter().flatten().collect())
    }

    /// A probe is sent to where a document goes: with a routing that is any shard.
    async fn write_probe(
        &self,
        probe: &Operation,
        document: &DocumentId,
    ) -> Result<Vec<Outcome>, WriteError> {
        let probe = std::slice::from_ref(probe);
        match &self.routings {
            Some(_) => self.write_bulk(probe).await,
            None => self.send(&unrouted(probe, Some(document.as_str()))).await,
        }
    }

    /// Sends one bulk. One outcome for each item.
    async fn send(&self, items: &[Item<'_>]) -> Result<Vec<Outcome>, WriteError> {
        let Some(highest) = items.iter().map(|item| item.operation.version).max() else {
            return Ok(Vec::new());
        };
        let epoch = self.claim.check(highest).map_err(write_error)?;
        let alias = self.fence.alias(epoch);
        let path = [alias.as_str(), "_bulk"];
        let query = [("timeout", SERVER_TIMEOUT), ("filter_path", FILTER_PATH)];
        let fill = |body: &mut Vec<u8>| bulk::push_items(body, items);
        let body = self.cluster.body_buffers().filled(bulk::body_bytes(items), fill);
        let request = Request::post(&path).query(&query).body(body);
        let response = self.cluster.send(request).await.map_err(WriteError::Unreachable)?;
        if !(200..300).contains(&response.status) {
            let (error_type, reason) = type_and_reason(&response);
            let reason = format!("status {}: {error_type}: {reason}", response.status);
            return Err(bulk::request_error(response.status, reason));
        }
        let ceiling = self.claim.versions().ceiling();
        let mut result = bulk::read_response(&response.body, items, ceiling, &self.terms)?;
        self.confirm_shards(&result).await?;
        self.resolve(&mut result, items, epoch, ceiling).await;
        Ok(result.outcomes)
    }

    /// Nothing is acknowledged by a shard that may have lost acknowledged documents: another
    /// primary term means another primary, which is one with the same history, or one with another.
    async fn confirm_shards(&self, result: &BulkResult) -> Result<(), WriteError> {
        if result.changed_terms.is_empty() {
            return Ok(());
        }
        match self.claim.confirm().await {
            Ok(()) => {
                self.terms.note(&result.changed_terms);
                Ok(())
            }
            Err(ClaimError::Lost { reason, .. }) => Err(WriteError::ClaimLost(reason)),
            Err(error) => Err(WriteError::Busy(error.to_string())),
        }
    }

    /// Reads what has to be read before all outcomes are known.
    async fn resolve(&self, result: &mut BulkResult, items: &[Item<'_>], epoch: u64, ceiling: Version) {
        if result.open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut result.open);
        let fence = if open.iter().any(|(_, open)| matches!(open, Open::Fence { .. })) {
            Some(self.repaired(epoch).await)
        } else {
            None
        };
        let conflicts = open.iter().filter(|(_, open)| matches!(open, Open::Version { .. }));
        let conflicts: Vec<usize> = conflicts.map(|(position, _)| *position).collect();
        let versions = self.versions(&conflicts, items).await;
        for (position, open) in open {
            let outcome = match open {
                Open::Fence { .. } => fence.clone(),
                Open::Version { reason } => {
                    versions.get(&position).map(|there| conflict(*there, ceiling, reason))
                }
            };
            if let Some(outcome) = outcome {
                result.outcomes[position] = outcome;
            }
        }
    }

    /// The versions that the documents of some items have, by the positions of the items; those
    /// that cannot be read are left out.
    async fn versions(&self, positions: &[usize], items: &[Item<'_>]) -> BTreeMap<usize, Version> {
        let keys: Vec<DocumentKey<'_>> = positions
            .iter()
            .map(|position| &items[*position])
            .map(|item| DocumentKey { id: item.operation.id.as_str(), routing: item.routing })
            .collect();
        if keys.is_empty() {
            return BTreeMap::new();
        }
        match self.cluster.versions(&self.index, &keys).await {
            Ok(versions) => positions
                .iter()
                .zip(versions)
                .filter_map(|(position, version)| Some((*position, version?)))
                .collect(),
            Err(_) => BTreeMap::new(),
        }
    }

    /// The outcome of operations that were sent to a missing alias. If the claim is still ours, the
    /// alias is installed again.
    async fn repaired(&self, epoch: u64) -> Outcome {
        // The claim has entered another phase since.
        if self.claim.lost().is_none() && self.claim.epoch() != epoch {
            return Outcome::Busy { reason: "the private alias was changed meanwhile".to_owned() };
        }
        match self.claim.repair().await {
            Ok(()) => {
                Outcome::Busy { reason: "the private alias was missing and is installed again".to_owned() }
            }
            Err(ClaimError::Lost { reason, .. }) => Outcome::Fenced { reason },
            Err(error) => Outcome::Blocked { reason: format!("the private alias is missing: {error}") },
        }
    }
}

fn write_error(error: ClaimError) -> WriteError {
    match error {
        ClaimError::Lost { reason, .. } => WriteError::ClaimLost(reason),
        ClaimError::Unavailable { reason, .. } => WriteError::Blocked(reason),
    }
}

impl Target for LeasedIndex {
    fn describe(&self) -> String {
        format!("index `{}` of {}", self.index, self.cluster)
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.write_bulk(operations).boxed()
    }

    fn probe<'a>(
        &'a self,
        probe: &'a Operation,
        document: &'a DocumentId,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.write_probe(probe, document).boxed()
    }
}
