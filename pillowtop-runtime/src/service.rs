//! Following as a service does: every target of every pillow, from every database, until a stop is requested.
//!
//! Whatever fails pauses, reports the reason, and is retried, and the rest continues: a claim that another process holds, an index or a
//! database that is missing, a database that was created again, a lost claim.
//!
//! ```text
//!                      ┌──────────── retried after a while ◀───────────┐
//! pillow ─ targets ─┬▶ claim ─▶ member ─▶ follows … failed, claim released
//!        databases ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::{AnyPillow, DatabaseName, IndexName, PillowName};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::claim::{AcquireOptions, ClaimStore, Notify, Slice};
use crate::inbox::Inbox;
use crate::member::{
    Counters, DecidePool, Member, MemberEnd, MemberError, MemberOptions, MemberParts, SharedLookup,
};
use crate::reader::{Budget, Hub, ReadMode, ReaderOptions};
use crate::source::{CouchServer, Source, SourceError};
use crate::target::{Destination, OpenError, OpenTarget, TargetRef};

/// How often targets and databases are looked for while everything runs.
const SETTLED_INTERVAL: Duration = Duration::from_secs(20);
/// How often while something is missing.
const MISSING_INTERVAL: Duration = Duration::from_secs(3);
/// A member that ran for so long has worked: a later failure is not a repetition.
const WORKED: Duration = Duration::from_mins(1);
/// How long the release of a claim may take. One that is not released ends with the lease.
const RELEASE_WITHIN: Duration = Duration::from_secs(3);
/// How often a pillow is retried whose filter or transform does not end.
const HUNG_INTERVAL: Duration = Duration::from_mins(30);
/// What rows and operations take of the memory that a process is given; the rest is for everything else.
const BATCHES_SHARE: usize = 4;

/// The databases of a server.
pub trait Databases: Send + Sync + 'static {
    /// The names of all databases, without those of the server itself.
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>>;

    /// Opens one of them. Nothing is requested yet.
    fn open(&self, name: &DatabaseName) -> Arc<dyn Source>;
}

/// One source under one name: a file, a directory, or a single database.
#[derive(Debug)]
pub struct OneDatabase {
    /// What it is called.
    pub name: DatabaseName,
    /// Where changes come from.
    pub source: Arc<dyn Source>,
}

impl Databases for OneDatabase {
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>> {
        Box::pin(async { Ok(vec![self.name.clone()]) })
    }

    fn open(&self, _: &DatabaseName) -> Arc<dyn Source> {
        Arc::clone(&self.source)
    }
}

impl Databases for CouchServer {
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>> {
        Box::pin(async { Ok(self.databases().await?) })
    }

    fn open(&self, name: &DatabaseName) -> Arc<dyn Source> {
        Arc::new(self.database(name.clone()))
    }
}

/// Which databases a pillow reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSelection {
    /// One. Ids in the target are the documents' own.
    One(DatabaseName),
    /// Several, which may appear and disappear while the service runs.
    Several {
        /// Names, or patterns in which `*` stands for any characters.
        patterns: Vec<String>,
        /// Whether no two databases have documents of the same id. Otherwise ids in the target are `<database>/<_id>`.
        ids_are_global: bool,
    },
}

impl DatabaseSelection {
    /// The databases among these that are selected, or why there are none.
    ///
    /// # Errors
    ///
    /// The patterns that match no database.
    pub fn select(&self, all: &[DatabaseName]) -> Result<BTreeSet<DatabaseName>, Vec<String>> {
        let Self::Several { patterns, .. } = self else { return Ok(all.iter().cloned().collect()) };
        let matching = |pattern: &str| -> BTreeSet<DatabaseName> {
            all.iter().filter(|name| matches(pattern, name.as_str())).cloned().collect()
        };
        let unmatched: Vec<String> =
            patterns.iter().filter(|pattern| matching(pattern).is_empty()).cloned().collect();
        let selected: BTreeSet<DatabaseName> =
            patterns.iter().flat_map(|pattern| matching(pattern)).collect();
        if selected.is_empty() { Err(unmatched) } else { Ok(selected) }
    }

    /// Whether ids in the target are `<database>/<_id>`, as [`index_id`](crate::index_id::index_id) makes them.
    pub fn prefixes_ids(&self) -> bool {
        matches!(self, Self::Several { ids_are_global: false, .. })
    }

    /// The slice of a target that one of these databases is read into.
    pub fn slice(&self, database: &DatabaseName) -> Slice {
        match self {
            Self::One(_) => Slice::Whole,
            Self::Several { .. } => Slice::Database(database.clone()),
        }
    }
}

impl fmt::Display for DatabaseSelection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => fmt::Display::fmt(name, formatter),
            Self::Several { patterns, .. } => formatter.write_str(&patterns.join(", ")),
        }
    }
}

/// Whether a name matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|end| rest.is_char_boundary(*end)).any(|end| matches(after, &rest[end..]))
        }),
    }
}

/// A pillow to follow.
#[derive(Clone)]
pub struct Served {
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// Where it is followed into.
    pub destination: Arc<dyn Destination>,
    /// What it reads.
    pub databases: DatabaseSelection,
    /// What it has done, and why it is paused when it is.
    pub counters: Arc<Counters>,
    /// The bounds of its members.
    pub options: MemberOptions,
}

/// Options for [`Engine::new`]: how the members of a process share its memory and connections.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// About how many bytes of memory the process may use, whatever the number of pillows. Default: 256 MB.
    pub memory: usize,
    /// How readers wait, detach and join.
    pub readers: ReaderOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { memory: 256_000_000, readers: ReaderOptions::default() }
    }
}

/// What the members of a process share: readers, memory, cores, and the requests of other processes.
pub struct Engine {
    databases: Arc<dyn Databases>,
    budget: Budget,
    pool: DecidePool,
    readers: ReaderOptions,
    hubs: Mutex<HashMap<DatabaseName, Arc<Hub>>>,
    inboxes: Mutex<HashMap<String, Arc<Inbox>>>,
    /// The lookups of pillows, by the pillows' names.
    lookups: Mutex<HashMap<PillowName, Arc<SharedLookup>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that reads these databases.
    pub fn new(databases: Arc<dyn Databases>, options: EngineOptions) -> Arc<Self> {
        Arc::new(Self {
            databases,
            budget: Budget::new(options.memory / BATCHES_SHARE),
            pool: DecidePool::default(),
            readers: options.readers,
            hubs: Mutex::default(),
            inboxes: Mutex::default(),
            lookups: Mutex::default(),
        })
    }

    /// The readers of a database.
    pub fn hub(&self, database: &DatabaseName) -> Arc<Hub> {
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(database.clone()).or_insert_with(|| {
            Hub::new(self.databases.open(database), self.budget.clone(), self.readers.clone())
        });
        Arc::clone(hub)
    }

    /// A member of a pillow for a database and an open target.
    ///
    /// # Errors
    ///
    /// When the open dead letters cannot be read.
    pub async fn member(
        &self,
        served: &Served,
        database: &DatabaseName,
        open: OpenTarget,
    ) -> Result<Member, MemberError> {
        let queue = self.inbox(open.claim.lease().store()).subscribe(open.claim.key());
        let parts = MemberParts {
            pillow: Arc::clone(&served.pillow),
            hub: self.hub(database),
            name: member_name(served, database, &open.claim.target()),
            open,
            prefixes_ids: served.databases.prefixes_ids(),
            counters: Arc::clone(&served.counters),
            options: served.options.clone(),
            pool: self.pool.clone(),
            lookup: self.lookup(&served.pillow),
        };
        Member::new(parts, queue).await
    }

    /// The lookup of a pillow, whatever the number of its members.
    fn lookup(&self, pillow: &Arc<dyn AnyPillow>) -> Option<Arc<SharedLookup>> {
        let lookup = pillow.lookup()?;
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        let name = pillow.definition().pillow.clone();
        Some(Arc::clone(lookups.entry(name).or_insert_with(|| SharedLookup::new(lookup))))
    }

    fn inbox(&self, store: &Arc<dyn ClaimStore>) -> Arc<Inbox> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let inbox =
            inboxes.entry(store.describe()).or_insert_with(|| Arc::new(Inbox::start(Arc::clone(store))));
        Arc::clone(inbox)
    }

    /// The databases that are selected now.
    ///
    /// # Errors
    ///
    /// When none is, or the databases cannot be listed.
    pub async fn selected(
        &self,
        selection: &DatabaseSelection,
    ) -> Result<BTreeSet<DatabaseName>, ServiceError> {
        match selection {
            DatabaseSelection::One(name) => Ok(BTreeSet::from([name.clone()])),
            several @ DatabaseSelection::Several { .. } => {
                let all = self.databases.list().await?;
                several.select(&all).map_err(|patterns| ServiceError::NoDatabase { patterns })
            }
        }
    }
}

/// Why a pillow is not followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A target cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A member cannot continue.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The databases cannot be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No database is selected.
    #[error("no database matches {}", patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", "))]
    NoDatabase {
        /// The patterns.
        patterns: Vec<String>,
    },
    /// There is nothing to write to.
    #[error("pillow `{pillow}` has no target")]
    NoTarget {
        /// The pillow.
        pillow: String,
    },
}

impl ServiceError {
    /// Why a pillow is paused, and the command that helps where there is one.
    fn pause_reason(&self) -> String {
        match self {
            Self::Open(OpenError::NotReady { reason, hint: Some(hint) }) => {
                format!("{reason}; {}", hint.replace("PROGRAM ", ""))
            }
            error => error.to_string(),
        }
    }
}

/// What a service does when something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFailing {
    /// It is paused and retried, and the rest continues.
    Retry,
    /// Everything stops, and the first error is returned.
    Stop,
}

/// Options for [`serve`].
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// How far is read.
    pub mode: ReadMode,
    /// How claims are taken.
    pub acquire: AcquireOptions,
    /// What is done about what fails.
    pub when_failing: WhenFailing,
}

impl Default for ServiceOptions {
    /// A service: follows for ever, waits for claims, retries what fails.
    fn default() -> Self {
        Self { mode: ReadMode::Follow, acquire: AcquireOptions::default(), when_failing: WhenFailing::Retry }
    }
}

/// Follows pillows until a stop is requested, or to the end of what there is, then releases the claims.
///
/// # Errors
///
/// With [`WhenFailing::Stop`], the first error.
///
/// # Panics
///
/// When a task of its own does, which is a bug.
pub async fn serve(
    engine: &Arc<Engine>,
    pillows: Vec<Served>,
    options: &ServiceOptions,
    stop: &CancellationToken,
) -> Result<(), ServiceError> {
    let stop = stop.child_token();
    let mut all = JoinSet::new();
    for served in pillows {
        let supervisor =
            Supervisor { engine: Arc::clone(engine), served, options: options.clone(), stop: stop.clone() };
        all.spawn(supervisor.run());
    }
    let mut first = Ok(());
    while let Some(ended) = all.join_next().await {
        let ended = not_panicked(ended);
        if ended.is_err() && first.is_ok() {
            stop.cancel();
            first = ended;
        }
    }
    first
}

/// Keeps a member running for each target and database of one pillow.
struct Supervisor {
    engine: Arc<Engine>,
    served: Served,
    options: ServiceOptions,
    stop: CancellationToken,
}

type Key = (TargetRef, DatabaseName);

/// A member that runs, or that failed and is retried.
struct Entry {
    stop: CancellationToken,
    is_running: bool,
    /// Ended at the end of what there is.
    is_done: bool,
    began: Instant,
    retry_at: Instant,
    backoff: Backoff,
    /// How many times in a row it was not found any more.
    missed: u32,
}

impl Supervisor {
    async fn run(self) -> Result<(), ServiceError> {
        let mut entries: BTreeMap<Key, Entry> = BTreeMap::new();
        let mut running: JoinSet<(Key, Result<MemberEnd, ServiceError>)> = JoinSet::new();
        let mut first = Ok(());
        // Why targets are not found while their members go on.
        let mut failing: Option<String> = None;
        while !self.stop.is_cancelled() {
            let looked = tokio::select! {
                looked = self.desired() => looked,
                () = self.stop.cancelled() => break,
            };
            let is_complete = looked.is_ok();
            match looked {
                Ok(desired) => {
                    if failing.take().is_some() {
                        tracing::info!(pillow = self.name(), "targets are looked for again");
                    }
                    self.served.counters.remove(&self.looking());
                    self.start_and_stop(desired, &mut entries, &mut running);
                }
                Err(error) if self.options.when_failing == WhenFailing::Stop => {
                    first = Err(error);
                    break;
                }
                Err(error) if running.is_empty() => {
                    self.served.counters.set_paused(&self.looking(), Some(error.pause_reason()));
                }
                Err(error) => {
                    let reason = error.to_string();
                    if failing.is_none() {
                        tracing::warn!(pillow = self.name(), reason, "targets are not looked for");
                    }
                    failing = Some(reason);
                }
            }
            if is_complete && entries.values().all(|entry| entry.is_done) {
                return first;
            }
            if let Err(error) = self.wait(is_complete, &mut entries, &mut running).await {
                first = Err(error);
                break;
            }
        }
        entries.values().for_each(|entry| entry.stop.cancel());
        while let Some(ended) = running.join_next().await {
            let (_, ended) = not_panicked(ended);
            if let (Err(error), true) =
                (ended, first.is_ok() && self.options.when_failing == WhenFailing::Stop)
            {
                first = Err(error);
            }
        }
        first
    }

    fn name(&self) -> &str {
        self.served.pillow.definition().pillow.as_str()
    }

    /// The name of the search for targets and databases in the counters.
    fn looking(&self) -> String {
        format!("{}: targets", self.name())
    }

    /// Every target, from every database.
    async fn desired(&self) -> Result<BTreeSet<Key>, ServiceError> {
        let targets = self.served.destination.targets().await?;
        if targets.is_empty() {
            return Err(ServiceError::NoTarget { pillow: self.name().to_owned() });
        }
        let databases = self.engine.selected(&self.served.databases).await?;
        let pairs = targets.into_iter().flat_map(|target| {
            databases.iter().map(move |database| (target.clone(), database.clone())).collect::<Vec<_>>()
        });
        Ok(pairs.collect())
    }

    fn start_and_stop(
        &self,
        desired: BTreeSet<Key>,
        entries: &mut BTreeMap<Key, Entry>,
        running: &mut JoinSet<(Key, Result<MemberEnd, ServiceError>)>,
    ) {
        let now = Instant::now();
        for (key, entry) in entries.iter_mut() {
            entry.missed = if desired.contains(key) { 0 } else { entry.missed + 1 };
            // Once may be an alias on its way.
            if entry.missed == 2 {
                tracing::info!(pillow = self.name(), target = %key.0.name, database = %key.1, "not followed any more");
                entry.stop.cancel();
                self.served.counters.remove(&member_name(&self.served, &key.1, &key.0.name));
            }
        }
        entries.retain(|_, entry| entry.is_running || entry.missed < 2);
        for key in desired {
            let entry = entries.entry(key.clone()).or_insert_with(|| Entry {
                stop: self.stop.child_token(),
                is_running: false,
                is_done: false,
                began: now,
                retry_at: now,
                backoff: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)),
                missed: 0,
            });
            if !entry.is_running && !entry.is_done && entry.retry_at <= now {
                entry.is_running = true;
                entry.began = now;
                let task = MemberTask {
                    engine: Arc::clone(&self.engine),
                    served: self.served.clone(),
                    options: self.options.clone(),
                    key,
                    stop: entry.stop.clone(),
                };
                running.spawn(task.run());
            }
        }
    }

    /// Waits until it is time to look again.
    async fn wait(
        &self,
        is_complete: bool,
        entries: &mut BTreeMap<Key, Entry>,
        running: &mut JoinSet<(Key, Result<MemberEnd, ServiceError>)>,
    ) -> Result<(), ServiceError> {
        let is_settled = is_complete && entries.values().all(|entry| entry.is_running || entry.is_done);
        let interval = if is_settled { SETTLED_INTERVAL } else { MISSING_INTERVAL };
        let ended = tokio::select! {
            Some(ended) = running.join_next() => not_panicked(ended),
            () = tokio::time::sleep(interval.mul_f64(0.75 + fastrand::f64() / 2.0)) => return Ok(()),
            () = self.stop.cancelled() => return Ok(()),
        };
        let (key, ended) = ended;
        let Some(entry) = entries.get_mut(&key) else { return Ok(()) };
        entry.is_running = false;
        match ended {
            Ok(MemberEnd::CaughtUp) => entry.is_done = true,
            // It was not followed any more. If it is again by now, it begins anew.
            Ok(MemberEnd::Stopped) => {
                entries.remove(&key);
            }
            Err(error) if self.options.when_failing == WhenFailing::Stop => return Err(error),
            Err(error) => {
                if entry.began.elapsed() >= WORKED {
                    entry.backoff.reset();
                }
                // Each attempt keeps a thread for as long as the process lives.
                let is_hung = matches!(error, ServiceError::Member(MemberError::Hung { .. }));
                let wait = if is_hung { HUNG_INTERVAL } else { entry.backoff.failed() };
                entry.retry_at = Instant::now() + wait;
                self.served
                    .counters
                    .set_paused(&member_name(&self.served, &key.1, &key.0.name), Some(error.pause_reason()));
            }
        }
        Ok(())
    }
}

/// What counters and logs call a member.
fn member_name(served: &Served, database: &DatabaseName, target: &IndexName) -> String {
    let pillow = &served.pillow.definition().pillow;
    match &served.databases {
        DatabaseSelection::One(_) => format!("{pillow} ({target})"),
        DatabaseSelection::Several { .. } => format!("{pillow} ({target}, {database})"),
    }
}

/// One member, from taking its claim to releasing it.
struct MemberTask {
    engine: Arc<Engine>,
    served: Served,
    options: ServiceOptions,
    key: Key,
    stop: CancellationToken,
}

impl MemberTask {
    async fn run(self) -> (Key, Result<MemberEnd, ServiceError>) {
        let ended = tokio::select! {
            opened = self.open() => match opened {
                Ok(open) => self.follow(open).await,
                Err(error) => Err(error),
            },
            // A claim that is won just now stays with the lease, which ends with the process.
            () = self.stop.cancelled() => Ok(MemberEnd::Stopped),
        };
        (self.key, ended)
    }

    async fn open(&self) -> Result<OpenTarget, ServiceError> {
        let (target, database) = &self.key;
        let name = member_name(&self.served, database, &target.name);
        let slice = self.served.databases.slice(database);
        let begin = self.engine.hub(database).source().identity().await?;
        let (counters, told) = (Arc::clone(&self.served.counters), name.clone());
        let notify = self.options.acquire.notify.clone();
        let acquire = AcquireOptions {
            notify: Notify(Arc::new(move |sentence| {
                counters.set_paused(&told, Some(sentence.to_owned()));
                (notify.0)(sentence);
            })),
            ..self.options.acquire.clone()
        };
        let open = self.served.destination.open(target, slice, Some(begin), acquire).await?;
        self.served.counters.set_paused(&name, None);
        Ok(open)
    }

    async fn follow(&self, open: OpenTarget) -> Result<MemberEnd, ServiceError> {
        let claim = Arc::clone(&open.claim);
        let ended = match self.engine.member(&self.served, &self.key.1, open).await {
            Ok(mut member) => member.run(self.options.mode, &self.stop).await,
            Err(error) => Err(error),
        };
        // A claim that was lost is not ours to release.
        if claim.lost().is_none() {
            let target = &self.key.0.name;
            match tokio::time::timeout(RELEASE_WITHIN, claim.release()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::info!(%target, %error, "the claim is not released"),
                Err(_) => tracing::info!(%target, "the claim is not released: no response in time"),
            }
        }
        Ok(ended?)
    }
}

/// What a task made. A panic is a bug that must be seen.
fn not_panicked<T>(ended: Result<T, tokio::task::JoinError>) -> T {
    match ended {
        Ok(made) => made,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_databases() {
        let all: Vec<DatabaseName> = ["clinic-a", "clinic-b", "users", "logs"].map(DatabaseName::from).into();
        let several = |patterns: &[&str]| DatabaseSelection::Several {
            patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            ids_are_global: false,
        };
        let names = |patterns: &[&str]| {
            several(patterns)
                .select(&all)
                .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&["clinic-*"]), Ok(vec!["clinic-a".to_owned(), "clinic-b".to_owned()]));
        assert_eq!(names(&["users", "*-b"]), Ok(vec!["clinic-b".to_owned(), "users".to_owned()]));
        assert_eq!(names(&["*"]).map(|names| names.len()), Ok(4));
        assert_eq!(names(&["cl*n*c-a"]), Ok(vec!["clinic-a".to_owned()]));
        assert_eq!(names(&["nothing-*"]), Err(vec!["nothing-*".to_owned()]));
    }
}
