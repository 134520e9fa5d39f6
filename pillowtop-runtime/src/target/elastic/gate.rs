//! Problems that prevent serving searches from an index: the same checks for `preindex`, `status`,
//! and `flip`, in a dry run too.

use std::collections::BTreeMap;
use std::time::Duration;

use pillowtop_core::{Definition, IndexName, PillowName};
use serde_json::Value;

use super::cluster::Cluster;
use super::control::ControlIndex;
use super::error::ClusterError;
use super::fence::IndexFence;
use super::status::IndexHealth;
use crate::claim::{
    ClaimDocument, ClaimKey, DatabaseIdentity, Fence as _, FenceError, FollowReport, Phase, Slice, is_alive,
    last_verified,
};

/// The most changes that may be pending by default.
const MOST_PENDING: u64 = 1000;

/// The limits of a gate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GateOptions {
    /// The most changes that may be pending in one database. Default: 1,000.
    pub most_pending: u64,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { most_pending: MOST_PENDING }
    }
}

/// What an index should be.
#[derive(Debug, Clone, Copy)]
pub enum Expected<'a> {
    /// The index of a definition: its mapping is compared.
    Definition(&'a Definition),
    /// An index of another release, of which nothing but this is known.
    Hash {
        /// The pillow.
        pillow: &'a PillowName,
        /// The content hash.
        hash: &'a str,
    },
}

impl<'a> From<&'a Definition> for Expected<'a> {
    fn from(definition: &'a Definition) -> Self {
        Self::Definition(definition)
    }
}

impl Expected<'_> {
    fn pillow(&self) -> &PillowName {
        match self {
            Self::Definition(definition) => &definition.pillow,
            Self::Hash { pillow, .. } => pillow,
        }
    }

    fn hash(&self) -> String {
        match self {
            Self::Definition(definition) => definition.hash.to_string(),
            Self::Hash { hash, .. } => (*hash).to_owned(),
        }
    }
}

/// A problem that prevents serving searches from an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such index.
    #[error("index `{0}` does not exist")]
    Missing(IndexName),
    /// It is closed.
    #[error("it is closed")]
    Closed,
    /// A shard has no primary.
    #[error("it is red: a shard has no active primary")]
    Red,
    /// Documents of it lack fields of its mapping.
    #[error("its mapping was extended, and not all documents have been indexed again since")]
    Backfilling,
    /// It has the mapping of another definition.
    #[error("{0}")]
    OtherMapping(String),
    /// There is no claim: it was never loaded from this database.
    #[error("it was never loaded from database `{database}`")]
    NeverLoaded {
        /// The database.
        database: String,
    },
    /// A load has not ended.
    #[error("database `{database}` is {phase}")]
    Incomplete {
        /// The database.
        database: String,
        /// How far it is.
        phase: Phase,
    },
    /// It was filled for another hash.
    #[error("it was filled for hash {stored}, the committed mapping has hash {committed}")]
    OtherHash {
        /// The hash of the claim.
        stored: String,
        /// The hash of the definition.
        committed: String,
    },
    /// It was filled from another database.
    #[error(
        "it was filled from database `{}` created at {}, not from `{}` created at {}",
        stored.name,
        stored.instance_start_time,
        configured.name,
        configured.instance_start_time
    )]
    OtherDatabase {
        /// The database of the claim.
        stored: DatabaseIdentity,
        /// The database that it should be.
        configured: DatabaseIdentity,
    },
    /// It was restored from a snapshot, or a shard was given up.
    #[error("its shards are not those that were filled, so acknowledged documents may be missing")]
    OtherHistory,
    /// Nobody follows the database.
    #[error("no process follows database `{database}` into it")]
    NotFollowed {
        /// The database.
        database: String,
    },
    /// The owner does not renew its lease.
    #[error("{owner}, which follows database `{database}` into it, has not renewed its lease for {length:?}")]
    OwnerSilent {
        /// The database.
        database: String,
        /// The owner's name.
        owner: String,
        /// The length of the lease.
        length: Duration,
    },
    /// The owner has paused.
    #[error("database `{database}` is paused: {reason}")]
    Paused {
        /// The database.
        database: String,
        /// Why.
        reason: String,
    },
    /// It was not compared with the database since it was complete.
    #[error("it was not compared with database `{database}` since it was complete")]
    NotVerified {
        /// The database.
        database: String,
    },
    /// The last comparison with the database found differences.
    #[error("a comparison with database `{database}` at {time} found {differences} differences")]
    Differs {
        /// The database.
        database: String,
        /// When it ended.
        time: String,
        /// How many documents differ.
        differences: u64,
    },
    /// The owner is behind.
    #[error("{pending} changes of database `{database}` are pending")]
    Behind {
        /// The database.
        database: String,
        /// How many changes.
        pending: u64,
    },
}

/// The slices of an index that is filled from these databases: one for each, if there are several.
pub(super) fn slices(databases: &[DatabaseIdentity]) -> Vec<Slice> {
    match databases {
        [_] => vec![Slice::Whole],
        several => several.iter().map(|database| Slice::Database(database.name.clone())).collect(),
    }
}

impl Cluster {
    /// The reasons not to serve searches from an index that is filled from these databases;
    /// nothing if it is complete for all of them and is followed. An owner whose lease looks old is
    /// watched for the length of its lease.
    ///
    /// # Errors
    ///
    /// When something cannot be read: nothing is known of the index then.
    pub async fn gate<'a>(
        &self,
        expected: impl Into<Expected<'a>>,
        index: &IndexName,
        databases: &[DatabaseIdentity],
        options: &GateOptions,
    ) -> Result<Vec<Problem>, ClusterError> {
        let expected = &expected.into();
        let Some(uuid) = self.index_uuid(index).await? else {
            return Ok(vec![Problem::Missing(index.clone())]);
        };
        let mut problems = Vec::new();
        let health =
            self.index_states(index.as_str()).await?.remove(index.as_str()).map(|state| state.health);
        match health {
            Some(IndexHealth::Closed) => problems.push(Problem::Closed),
            Some(IndexHealth::Red) => problems.push(Problem::Red),
            Some(IndexHealth::Green | IndexHealth::Yellow) => {}
            None => return Ok(vec![Problem::Missing(index.clone())]),
        }
        problems.extend(self.problems_of_mapping(expected, index).await?);
        let control = ControlIndex::new(self);
        let (keys, claims) = self.claims_of(&uuid, databases).await?;
        if problems.is_empty()
            && !self.has_its_shards(expected.pillow(), index, &uuid, claims.values()).await?
        {
            problems.push(Problem::OtherHistory);
        }
        let followed = keys.iter().zip(databases).map(|(key, database)| Followed {
            control: &control,
            expected,
            key,
            claim: claims.get(key),
            database,
            options,
        });
        // Owners that have to be watched are watched at the same time.
        for found in futures_util::future::join_all(followed.map(Followed::problems)).await {
            problems.extend(found?);
        }
        Ok(problems)
    }

    /// The keys of the claims on an index that is filled from these databases, in their order.
    ///
    /// # Errors
    ///
    /// When the index or the claims cannot be read.
    pub async fn claim_keys(
        &self,
        index: &IndexName,
        databases: &[DatabaseIdentity],
    ) -> Result<Vec<ClaimKey>, ClusterError> {
        let Some(uuid) = self.index_uuid(index).await? else { return Ok(Vec::new()) };
        Ok(self.claims_of(&uuid, databases).await?.0)
    }

    /// The claims on an index, and their keys in the order of the databases.
    async fn claims_of(
        &self,
        uuid: &str,
        databases: &[DatabaseIdentity],
    ) -> Result<(Vec<ClaimKey>, BTreeMap<ClaimKey, ClaimDocument>), ClusterError> {
        let control = ControlIndex::new(self);
        let key_of = |slice| ClaimKey { target: uuid.to_owned(), slice };
        let keys: Vec<ClaimKey> = slices(databases).into_iter().map(key_of).collect();
        let claims = control.claims(&keys).await?;
        if let ([database], true) = (databases, claims.is_empty()) {
            // The only one that a pattern matches now.
            let keys = vec![key_of(Slice::Database(database.name.clone()))];
            let claims = control.claims(&keys).await?;
            return Ok((keys, claims));
        }
        Ok((keys, claims))
    }

    async fn problems_of_mapping(
        &self,
        expected: &Expected<'_>,
        index: &IndexName,
    ) -> Result<Vec<Problem>, ClusterError> {
        let live = self.live_mapping(index).await?;
        let mut problems = Vec::new();
        if live.pointer("/_meta/pillowtop/backfilling") == Some(&Value::Bool(true)) {
            problems.push(Problem::Backfilling);
        }
        let Expected::Definition(definition) = expected else { return Ok(problems) };
        match self.compare_mapping(definition, index, &live) {
            Ok(()) => {}
            Err(error @ (ClusterError::OtherHash { .. } | ClusterError::OtherMapping { .. })) => {
                problems.push(Problem::OtherMapping(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        Ok(problems)
    }

    /// Whether the shards have the histories that all claims were stored for.
    async fn has_its_shards(
        &self,
        pillow: &PillowName,
        index: &IndexName,
        uuid: &str,
        mut claims: impl Iterator<Item = &ClaimDocument>,
    ) -> Result<bool, ClusterError> {
        let fence = IndexFence::new(self, index, uuid, &Slice::Whole, pillow);
        match fence.histories().await {
            Ok(found) => Ok(claims.all(|claim| claim.histories == found)),
            Err(FenceError::TargetGone(_)) => Ok(false),
            Err(error) => Err(ClusterError::Unreachable {
                doing: format!("comparing the shards of index `{index}`"),
                url: self.url(),
                reason: error.to_string(),
            }),
        }
    }
}

/// One database that is followed into an index.
struct Followed<'a> {
    control: &'a ControlIndex,
    expected: &'a Expected<'a>,
    key: &'a ClaimKey,
    claim: Option<&'a ClaimDocument>,
    database: &'a DatabaseIdentity,
    options: &'a GateOptions,
}

impl Followed<'_> {
    async fn problems(self) -> Result<Vec<Problem>, ClusterError> {
        let Some(claim) = self.claim else {
            return Ok(vec![Problem::NeverLoaded { database: self.name() }]);
        };
        let mut problems = self.problems_of_state(claim);
        problems.extend(self.problem_of_owner(claim).await?);
        if problems.is_empty() {
            problems.extend(self.problems_of_report().await?);
        }
        if claim.state.phase == Phase::Following {
            problems.extend(self.problem_of_comparison().await?);
        }
        Ok(problems)
    }

    fn name(&self) -> String {
        self.database.name.to_string()
    }

    fn problems_of_state(&self, claim: &ClaimDocument) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (state, committed) = (&claim.state, self.expected.hash());
        if state.hash != committed {
            problems.push(Problem::OtherHash { stored: state.hash.clone(), committed });
        }
        if !state.database.matches(self.database) {
            let (stored, configured) = (state.database.clone(), self.database.clone());
            problems.push(Problem::OtherDatabase { stored, configured });
        }
        if state.phase != Phase::Following {
            problems.push(Problem::Incomplete { database: self.name(), phase: state.phase });
        }
        problems
    }

    async fn problem_of_owner(&self, claim: &ClaimDocument) -> Result<Option<Problem>, ClusterError> {
        let database = self.name();
        let Some(owner) = claim.live_owner() else { return Ok(Some(Problem::NotFollowed { database })) };
        let length = claim.length();
        if is_alive(self.control, owner, length).await? {
            return Ok(None);
        }
        Ok(Some(Problem::OwnerSilent { database, owner: owner.label.clone(), length }))
    }

    /// A comparison is made only of a complete index, and its result is forgotten when the state of
    /// the claim is changed from outside.
    async fn problem_of_comparison(&self) -> Result<Option<Problem>, ClusterError> {
        let database = self.name();
        Ok(match last_verified(self.control, self.key).await? {
            None => Some(Problem::NotVerified { database }),
            Some(found) if found.differences() > 0 => {
                let differences = found.differences();
                Some(Problem::Differs { database, time: found.ended, differences })
            }
            Some(_) => None,
        })
    }

    async fn problems_of_report(&self) -> Result<Vec<Problem>, ClusterError> {
        let Some(report) = FollowReport::read(self.control, self.key).await? else { return Ok(Vec::new()) };
        let mut problems = Vec::new();
        if let Some(reason) = report.paused {
            problems.push(Problem::Paused { database: self.name(), reason });
        }
        if let Some(pending) = report.pending.filter(|pending| *pending > self.options.most_pending) {
            problems.push(Problem::Behind { database: self.name(), pending });
        }
        Ok(problems)
    }
}

#[cfg(test)]
mod tests;
