//! The readers of one database: who subscribes to which, and which two are joined.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pillowtop_core::Sequence;
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore};
use tokio::time::Instant;

use super::batch::{ReadMode, Subscriber, Subscription};
use super::budget::Budget;
use crate::claim::DatabaseIdentity;
use crate::source::{CouchError, Source, SourceError};

/// Feeds that follow on connections of their own, by default.
const CONNECTIONS: usize = 64;
/// Feeds that are read to their end at once, by default: so many that databases which are far behind
/// hardly ever keep another one waiting.
const READINGS: usize = 256;

/// Options for the readers of a [`Hub`]: how they wait, detach and join.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// How long a new reader waits for other members that start at the same position. Default: 100
    /// ms.
    pub gather: Duration,
    /// For how long, in all, one member may keep the others of its reader waiting before it is
    /// detached. Default: 1 s.
    pub patience: Duration,
    /// How far a copy of a shard may lag behind another one, where the database keeps several.
    /// Default: 10 minutes.
    pub copy_lag_bound: Duration,
    /// How often a database is read that has no connection of its own. Default: 5 s.
    pub poll_interval: Duration,
    /// Feeds that follow on a connection of their own, for all hubs of a process. Other databases
    /// are polled. Default: 64.
    pub connections: Arc<Semaphore>,
    /// Feeds that are read to their end at once, for all hubs of a process. Other databases wait.
    /// Default: 256.
    pub readings: Arc<Semaphore>,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(100),
            patience: Duration::from_secs(1),
            copy_lag_bound: Duration::from_mins(10),
            poll_interval: Duration::from_secs(5),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            readings: Arc::new(Semaphore::new(READINGS)),
        }
    }
}

/// The readers of one database.
#[derive(Debug)]
pub struct Hub {
    pub(super) source: Arc<dyn Source>,
    pub(super) budget: Budget,
    pub(super) options: ReaderOptions,
    readers: Mutex<Vec<Arc<Shared>>>,
    /// One at a time: the second of two that start at one position finds the reader of the first.
    pub(super) subscribing: AsyncMutex<()>,
}

/// What a reader and those who want to subscribe to it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mode: ReadMode,
    /// What the source may leave out.
    pub(super) selector: Option<Value>,
    pub(super) state: Mutex<SharedState>,
    /// Wakes the reader when another one's members are to be adopted.
    pub(super) adopted: Notify,
}

/// The state of a reader.
#[derive(Debug)]
pub(super) struct SharedState {
    /// The position at which a member can join right now: everything delivered lies before it, and
    /// nothing after it was delivered.
    pub(super) joinable: Option<Sequence>,
    /// Members that joined and that the reader has not taken up yet.
    pub(super) joining: Vec<Subscriber>,
    /// The members of another reader that is joined to this one.
    pub(super) adopting: Option<Adoption>,
    /// Whether it has read to the end once.
    pub(super) is_live: bool,
    /// Whether it ended.
    pub(super) is_closed: bool,
    /// Positions that it has reached, oldest first.
    pub(super) reached: Vec<(Instant, Sequence)>,
}

/// The members of a laggard, on their way to the leader.
#[derive(Debug)]
pub(super) struct Adoption {
    pub(super) members: Vec<Subscriber>,
    /// Where both continue.
    pub(super) from: Sequence,
    /// Whether the leader reads to the end once more first. It does where there is one copy of each
    /// shard.
    pub(super) after_reading_to_end: bool,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, SharedState> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// A hub without readers.
    pub fn new(source: Arc<dyn Source>, budget: Budget, options: ReaderOptions) -> Arc<Self> {
        let (readers, subscribing) = (Mutex::default(), AsyncMutex::default());
        Arc::new(Self { source, budget, options, readers, subscribing })
    }

    /// The source that is read.
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// How many readers there are.
    pub fn readers(&self) -> usize {
        self.lock().len()
    }

    /// Adds a reader that starts at a position.
    pub(super) fn add_reader(
        &self,
        mode: ReadMode,
        selector: Option<&Value>,
        since: Sequence,
    ) -> Arc<Shared> {
        let shared = Arc::new(Shared {
            mode,
            selector: selector.cloned(),
            state: Mutex::new(SharedState {
                joinable: Some(since),
                joining: Vec::new(),
                adopting: None,
                is_live: false,
                is_closed: false,
                reached: Vec::new(),
            }),
            adopted: Notify::new(),
        });
        self.lock().push(Arc::clone(&shared));
        shared
    }

    /// Subscribes to nothing, for a member that only works on requests. It must be this database
    /// nevertheless.
    ///
    /// # Errors
    ///
    /// When the source does not respond, or is another database.
    pub async fn subscribe_to_nothing(
        &self,
        expected: &DatabaseIdentity,
    ) -> Result<Subscription, SourceError> {
        Ok(Subscription::to_nothing(self.checked(expected).await?))
    }

    pub(super) async fn checked(&self, expected: &DatabaseIdentity) -> Result<DatabaseIdentity, SourceError> {
        let found = self.source.identity().await?;
        if found.matches(expected) { Ok(found) } else { Err(CouchError::replaced(expected, &found).into()) }
    }

    /// Gives a member to a reader that stands at its position; returns it if there is none.
    pub(super) fn join_equal(
        &self,
        since: &Sequence,
        mode: ReadMode,
        selector: Option<&Value>,
        subscriber: Subscriber,
    ) -> Option<Subscriber> {
        let is_same = |reader: &&Arc<Shared>| reader.mode == mode && reader.selector.as_ref() == selector;
        for reader in self.lock().iter().filter(is_same) {
            let mut state = reader.lock();
            if !state.is_closed && state.joinable.as_ref() == Some(since) {
                state.joining.push(subscriber);
                return None;
            }
        }
        Some(subscriber)
    }

    /// Joins a reader that has just read to the end to an earlier one, its leader, if that is safe.
    /// `began` is when that reading began. Returns the members otherwise.
    pub(super) fn join_leader(
        &self,
        laggard: &Arc<Shared>,
        members: Vec<Subscriber>,
        end: &Sequence,
        began: Instant,
        has_one_copy: bool,
    ) -> Result<(), Vec<Subscriber>> {
        let leader = self.leader_of(laggard);
        let Some(leader) = leader else { return Err(members) };
        let mut state = leader.lock();
        if state.is_closed || state.adopting.is_some() {
            return Err(members);
        }
        let from = if has_one_copy {
            Some(end.clone())
        } else {
            let before = began.checked_sub(self.options.copy_lag_bound);
            let reached =
                state.reached.iter().rev().find(|(time, _)| before.is_some_and(|before| *time <= before));
            reached.map(|(_, sequence)| sequence.clone())
        };
        let Some(from) = from else { return Err(members) };
        state.adopting = Some(Adoption { members, from, after_reading_to_end: has_one_copy });
        drop(state);
        leader.adopted.notify_one();
        Ok(())
    }

    /// Whether a reader could be joined to an earlier one.
    pub(super) fn has_leader(&self, reader: &Arc<Shared>) -> bool {
        self.leader_of(reader).is_some()
    }

    /// The first reader that follows and has read to the end, if it stands before this one.
    fn leader_of(&self, reader: &Arc<Shared>) -> Option<Arc<Shared>> {
        let readers = self.lock();
        let before = readers.iter().take_while(|other| !Arc::ptr_eq(other, reader));
        let follows =
            |other: &&Arc<Shared>| other.mode == ReadMode::Follow && other.selector == reader.selector;
        before.filter(follows).find(|other| other.lock().is_live).cloned()
    }

    /// A reader ended.
    pub(super) fn remove(&self, reader: &Arc<Shared>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, reader));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Shared>>> {
        // Nothing panics while it is held.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
