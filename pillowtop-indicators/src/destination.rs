//! The documents that indicators are written to as the destination of their pillow.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{AnyPillow, DatabaseName, IndexName};
use pillowtop_runtime::claim::{
    AcquireError, AcquireOptions, Claim, ClaimKey, ClaimState, ClaimStore, DatabaseIdentity, Lease, NoFence,
    Slice,
};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, Served};
use pillowtop_runtime::member::{Counters, MemberOptions};
use pillowtop_runtime::service::{ServiceError, ServiceOptions, serve};
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer};
use pillowtop_runtime::target::{Destination, OpenError, OpenTarget, Target, TargetRef};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::claims::CouchClaimStore;
use crate::dead_letters::CouchDeadLetters;
use crate::fan_out::{FanOut, fan_out_pillow};
use crate::target::{FanOutTarget, SeparateTarget, WatchedTarget};

/// Where indicators are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Into the documents that they are computed from.
    Watched,
    /// Into copies of the documents, in another database.
    Separate(DatabaseName),
}

/// Options of [`IndicatorDestination`].
#[derive(Debug, Clone)]
pub struct IndicatorOptions {
    /// The database of the documents.
    pub database: DatabaseName,
    /// Where indicators are written.
    pub mode: Mode,
    /// The database of claims and dead letters, which is created. Default: `pillowtop`.
    pub state: DatabaseName,
    /// What people call this process.
    pub label: String,
    /// How long the lease lasts without being renewed. Default: [`Lease::LENGTH`].
    pub lease: Duration,
}

impl IndicatorOptions {
    /// Indicators in the documents of a database.
    #[must_use]
    pub fn watched(database: DatabaseName) -> Self {
        Self {
            database,
            mode: Mode::Watched,
            state: "pillowtop".into(),
            label: "pillowtop".to_owned(),
            lease: Lease::LENGTH,
        }
    }

    /// Indicators in copies of the documents of a database.
    #[must_use]
    pub fn separate(database: DatabaseName, copies: DatabaseName) -> Self {
        Self { mode: Mode::Separate(copies), ..Self::watched(database) }
    }

    fn target(&self) -> &DatabaseName {
        match &self.mode {
            Mode::Watched => &self.database,
            Mode::Separate(copies) => copies,
        }
    }
}

/// The documents that the indicators of one pillow are written to.
pub struct IndicatorDestination {
    pillow: Arc<dyn AnyPillow>,
    server: CouchServer,
    options: IndicatorOptions,
    /// The indicators that are computed again, where nothing is written to documents.
    fan_out: Option<Arc<IndicatorDestination>>,
    lease: Mutex<Option<Arc<Lease>>>,
}

impl std::fmt::Debug for IndicatorDestination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("IndicatorDestination");
        shown
            .field("pillow", &self.pillow.definition().pillow)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl IndicatorDestination {
    /// Nothing is requested yet.
    pub fn new(pillow: Arc<dyn AnyPillow>, server: CouchServer, options: IndicatorOptions) -> Self {
        Self { pillow, server, options, fan_out: None, lease: Mutex::default() }
    }

    /// Changes of the documents of a database that have indicators computed again.
    #[must_use]
    pub fn fan_out<F: FanOut>(indicators: &Arc<Self>, database: DatabaseName) -> Self {
        let options = IndicatorOptions { database, mode: Mode::Watched, ..indicators.options.clone() };
        Self {
            fan_out: Some(Arc::clone(indicators)),
            ..Self::new(fan_out_pillow::<F>(), indicators.server.clone(), options)
        }
    }

    /// What an engine follows.
    #[must_use]
    pub fn served(self: &Arc<Self>) -> Served {
        Served {
            pillow: Arc::clone(&self.pillow),
            destination: Arc::clone(self) as _,
            databases: DatabaseSelection::One(self.options.database.clone()),
            counters: Arc::new(Counters::default()),
            options: MemberOptions::default(),
        }
    }

    /// Where claims are.
    pub fn claim_store(&self) -> CouchClaimStore {
        CouchClaimStore::new(self.server.database(self.options.state.clone()))
    }

    /// The dead letters of a target.
    pub fn dead_letters(&self, target: &TargetRef) -> CouchDeadLetters {
        CouchDeadLetters::new(self.claim_store(), target.uuid.clone())
    }

    /// Ends the lease, after all claims were released. One that cannot be ended runs out.
    pub async fn end(&self) {
        if let Some(lease) = self.lease.lock().await.take()
            && let Err(error) = lease.end().await
        {
            tracing::debug!(%error, "cannot release the lease");
        }
    }

    /// In documents, each content hash is a target of its own: a release computes its indicators
    /// beside those of the release before. Copies have one writer, which starts over when the hash
    /// changes. A database that was deleted and created again is another target.
    async fn targets(&self) -> Result<Vec<TargetRef>, OpenError> {
        let target = self.options.target();
        if *target == self.options.state
            || matches!(&self.options.mode, Mode::Separate(copies) if *copies == self.options.database)
        {
            return Err(OpenError::NotReady {
                reason: format!("database `{target}` cannot have two uses"),
                hint: Some(
                    "documents, copies and the state of pillowtop are in different databases".to_owned(),
                ),
            });
        }
        ensure(&self.server.database(self.options.state.clone())).await.map_err(failed)?;
        let database = self.server.database(target.clone());
        if self.options.mode != Mode::Watched {
            ensure(&database).await.map_err(failed)?;
        }
        let identity = database.info().await.map_err(failed)?.identity;
        let definition = self.pillow.definition();
        let name = match self.options.mode {
            Mode::Watched => format!("{}_{}", definition.pillow, definition.hash.short()),
            Mode::Separate(_) => definition.pillow.to_string(),
        };
        let uuid = format!("{name}@{target}@{}", identity.instance_start_time);
        Ok(vec![TargetRef { name: IndexName::from(name), uuid }])
    }

    /// Every target may be begun at the start of the feed: what is there is compared by revision
    /// or by version.
    async fn open(
        &self,
        target: &TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> Result<OpenTarget, OpenError> {
        if slice != Slice::Whole {
            return Err(OpenError::NotReady {
                reason: "indicators are computed from one database".to_owned(),
                hint: Some("follow each database into a destination of its own".to_owned()),
            });
        }
        let lease = self.lease().await?;
        let key = ClaimKey { target: target.uuid.clone(), slice };
        let initial = begin
            .map(|database| ClaimState::new(self.pillow.definition(), target.name.clone(), database, None));
        let claim = Claim::acquire(&lease, key, &target.name, Arc::new(NoFence), options, initial).await?;
        if self.options.mode != Mode::Watched {
            let hash = self.pillow.definition().hash.to_string();
            claim.start_over_for(&hash).await.map_err(|error| OpenError::Failed(Box::new(error)))?;
        }
        Ok(OpenTarget {
            claim: Arc::new(claim),
            target: self.target(),
            dead_letters: Arc::new(self.dead_letters(target)),
        })
    }

    fn target(&self) -> Arc<dyn Target> {
        let database: CouchDatabase = self.server.database(self.options.target().clone());
        let pillow = self.pillow.definition().pillow.clone();
        if let Some(indicators) = &self.fan_out {
            let (store, indicators) = (self.claim_store(), Arc::clone(indicators) as Arc<dyn Destination>);
            return Arc::new(FanOutTarget { store, indicators });
        }
        match self.options.mode {
            Mode::Watched => Arc::new(WatchedTarget { database, pillow }),
            Mode::Separate(_) => Arc::new(SeparateTarget { database, pillow }),
        }
    }

    /// The lease of this process, or a new one where it was lost.
    async fn lease(&self) -> Result<Arc<Lease>, OpenError> {
        let mut lease = self.lease.lock().await;
        if let Some(lease) = lease.as_ref().filter(|lease| !lease.is_ended()) {
            return Ok(Arc::clone(lease));
        }
        let store: Arc<dyn ClaimStore> = Arc::new(self.claim_store());
        let started = Lease::start(store, self.options.label.clone(), self.options.lease).await;
        let started = started.map_err(AcquireError::from)?;
        *lease = Some(Arc::clone(&started));
        Ok(started)
    }
}

/// Creates a database that is missing. Only an administrator may, so it is looked for first.
pub(crate) async fn ensure(database: &CouchDatabase) -> Result<(), CouchError> {
    match database.info().await {
        Err(CouchError::MissingDatabase { .. }) => database.create().await.map(drop),
        found => found.map(drop),
    }
}

fn failed(error: CouchError) -> OpenError {
    OpenError::Failed(Box::new(error))
}

impl Destination for IndicatorDestination {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        Self::targets(self).boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        Self::open(self, target, slice, begin, options).boxed()
    }
}

/// Follows indicators until a stop is requested, or to the end of what there is, and ends their
/// leases.
///
/// # Errors
///
/// See [`serve`].
pub async fn follow(
    server: &CouchServer,
    destinations: &[Arc<IndicatorDestination>],
    service: &ServiceOptions,
    stop: &CancellationToken,
) -> Result<(), ServiceError> {
    let engine = Engine::new(Arc::new(server.clone()), EngineOptions::default());
    let served = destinations.iter().map(IndicatorDestination::served).collect();
    let ended = serve(&engine, served, service, stop).await;
    for destination in destinations {
        destination.end().await;
    }
    ended
}
