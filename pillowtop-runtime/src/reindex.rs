//! Building an index from its database, and opening one that is complete.
//!
//! The feed's position is taken before the first document is read; after the load, changes since then are caught up. A load that was
//! interrupted goes on with the position that it began with.
//!
//! Only an empty index is loaded anew. One that has documents and no state is left alone, as anything may be in it: a document that was
//! deleted since would come neither in the load nor in what is caught up.

use std::sync::Arc;

use pillowtop_core::{AliasName, AnyPillow, Definition, IndexName, PillowName, Sequence};
use tokio::sync::watch;

use crate::clock::now_micros;
use crate::follow::{ChangesSource, Member, catch_up};
use crate::operation::Version;
use crate::pipeline::{Counters, PipelineOptions, SessionEnd, SessionError};
use crate::sink::elastic::{AcquireError, AcquireOptions, Cluster, ClusterError, IndexUse, OwnedIndex};
use crate::sink::{Sink, SinkError};
use crate::source::{CouchDatabase, CouchError, DatabaseInfo};
use crate::state::{DatabaseIdentity, IndexState, LoadState, Phase};

/// Why an index could not be built or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReindexError {
    /// The cluster did not do it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database cannot be read.
    #[error(transparent)]
    Couch(#[from] CouchError),
    /// The lease cannot be taken.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// Reading or writing cannot go on.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The state cannot be stored.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// There is no index for the committed mapping.
    #[error("pillow `{pillow}` has no index `{alias}` for its committed mapping")]
    MissingIndex {
        /// The pillow.
        pillow: PillowName,
        /// The name that an index of its hash has.
        alias: AliasName,
    },
    /// The index is not complete.
    #[error("index `{index}` of pillow `{pillow}` is not complete: it is {phase}")]
    Incomplete {
        /// The pillow.
        pillow: PillowName,
        /// The index.
        index: IndexName,
        /// How far it is.
        phase: String,
    },
    /// The load began on another database of the same name.
    #[error(
        "index `{index}` was begun from a database `{}` that was created at {}, not at {found}",
        .expected.name, .expected.instance_start_time
    )]
    OtherDatabase {
        /// The index.
        index: IndexName,
        /// The database that it was begun from.
        expected: DatabaseIdentity,
        /// The `instance_start_time` that was found.
        found: String,
    },
}

/// What a reindex is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReindexStep {
    /// An index was created.
    Created(IndexName),
    /// An index that an earlier run began is gone on with; the hashed alias is on another one until it is complete.
    GoingOn(IndexName),
    /// It is not known what is in an index: its state is lost, or its shards are other ones. Another one is built.
    LeftAlone(IndexName),
    /// Documents are loaded, from the start.
    Loading,
    /// A load that was interrupted goes on.
    Resuming,
    /// Changes since the load began are applied.
    CatchingUp,
    /// Refresh interval and replicas are set back.
    Restoring,
    /// The index is complete.
    Done,
}

/// What a reindex has done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reindexed {
    /// The physical index.
    pub index: IndexName,
    /// The documents in it.
    pub documents: u64,
    /// Whether it was stopped before it was complete.
    pub stopped: bool,
    /// Whether it was complete before, so that nothing was done.
    pub already_complete: bool,
}

/// Building the index of one pillow from its database.
pub struct Reindex<'a> {
    /// Where the index is.
    pub cluster: &'a Cluster,
    /// Where the documents are.
    pub database: &'a CouchDatabase,
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// What it has done.
    pub counters: Arc<Counters>,
    /// The bounds of its pipeline.
    pub options: PipelineOptions,
    /// Build another index even if one is there; it takes the hashed alias when it is complete. One that an earlier restart began is
    /// gone on with.
    pub restart: bool,
    /// How the lease is taken.
    pub acquire: AcquireOptions,
}

/// The index that is built.
struct Found {
    index: IndexName,
    /// Whether it is empty, and its load begins now.
    is_fresh: bool,
    /// Whether nothing is left to do.
    is_done: bool,
}

impl Reindex<'_> {
    /// Builds the index, or goes on building it, until it is complete or a stop is asked for.
    ///
    /// # Errors
    ///
    /// When a server refuses, a lease is lost, or the database is another one than the load began with. What was done is kept, and goes on
    /// with the next run.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        progress: impl Fn(ReindexStep) + Send + Sync,
    ) -> Result<Reindexed, ReindexError> {
        // Before anything else: what changes from here on is caught up.
        let info = self.database.info().await?;
        let found = match self.existing(&info, &progress).await? {
            Some(found) if found.is_done => {
                let (index, documents) =
                    (found.index.clone(), self.cluster.count(found.index.as_str()).await?);
                return Ok(Reindexed { index, documents, stopped: false, already_complete: true });
            }
            Some(found) => found,
            None => self.created(&progress).await?,
        };
        let (found, owned) = match self.acquired(&found, &info).await {
            // No load of it can be gone on with: a restart is what is asked for then.
            Err(AcquireError::IdentityChanged { index, .. }) if self.restart => {
                progress(ReindexStep::LeftAlone(index));
                let found = self.created(&progress).await?;
                let owned = self.acquired(&found, &info).await?;
                (found, owned)
            }
            owned => (found, owned?),
        };
        let Found { index, is_fresh, .. } = found;
        let expected = owned.state().database;
        if expected != info.identity {
            owned.release().await?;
            let found = info.identity.instance_start_time;
            return Err(ReindexError::OtherDatabase { index, expected, found });
        }
        let built = self.build(&owned, is_fresh, stop, &progress).await;
        // Whatever happened: nobody should have to wait for the lease to run out.
        let released = owned.release().await;
        let stopped = built?;
        released?;
        let documents = if stopped { 0 } else { self.cluster.count(index.as_str()).await? };
        Ok(Reindexed { index, documents, stopped, already_complete: false })
    }

    /// The index of this hash to go on with, if there is one.
    async fn existing(
        &self,
        info: &DatabaseInfo,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<Option<Found>, ReindexError> {
        let definition = self.pillow.definition();
        let aliased = self.cluster.index_of(&definition.hashed_alias(self.cluster.prefix())).await?;
        if let Some(index) = self.begun(aliased.as_ref(), info).await? {
            progress(ReindexStep::GoingOn(index.clone()));
            return Ok(Some(Found { index, is_fresh: false, is_done: false }));
        }
        let Some(index) = aliased.filter(|_| !self.restart) else { return Ok(None) };
        self.cluster.check_mapping(definition, &index).await?;
        if let Some(control) = self.cluster.control_document(&index).await? {
            let is_done = control.state.phase == Phase::Following;
            return Ok(Some(Found { index, is_fresh: false, is_done }));
        }
        self.cluster.refresh(&index).await?;
        if self.cluster.count(index.as_str()).await? > 0 {
            progress(ReindexStep::LeftAlone(index));
            return Ok(None);
        }
        Ok(Some(Found { index, is_fresh: true, is_done: false }))
    }

    /// The last index that was begun after the one with the hashed alias, from this database. It is complete if the alias alone is
    /// missing; a restart goes on with none of these.
    async fn begun(
        &self,
        aliased: Option<&IndexName>,
        info: &DatabaseInfo,
    ) -> Result<Option<IndexName>, ClusterError> {
        for index in self.cluster.indices_after(self.pillow.definition(), aliased).await? {
            let Some(control) = self.cluster.control_document(&index).await? else { continue };
            let is_unfinished = control.state.phase != Phase::Following;
            if control.state.database == info.identity && (is_unfinished || !self.restart) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    async fn created(&self, progress: &(impl Fn(ReindexStep) + Sync)) -> Result<Found, ClusterError> {
        let created = self.cluster.create_index(self.pillow.definition(), IndexUse::Loading).await?;
        progress(ReindexStep::Created(created.name.clone()));
        Ok(Found { index: created.name, is_fresh: true, is_done: false })
    }

    /// Takes the lease. A state is begun for an empty index alone.
    async fn acquired(&self, found: &Found, info: &DatabaseInfo) -> Result<Arc<OwnedIndex>, AcquireError> {
        let definition = self.pillow.definition();
        let initial = found.is_fresh.then(|| initial_state(definition, &found.index, info));
        let options = self.acquire.clone();
        OwnedIndex::acquire(self.cluster, definition, &found.index, options, initial).await.map(Arc::new)
    }

    /// Fills the index and makes it one that is followed; tells whether it was stopped before. The lease is renewed meanwhile.
    async fn build(
        &self,
        owned: &Arc<OwnedIndex>,
        fresh: bool,
        stop: watch::Receiver<bool>,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<bool, ReindexError> {
        let (pillow, sink) = (Arc::clone(&self.pillow), Arc::clone(owned) as Arc<dyn Sink>);
        let member = Member::counted(pillow, sink, Arc::clone(&self.counters));
        let stopped = self.fill(owned, &member, fresh, stop, progress).await?;
        if !stopped {
            self.finish(owned, progress).await?;
        }
        Ok(stopped)
    }

    /// Loads and catches up; tells whether it was stopped.
    async fn fill(
        &self,
        owned: &OwnedIndex,
        member: &Member,
        fresh: bool,
        stop: watch::Receiver<bool>,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<bool, ReindexError> {
        let source = ChangesSource::Couch(self.database.clone());
        loop {
            let phase = owned.state().phase;
            match phase {
                Phase::Loading if fresh => progress(ReindexStep::Loading),
                Phase::Loading => progress(ReindexStep::Resuming),
                Phase::CatchingUp => progress(ReindexStep::CatchingUp),
                Phase::Following => return Ok(false),
            }
            let members = std::slice::from_ref(member);
            let end = catch_up(members, &source, &self.options, stop.clone()).await?;
            if end == SessionEnd::Stopped {
                return Ok(true);
            }
            if phase == Phase::CatchingUp {
                return Ok(false);
            }
            owned.enter(Phase::CatchingUp).await?;
        }
    }

    /// Makes a filled index one that is followed.
    async fn finish(
        &self,
        owned: &OwnedIndex,
        progress: &(impl Fn(ReindexStep) + Sync),
    ) -> Result<(), ReindexError> {
        let definition = self.pillow.definition();
        progress(ReindexStep::Restoring);
        self.cluster.restore_settings(definition, owned.index()).await?;
        self.cluster.wait_for_copies(owned.index(), false, 60).await?;
        owned.enter(Phase::Following).await?;
        let plan =
            self.cluster.plan_flip(&definition.hashed_alias(self.cluster.prefix()), owned.index()).await?;
        self.cluster.flip(&plan).await?;
        progress(ReindexStep::Done);
        Ok(())
    }
}

/// The index of a committed mapping that can be followed. Nothing is taken.
///
/// # Errors
///
/// When there is none, it is not complete, or its live mapping is another one.
pub async fn find_following(cluster: &Cluster, definition: &Definition) -> Result<IndexName, ReindexError> {
    let alias = definition.hashed_alias(cluster.prefix());
    let pillow = definition.pillow.clone();
    let Some(index) = cluster.index_of(&alias).await? else {
        return Err(ReindexError::MissingIndex { pillow, alias });
    };
    cluster.check_mapping(definition, &index).await?;
    let phase = cluster.control_document(&index).await?.map(|control| control.state.phase);
    if phase != Some(Phase::Following) {
        let phase = phase.map_or_else(|| "empty".to_owned(), |phase| phase.to_string());
        return Err(ReindexError::Incomplete { pillow, index, phase });
    }
    Ok(index)
}

/// Opens the index of a committed mapping for following, and takes its lease.
///
/// # Errors
///
/// When there is none, it is not complete, its live mapping is another one, or the lease cannot be taken.
pub async fn open_following(
    cluster: &Cluster,
    definition: &Definition,
    acquire: AcquireOptions,
) -> Result<OwnedIndex, ReindexError> {
    let index = find_following(cluster, definition).await?;
    Ok(OwnedIndex::acquire(cluster, definition, &index, acquire, None).await?)
}

/// The state of an index whose load begins now, at the position that the database had before.
fn initial_state(definition: &Definition, index: &IndexName, info: &DatabaseInfo) -> IndexState {
    IndexState {
        pillow: definition.pillow.clone(),
        index: index.clone(),
        hash: definition.hash.to_string(),
        phase: Phase::Loading,
        checkpoint: None,
        load: Some(LoadState { start: info.update_sequence.clone(), position: Sequence::start() }),
        database: info.identity.clone(),
        ceiling: Version(now_micros()),
        past: Vec::new(),
    }
}
