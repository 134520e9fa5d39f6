//! Following as a service does: every target of every pillow, from every database, until a stop is
//! requested.
//!
//! Whatever fails pauses, reports the reason, and is retried, and the rest continues: a claim that
//! another process holds, an index or a database that is missing, a database that was created
//! again, a lost claim.
//!
//! ```text
//!                      ┌──────────── retried after a while ◀───────────┐
//! pillow ─ targets ─┬▶ claim ─▶ member ─▶ follows … failed, claim released
//!        databases ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::DatabaseName;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::claim::{AcquireOptions, Notify};
use crate::engine::{Engine, SelectionError, Served, member_name};
use crate::hint::{Hint, PILLOW};
use crate::member::{MemberEnd, MemberError};
use crate::reader::ReadMode;
use crate::target::{OpenError, OpenTarget, TargetRef};

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
    /// No database is selected.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// There is nothing to write to.
    #[error("pillow `{pillow}` has no target")]
    NoTarget {
        /// The pillow.
        pillow: String,
    },
}

impl ServiceError {
    /// Why a pillow is paused, and what to do about it where that is known.
    fn pause_reason(&self, pillow: &str) -> String {
        match self.hint() {
            Some(hint) => {
                format!("{self}; {}", hint.replace("PROGRAM ", "").replace(PILLOW, pillow))
            }
            None => self.to_string(),
        }
    }
}

impl Hint for ServiceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Member(error) => error.hint(),
            Self::Selection(error) => error.hint(),
            Self::NoTarget { .. } => None,
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

/// Follows pillows until a stop is requested, or to the end of what there is, then releases the
/// claims.
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
        // Why targets are not found while their members continue.
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
                    self.served.counters.set_paused(&self.looking(), None);
                    self.served.counters.remove(&self.looking());
                    self.start_and_stop(desired, &mut entries, &mut running);
                }
                Err(error) if self.options.when_failing == WhenFailing::Stop => {
                    first = Err(error);
                    break;
                }
                Err(error) if running.is_empty() => {
                    self.served.counters.set_paused(&self.looking(), Some(error.pause_reason(self.name())));
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
                self.served.counters.set_paused(
                    &member_name(&self.served, &key.1, &key.0.name),
                    Some(error.pause_reason(self.name())),
                );
            }
        }
        Ok(())
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
        let begin = self.engine.hub(database).source().identity().await.map_err(SelectionError::from)?;
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
