//! What the transforms of a pillow look up: fetched in batches of distinct keys, with bounded
//! concurrency, and cached.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use pillowtop_core::lookup::{AnyFetched, AnyLookup, LookupKey, LookupOptions, LookupValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::panic_message::panic_message;

/// What is known of a key.
#[derive(Clone)]
pub(super) enum LookupOutcome {
    /// Its value.
    Found(LookupValue),
    /// It has no value.
    NotFound,
    /// It failed for good.
    Failed(Arc<str>),
}

/// What is known of the keys of a chunk.
pub(super) type LookupOutcomes = HashMap<LookupKey, LookupOutcome>;

/// Whether cached values are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// They are, until they expire.
    Cached,
    /// They are not: a person asked for the documents.
    Fetched,
}

/// The lookup of one pillow, with its cache and its concurrency limit. Shared by all members of the
/// pillow.
pub struct SharedLookup {
    lookup: Arc<dyn AnyLookup>,
    options: LookupOptions,
    calls: Semaphore,
    cache: Mutex<Cache>,
}

impl SharedLookup {
    /// A lookup that was not called yet.
    pub fn new(lookup: Arc<dyn AnyLookup>) -> Arc<Self> {
        let options = lookup.options();
        let cache = Mutex::new(Cache::new(options.cache_ttl, options.cache_size));
        Arc::new(Self { lookup, options, calls: Semaphore::new(options.concurrency.max(1)), cache })
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Only a user's `Eq` and `Hash` can panic while it is held; what they leave is still a cache.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the lookup once. Whatever fails, fails all of the keys.
    async fn call(&self, keys: &[LookupKey]) -> Result<LookupOutcomes, String> {
        // The semaphore is never closed.
        let _call = self.calls.acquire().await.ok();
        let call = AssertUnwindSafe(async { self.lookup.fetch(keys).await }).catch_unwind();
        let fetched = match tokio::time::timeout(self.options.timeout, call).await {
            Ok(Ok(Ok(fetched))) => fetched,
            Ok(Ok(Err(error))) => return Err(format!("the lookup failed: {error}")),
            Ok(Err(panic)) => return Err(format!("the lookup panicked: {}", panic_message(panic.as_ref()))),
            Err(_) => return Err(format!("the lookup did not respond within {:?}", self.options.timeout)),
        };
        Ok(self.cached(keys, fetched))
    }

    /// The answer for each key. What failed is not cached.
    fn cached(&self, keys: &[LookupKey], fetched: AnyFetched) -> LookupOutcomes {
        let mut found: HashMap<LookupKey, LookupValue> = fetched.found.into_iter().collect();
        let mut failed: HashMap<LookupKey, String> = fetched.failed.into_iter().collect();
        let now = Instant::now();
        let mut cache = self.cache();
        let outcome = |key: &LookupKey| {
            if let Some(reason) = failed.remove(key) {
                return (key.clone(), LookupOutcome::Failed(reason.into()));
            }
            let outcome = found.remove(key).map_or(LookupOutcome::NotFound, LookupOutcome::Found);
            cache.put(key.clone(), outcome.clone(), now);
            (key.clone(), outcome)
        };
        keys.iter().map(outcome).collect()
    }
}

impl std::fmt::Debug for SharedLookup {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedLookup").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A call that fails, since when, and its keys.
struct Failing {
    since: Instant,
    reason: String,
    keys: Vec<LookupKey>,
}

/// The calls of one member that fail at the moment.
#[derive(Default)]
struct FailingCalls {
    next: u64,
    calls: BTreeMap<u64, Failing>,
    /// The keys that the member was suspended for.
    suspended: Option<Vec<LookupKey>>,
}

/// The lookup of a pillow as one member calls it.
pub(crate) struct MemberLookup {
    shared: Arc<SharedLookup>,
    failing: Mutex<FailingCalls>,
}

impl MemberLookup {
    pub(crate) fn new(shared: Arc<SharedLookup>) -> Self {
        Self { shared, failing: Mutex::default() }
    }

    /// The answers for distinct keys. Calls that fail are repeated until they succeed, or until
    /// whoever waits gives up.
    pub(super) async fn find(&self, keys: HashSet<LookupKey>, freshness: Freshness) -> LookupOutcomes {
        let mut outcomes = LookupOutcomes::new();
        let mut missing = Vec::new();
        {
            let (now, cache) = (Instant::now(), self.shared.cache());
            for key in keys {
                match cache.get(&key, now).filter(|_| freshness == Freshness::Cached) {
                    Some(outcome) => {
                        outcomes.insert(key, outcome);
                    }
                    None => missing.push(key),
                }
            }
        }
        let batches = missing.chunks(self.shared.options.batch_size.max(1));
        for found in join_all(batches.map(|batch| self.fetch(batch))).await {
            outcomes.extend(found);
        }
        outcomes
    }

    async fn fetch(&self, keys: &[LookupKey]) -> LookupOutcomes {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
        let failing = FailingCall { all: &self.failing, number: self.next_number() };
        loop {
            match self.shared.call(keys).await {
                Ok(outcomes) => return outcomes,
                Err(reason) => failing.failed(reason, keys),
            }
            tokio::time::sleep(backoff.failed()).await;
        }
    }

    fn next_number(&self) -> u64 {
        let mut failing = lock(&self.failing);
        failing.next += 1;
        failing.next
    }

    /// Why a call has failed for so long, if one has. The member is about to be suspended for it.
    pub(super) fn failing_for(&self, limit: Duration) -> Option<String> {
        let mut failing = lock(&self.failing);
        let longest = failing.calls.values().find(|call| call.since.elapsed() >= limit)?;
        let (reason, keys) = (longest.reason.clone(), longest.keys.clone());
        failing.suspended = Some(keys);
        Some(reason)
    }

    /// Forgets the calls of an earlier session.
    pub(super) fn reset(&self) {
        lock(&self.failing).calls.clear();
    }

    /// Whether the call that the member was suspended for succeeds now.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let Some(keys) = lock(&self.failing).suspended.clone() else { return Ok(()) };
        self.shared.call(&keys).await?;
        lock(&self.failing).suspended = None;
        Ok(())
    }
}

fn lock(failing: &Mutex<FailingCalls>) -> MutexGuard<'_, FailingCalls> {
    // Nothing panics while it is held.
    failing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that may fail, until it ends one way or another.
struct FailingCall<'a> {
    all: &'a Mutex<FailingCalls>,
    number: u64,
}

impl FailingCall<'_> {
    fn failed(&self, reason: String, keys: &[LookupKey]) {
        tracing::debug!(reason, "a lookup is repeated");
        let mut all = lock(self.all);
        let new = || Failing { since: Instant::now(), reason: String::new(), keys: keys.to_vec() };
        all.calls.entry(self.number).or_insert_with(new).reason = reason;
    }
}

impl Drop for FailingCall<'_> {
    fn drop(&mut self) {
        lock(self.all).calls.remove(&self.number);
    }
}

/// What was found, until it expires. What came first goes first, which is also what expires first.
struct Cache {
    ttl: Duration,
    size: usize,
    entries: HashMap<LookupKey, (LookupOutcome, Instant)>,
    order: VecDeque<(LookupKey, Instant)>,
}

impl Cache {
    fn new(ttl: Duration, size: usize) -> Self {
        Self { ttl, size, entries: HashMap::new(), order: VecDeque::new() }
    }

    fn get(&self, key: &LookupKey, now: Instant) -> Option<LookupOutcome> {
        self.entries.get(key).filter(|(_, expiry)| *expiry > now).map(|(outcome, _)| outcome.clone())
    }

    fn put(&mut self, key: LookupKey, outcome: LookupOutcome, now: Instant) {
        let expiry = now + self.ttl;
        self.entries.insert(key.clone(), (outcome, expiry));
        self.order.push_back((key, expiry));
        while self.order.len() > self.size || self.order.front().is_some_and(|(_, expiry)| *expiry <= now) {
            let Some((key, expiry)) = self.order.pop_front() else { return };
            // It may have been fetched anew since.
            if self.entries.get(&key).is_some_and(|(_, last)| *last == expiry) {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> LookupKey {
        LookupKey::new(number)
    }

    #[tokio::test(start_paused = true)]
    async fn a_cache_is_bounded_and_expires() {
        let mut cache = Cache::new(Duration::from_mins(1), 2);
        let start = Instant::now();
        (0..3).for_each(|number| cache.put(key(number), LookupOutcome::Found(Arc::new(number)), start));
        assert!(cache.get(&key(0), start).is_none(), "the oldest goes first");
        assert!(matches!(cache.get(&key(2), start), Some(LookupOutcome::Found(_))));
        // What is fetched anew outlives its earlier entry.
        let later = start + Duration::from_secs(30);
        cache.put(key(2), LookupOutcome::NotFound, later);
        let end = start + Duration::from_mins(1);
        assert!(matches!(cache.get(&key(2), end), Some(LookupOutcome::NotFound)));
        assert!(cache.get(&key(1), end).is_none());
        cache.put(key(7), LookupOutcome::NotFound, end);
        assert!(cache.get(&key(2), end).is_some());
        assert_eq!((cache.entries.len(), cache.order.len()), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_to_live_of_zero_caches_nothing() {
        let mut cache = Cache::new(Duration::ZERO, 100);
        let now = Instant::now();
        cache.put(key(1), LookupOutcome::NotFound, now);
        assert!(cache.get(&key(1), now).is_none());
        assert_eq!((cache.entries.len(), cache.order.len()), (0, 0));
    }
}
