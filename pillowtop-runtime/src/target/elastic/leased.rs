//! An index whose claim this process holds: the only thing that writes documents into it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, IndexName};
use serde_json::Value;

use super::answer::{Open, conflict};
use super::bulk::{self, BulkResult, FILTER_PATH, SERVER_TIMEOUT};
use super::cluster::Cluster;
use super::error::ClusterError;
use super::fence::IndexFence;
use super::request::{Request, type_and_reason};
use super::shard_terms::ShardTerms;
use crate::claim::{Claim, ClaimError};
use crate::operation::{Operation, Version};
use crate::target::bulk_body::push_operation;
use crate::target::{Outcome, Target, WriteError};

/// An index, or a slice of it, whose claim this process holds. Bulks are sent to the private alias
/// of the claim's epoch.
pub struct LeasedIndex {
    cluster: Cluster,
    index: IndexName,
    claim: Arc<Claim>,
    fence: IndexFence,
    terms: ShardTerms,
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
    /// An index whose claim is held and whose fence is installed.
    pub(super) async fn open(
        cluster: &Cluster,
        claim: Arc<Claim>,
        fence: IndexFence,
    ) -> Result<Self, ClusterError> {
        let index = claim.target();
        let terms = read_shards(cluster, &index).await?;
        Ok(Self { cluster: cluster.clone(), index, claim, fence, terms })
    }

    /// The alias that bulks are sent to, another one in each epoch.
    pub fn write_alias(&self) -> String {
        self.fence.alias(self.claim.epoch())
    }

    async fn write_bulk(
        &self,
        operations: &[Operation],
        routing: Option<&DocumentId>,
    ) -> Result<Vec<Outcome>, WriteError> {
        let Some(highest) = operations.iter().map(|operation| operation.version).max() else {
            return Ok(Vec::new());
        };
        let bytes = operations.iter().map(Operation::body_bytes).sum();
        let body = self.cluster.body_buffers().filled(bytes, |body| {
            operations.iter().for_each(|operation| push_operation(body, operation, routing));
        });
        let epoch = self.claim.check(highest).map_err(write_error)?;
        let alias = self.fence.alias(epoch);
        let path = [alias.as_str(), "_bulk"];
        let query = [("timeout", SERVER_TIMEOUT), ("filter_path", FILTER_PATH)];
        let request = Request::post(&path).query(&query).body(body);
        let response = self.cluster.send(request).await.map_err(WriteError::Unreachable)?;
        if !(200..300).contains(&response.status) {
            let (error_type, reason) = type_and_reason(&response);
            let reason = format!("status {}: {error_type}: {reason}", response.status);
            return Err(bulk::request_error(response.status, reason));
        }
        let ceiling = self.claim.versions().ceiling();
        let mut result = bulk::read_response(&response.body, operations, ceiling, &self.terms)?;
        self.confirm_shards(&result).await?;
        self.resolve(&mut result, operations, epoch, ceiling).await;
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
    async fn resolve(&self, result: &mut BulkResult, operations: &[Operation], epoch: u64, ceiling: Version) {
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
        let ids: Vec<&str> = conflicts.map(|(position, _)| operations[*position].id.as_str()).collect();
        let versions =
            if ids.is_empty() { Ok(BTreeMap::new()) } else { self.cluster.versions(&self.index, &ids).await };
        for (position, open) in open {
            let outcome = match open {
                Open::Fence { .. } => fence.clone(),
                Open::Version { reason } => {
                    let there = versions
                        .as_ref()
                        .ok()
                        .and_then(|versions| versions.get(operations[position].id.as_str()));
                    there.map(|there| conflict(*there, ceiling, reason))
                }
            };
            if let Some(outcome) = outcome {
                result.outcomes[position] = outcome;
            }
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

/// The shards of an index. The number of virtual shards is in the cluster's state, which not
/// everyone may read.
async fn read_shards(cluster: &Cluster, index: &IndexName) -> Result<ShardTerms, ClusterError> {
    let doing = format!("reading the shards of index `{index}`");
    let path = [index.as_str(), "_settings"];
    let settings = cluster.value(Request::get(&path), &doing).await?;
    let shards = settings.pointer(&format!("/{index}/settings/index/number_of_shards"));
    let shards = shards.and_then(Value::as_str).and_then(|number| number.parse().ok()).unwrap_or(1);
    if shards == 1 {
        return Ok(ShardTerms::new(1, None));
    }
    let path = ["_cluster", "state", "metadata", index.as_str()];
    let query = [("filter_path", "metadata.indices.*.routing_num_shards")];
    let routing_shards = match cluster.value(Request::get(&path).query(&query), &doing).await {
        Ok(state) => state
            .pointer(&format!("/metadata/indices/{index}/routing_num_shards"))
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok()),
        Err(error) if error.is_retryable() => return Err(error),
        Err(_) => None,
    };
    Ok(ShardTerms::new(shards, routing_shards))
}

impl Target for LeasedIndex {
    fn describe(&self) -> String {
        format!("index `{}` of {}", self.index, self.cluster)
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.write_bulk(operations, None).boxed()
    }

    fn probe<'a>(
        &'a self,
        probe: &'a Operation,
        document: &'a DocumentId,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        self.write_bulk(std::slice::from_ref(probe), Some(document)).boxed()
    }
}
