//! The indices that a pillow is followed into, and taking the claim on one of them.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{AliasName, Definition, IndexName};
use serde_json::Value;

use super::cluster::Cluster;
use super::control::ControlIndex;
use super::dead_letters::IndexDeadLetters;
use super::error::ClusterError;
use super::fence::IndexFence;
use super::leased::LeasedIndex;
use super::live_mapping::live_hash;
use super::reader::IndexReader;
use super::request::Request;
use crate::claim::{
    AcquireOptions, Claim, ClaimDocument, ClaimKey, ClaimState, ClaimStore as _, DatabaseIdentity, Lease,
    Phase, Slice,
};
use crate::target::{Destination, OpenError, OpenTarget, TargetReader, TargetRef};

/// The indices of one pillow in a cluster.
#[derive(Debug, Clone)]
pub struct ElasticDestination {
    cluster: Cluster,
    control: ControlIndex,
    definition: Definition,
    lease: Arc<Lease>,
    slices: Vec<Slice>,
}

/// The physical indices of a pillow.
#[derive(Default)]
struct Indices {
    /// Those that were created for the committed hash, in order of names.
    found: Vec<FoundIndex>,
    /// One that has the hashed alias and another hash: somebody changed it.
    changed: Option<(IndexName, Option<String>)>,
    /// One that is searched and has another hash: that of another release.
    searched: Option<IndexName>,
}

/// A physical index of the definition's hash.
struct FoundIndex {
    target: TargetRef,
    /// Whether it has the hashed alias or the search alias.
    has_alias: bool,
}

impl ElasticDestination {
    /// The indices of a pillow. Claims are taken under `lease`, which must be in the cluster's
    /// [`ControlIndex`].
    pub fn new(cluster: &Cluster, definition: &Definition, lease: &Arc<Lease>) -> Self {
        Self {
            cluster: cluster.clone(),
            control: ControlIndex::new(cluster),
            definition: definition.clone(),
            lease: Arc::clone(lease),
            slices: vec![Slice::Whole],
        }
    }

    /// With these slices, where a pillow reads several databases. An index is complete when all of
    /// them are.
    #[must_use]
    pub fn with_slices(self, slices: Vec<Slice>) -> Self {
        Self { slices, ..self }
    }

    fn aliases(&self) -> [AliasName; 2] {
        let prefix = self.cluster.prefix();
        [self.definition.hashed_alias(prefix), self.definition.search_alias(prefix)]
    }

    async fn indices(&self) -> Result<Indices, ClusterError> {
        let [hashed, search] = self.aliases();
        let pattern = format!("{hashed}_*,{search},{hashed}");
        let path = [pattern.as_str()];
        let query = [
            ("ignore_unavailable", "true"),
            ("expand_wildcards", "all"),
            ("filter_path", "*.aliases,*.mappings._meta,*.settings.index.uuid"),
        ];
        let doing = format!("reading the indices of pillow `{}`", self.definition.pillow);
        let response = self.cluster.optional_value(Request::get(&path).query(&query), &doing).await?;
        let entries = response.as_ref().and_then(Value::as_object).into_iter().flatten();
        let hash = self.definition.hash.to_string();
        let mut indices = Indices::default();
        for (name, entry) in entries {
            let has =
                |alias: &AliasName| entry.get("aliases").and_then(|all| all.get(alias.as_str())).is_some();
            let live = entry.get("mappings").and_then(live_hash);
            if live != Some(&hash) {
                if has(&search) {
                    indices.searched = Some(name.as_str().into());
                }
                if has(&hashed) {
                    indices.changed = Some((name.as_str().into(), live.map(str::to_owned)));
                }
                continue;
            }
            let Some(uuid) = entry.pointer("/settings/index/uuid").and_then(Value::as_str) else { continue };
            let target = TargetRef { name: name.as_str().into(), uuid: uuid.to_owned() };
            indices.found.push(FoundIndex { target, has_alias: has(&hashed) || has(&search) });
        }
        Ok(indices)
    }

    async fn read_targets(&self) -> Result<Vec<TargetRef>, OpenError> {
        let Indices { found: indices, changed, searched } = self.indices().await.map_err(failed)?;
        if let (true, Some((index, live))) = (indices.is_empty(), changed) {
            let committed = self.definition.hash.to_string();
            return Err(failed(ClusterError::OtherHash { index, live, committed }));
        }
        let keys: Vec<ClaimKey> = indices
            .iter()
            .flat_map(|index| self.slices.iter().map(|slice| key_of(&index.target, slice)))
            .collect();
        let claims = self.control.claims(&keys).await.map_err(|error| OpenError::Failed(Box::new(error)))?;
        let (mut targets, mut incomplete) = (Vec::new(), Vec::new());
        for index in indices.into_iter().filter(|index| index.has_alias) {
            let claim_of = |slice: &Slice| claims.get(&key_of(&index.target, slice));
            let reason = if self.slices.is_empty() {
                self.why_loading(&index.target).await?
            } else {
                self.slices.iter().find_map(|slice| why_incomplete(slice, claim_of(slice)))
            };
            match reason {
                None => targets.push(index.target),
                Some(reason) => incomplete.push((index.target.name, reason)),
            }
        }
        if targets.is_empty() { Err(self.not_ready(incomplete, searched)) } else { Ok(targets) }
    }

    /// Why an index with any number of slices is not followed: one of them is being loaded, or none
    /// ever was.
    async fn why_loading(&self, target: &TargetRef) -> Result<Option<String>, OpenError> {
        let prefix = ClaimKey { target: target.uuid.clone(), slice: Slice::Database("".into()) }.claim();
        let stored = self.control.list(&prefix).await.map_err(|error| OpenError::Failed(Box::new(error)))?;
        let claims =
            stored.into_iter().map(|(_, stored)| serde_json::from_value::<ClaimDocument>(stored.value));
        let claims: Vec<ClaimDocument> =
            claims.collect::<Result<_, _>>().map_err(|error| OpenError::Failed(Box::new(error)))?;
        if claims.is_empty() {
            return Ok(Some("nothing was ever loaded".to_owned()));
        }
        Ok(claims.iter().find_map(|claim| {
            why_incomplete(&Slice::Database(claim.state.database.name.clone()), Some(claim))
        }))
    }

    fn not_ready(&self, incomplete: Vec<(IndexName, String)>, searched: Option<IndexName>) -> OpenError {
        let pillow = &self.definition.pillow;
        let build = format!("run `PROGRAM fast-reindex {pillow}`");
        match (incomplete.into_iter().next_back(), searched) {
            (None, Some(index)) => OpenError::NotReady {
                reason: format!(
                    "standing by: index `{index}` of pillow `{pillow}`, which is searched, has the mapping of another release, and there is none for the mapping of this one"
                ),
                hint: Some("`PROGRAM es-manage plan` shows what to do".to_owned()),
            },
            (None, None) => OpenError::NotReady {
                reason: format!("there is no index for the committed mapping of pillow `{pillow}`"),
                hint: Some(build),
            },
            (Some((index, reason)), _) => OpenError::NotReady {
                reason: format!("index `{index}` is not complete: {reason}"),
                hint: Some(format!("wait until its load has ended, or {build} to resume it")),
            },
        }
    }

    /// Takes the claim on an index, or on a slice of it. `initial` is the state to begin with when
    /// none is stored, such as that of a load.
    ///
    /// # Errors
    ///
    /// When the index is another one or has another mapping, or the claim cannot be taken.
    pub async fn open_with(
        &self,
        target: &TargetRef,
        slice: Slice,
        initial: Option<ClaimState>,
        options: AcquireOptions,
    ) -> Result<OpenTarget, OpenError> {
        let (cluster, definition) = (&self.cluster, &self.definition);
        self.check(target).await?;
        let fence = IndexFence::new(cluster, &target.name, &target.uuid, &slice, &definition.pillow);
        let key = ClaimKey { target: target.uuid.clone(), slice };
        let claim =
            Claim::acquire(&self.lease, key, &target.name, Arc::new(fence.clone()), options, initial).await?;
        let claim = Arc::new(claim);
        // The mapping may have been changed between the first check and the fence.
        let opened = match self.check(target).await {
            Ok(()) => {
                let is_routed = definition.routing.is_some();
                LeasedIndex::open(cluster, Arc::clone(&claim), fence, is_routed).await.map_err(failed)
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok(index) => Ok(OpenTarget {
                claim,
                target: Arc::new(index),
                dead_letters: Arc::new(IndexDeadLetters::new(cluster, target.uuid.clone())),
            }),
            Err(error) => {
                if let Err(error) = claim.release().await {
                    tracing::warn!(target = %target.name, %error, "the claim cannot be released");
                }
                Err(error)
            }
        }
    }

    /// Whether the index exists with this uuid and has the committed mapping.
    async fn check(&self, target: &TargetRef) -> Result<(), OpenError> {
        let uuid = self.cluster.index_uuid(&target.name).await.map_err(failed)?;
        if uuid.as_ref() != Some(&target.uuid) {
            return Err(OpenError::NotReady {
                reason: format!("index `{}` was deleted", target.name),
                hint: Some(format!("run `PROGRAM fast-reindex {}`", self.definition.pillow)),
            });
        }
        self.cluster.check_mapping(&self.definition, &target.name).await.map_err(failed)
    }
}

fn key_of(target: &TargetRef, slice: &Slice) -> ClaimKey {
    ClaimKey { target: target.uuid.clone(), slice: slice.clone() }
}

fn failed(error: ClusterError) -> OpenError {
    OpenError::Failed(Box::new(error))
}

/// Why a slice of an index is not complete.
pub(super) fn why_incomplete(slice: &Slice, claim: Option<&ClaimDocument>) -> Option<String> {
    let what = match slice {
        Slice::Whole => String::new(),
        Slice::Database(database) => format!("database `{database}`: "),
        Slice::Range { number, .. } => format!("range {number}: "),
    };
    match claim {
        None => Some(format!("{what}nothing was ever loaded")),
        Some(claim) if claim.state.phase != Phase::Following => Some(format!("{what}{}", claim.state.phase)),
        Some(_) => None,
    }
}

impl Destination for ElasticDestination {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        self.read_targets().boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        // An index for one database must have been loaded; a database that appears beside others is
        // read from its start.
        let begin = begin.filter(|_| slice != Slice::Whole);
        let initial =
            begin.map(|database| ClaimState::new(&self.definition, target.name.clone(), database, None));
        self.open_with(target, slice, initial, options).boxed()
    }

    fn reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        Some(Arc::new(IndexReader::new(&self.cluster, &self.definition, target)))
    }
}
