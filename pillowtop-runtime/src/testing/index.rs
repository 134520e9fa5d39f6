//! An index in memory with external versions, a fence and faults, and a destination that opens it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use tokio::time::Instant;

use super::Gauge;
use super::note::{POISON, REFUSED, UNKNOWN, has_number, note_pillow};
use super::reading::FakeReader;
use crate::claim::{
    AcquireOptions, Claim, ClaimError, ClaimKey, ClaimState, DatabaseIdentity, Fence, FenceError, Lease,
    Slice,
};
use crate::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore};
use crate::operation::{Action, Operation, Version};
use crate::reindex::ranges::RangedTarget;
use crate::target::{
    Destination, OpenError, OpenTarget, Outcome, Target, TargetReader, TargetRef, WriteError,
};

/// An index. `faults` decides what becomes of each request in turn.
#[derive(Debug, Default)]
pub(crate) struct FakeIndex {
    pub(crate) documents: Mutex<HashMap<DocumentId, (Version, Option<String>)>>,
    pub(crate) dead_letters: Mutex<HashMap<DocumentId, DeadLetter>>,
    pub(crate) faults: Mutex<Vec<u8>>,
    /// The epoch of each slice that may write.
    epochs: Mutex<HashMap<Slice, u64>>,
    history: Mutex<u32>,
    /// Larger requests are refused.
    most_bytes: Option<usize>,
    away_until: Mutex<Option<Instant>>,
    /// Requests fail with this error until then.
    blocked_until: Mutex<Option<Instant>>,
    /// The sizes of all bulks, of those that were too large too.
    pub(crate) bulks: Mutex<Vec<Bulk>>,
    /// How long each request takes.
    pub(crate) latency: Mutex<Duration>,
    /// Dead letters cannot be stored so often.
    pub(crate) dead_letter_faults: Mutex<u32>,
    /// Claims that are being taken.
    pub(crate) takeovers: Arc<Gauge>,
    /// Whether only a part of it can be read.
    pub(crate) is_partial: AtomicBool,
    /// Whether it was deleted, as readers see it.
    pub(crate) is_gone: AtomicBool,
}

/// A bulk as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bulk {
    pub(crate) operations: usize,
    pub(crate) bytes: usize,
}

impl FakeIndex {
    pub(crate) fn with_faults(faults: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { faults: Mutex::new(faults), ..Self::default() })
    }

    /// One whose takeovers are slow, and counted together with those of others.
    pub(crate) fn counted(takeovers: &Arc<Gauge>, latency: Duration) -> Arc<Self> {
        let latency = Mutex::new(latency);
        Arc::new(Self { takeovers: Arc::clone(takeovers), latency, ..Self::default() })
    }

    /// Refuses larger requests.
    pub(crate) fn accepting(most_bytes: usize) -> Arc<Self> {
        Arc::new(Self { most_bytes: Some(most_bytes), ..Self::default() })
    }

    /// Does not respond for so long.
    pub(crate) fn away_for(&self, time: Duration) {
        *self.away_until.lock().unwrap() = Some(Instant::now() + time);
    }

    /// Accepts no writes for so long.
    pub(crate) fn block_for(&self, time: Duration) {
        *self.blocked_until.lock().unwrap() = Some(Instant::now() + time);
    }

    /// A snapshot of an empty index is restored over it.
    pub(crate) fn restore(&self) {
        self.documents.lock().unwrap().clear();
        *self.history.lock().unwrap() += 1;
    }

    /// Somebody removes the fence.
    pub(crate) fn remove_fence(&self) {
        self.epochs.lock().unwrap().clear();
    }

    /// Documents with an open dead letter, and of which revision.
    pub(crate) fn open_letters(&self) -> Vec<(String, String)> {
        let dead_letters = self.dead_letters.lock().unwrap();
        let mut open: Vec<_> = dead_letters
            .values()
            .map(|letter| (letter.id.to_string(), letter.revision.to_string()))
            .collect();
        open.sort();
        open
    }

    /// The documents that it holds, with their numbers.
    pub(crate) fn held(&self) -> Vec<(String, u64)> {
        let documents = self.documents.lock().unwrap();
        let held: BTreeMap<String, u64> = documents
            .iter()
            .filter_map(|(id, (_, source))| {
                let source: serde_json::Value = serde_json::from_str(source.as_deref()?).unwrap();
                Some((id.to_string(), source["n"].as_u64().unwrap()))
            })
            .collect();
        held.into_iter().collect()
    }

    fn apply(&self, operation: &Operation) -> Outcome {
        let mut documents = self.documents.lock().unwrap();
        let there = documents.get(&operation.id).map(|(version, _)| *version);
        let is_absent = documents.get(&operation.id).is_none_or(|(_, source)| source.is_none());
        if there.is_some_and(|there| there > operation.version) {
            return Outcome::Done;
        }
        let source = match &operation.action {
            Action::Index(source) if has_number(source, REFUSED) => {
                return Outcome::Rejected { error_type: "mapper".to_owned(), reason: "unlucky".to_owned() };
            }
            Action::Index(source) if has_number(source, UNKNOWN) => {
                return Outcome::Unknown { error_type: "odd".to_owned(), reason: "odd".to_owned() };
            }
            Action::Index(source) => Some(String::from_utf8(source.to_vec()).unwrap()),
            Action::Delete => None,
        };
        let outcome = if source.is_none() && is_absent { Outcome::Absent } else { Outcome::Done };
        documents.insert(operation.id.clone(), (operation.version, source));
        outcome
    }

    /// Which epoch of a slice may write; 0 if none may.
    fn epoch(&self, slice: &Slice) -> u64 {
        self.epochs.lock().unwrap().get(slice).copied().unwrap_or(0)
    }

    async fn response(
        &self,
        operations: &[Operation],
        slice: &Slice,
        epoch: u64,
    ) -> Result<Vec<Outcome>, WriteError> {
        let bytes = operations.iter().map(Operation::body_bytes).sum();
        self.bulks.lock().unwrap().push(Bulk { operations: operations.len(), bytes });
        if self.most_bytes.is_some_and(|most| bytes > most) {
            return Err(WriteError::TooLarge("413".to_owned()));
        }
        let poison = |operation: &Operation| matches!(&operation.action, Action::Index(source) if has_number(source, POISON));
        let is_away = self.away_until.lock().unwrap().is_some_and(|until| until > Instant::now());
        if is_away || operations.iter().any(poison) {
            return Err(WriteError::Unreachable("reset".to_owned()));
        }
        if self.blocked_until.lock().unwrap().is_some_and(|until| until > Instant::now()) {
            return Err(WriteError::Blocked("closed".to_owned()));
        }
        let fault = self.faults.lock().unwrap().pop().unwrap_or(0);
        let latency = *self.latency.lock().unwrap();
        tokio::time::sleep(latency + Duration::from_millis(u64::from(fault))).await;
        if self.epoch(slice) != epoch {
            return Err(WriteError::Refused("no such alias".to_owned()));
        }
        match fault {
            1..=20 => Err(WriteError::Busy("busy".to_owned())),
            21..=40 => {
                // It was applied, and the response is lost.
                operations.iter().for_each(|operation| drop(self.apply(operation)));
                Err(WriteError::Unreachable("reset".to_owned()))
            }
            41..=60 if operations.len() > 1 => Err(WriteError::Refused("too large".to_owned())),
            61..=90 => Ok(operations
                .iter()
                .enumerate()
                .map(|(position, operation)| match position % 3 {
                    0 => Outcome::Busy { reason: "queue".to_owned() },
                    1 => Outcome::Unknown { error_type: "odd".to_owned(), reason: "odd".to_owned() },
                    _ => self.apply(operation),
                })
                .collect()),
            91..=100 => {
                Ok(operations.iter().map(|_| Outcome::Blocked { reason: "closed".to_owned() }).collect())
            }
            _ => Ok(operations.iter().map(|operation| self.apply(operation)).collect()),
        }
    }
}

#[derive(Debug)]
struct FakeFence(Arc<FakeIndex>, Slice);

impl Fence for FakeFence {
    fn histories(&self) -> BoxFuture<'_, Result<BTreeMap<String, String>, FenceError>> {
        let history = self.0.history.lock().unwrap().to_string();
        async { Ok(BTreeMap::from([("0".to_owned(), history)])) }.boxed()
    }

    fn installed(&self) -> BoxFuture<'_, Result<u64, FenceError>> {
        let epoch = self.0.epoch(&self.1);
        async move { Ok(epoch) }.boxed()
    }

    fn install(&self, epoch: u64) -> BoxFuture<'_, Result<(), FenceError>> {
        async move {
            let _taken = self.0.takeovers.count();
            let latency = *self.0.latency.lock().unwrap();
            tokio::time::sleep(latency).await;
            let installed = self.0.epoch(&self.1);
            if installed > epoch {
                return Err(FenceError::Overtaken(installed.to_string()));
            }
            self.0.epochs.lock().unwrap().insert(self.1.clone(), epoch);
            Ok(())
        }
        .boxed()
    }
}

/// An index as its owner writes to it.
#[derive(Debug)]
struct FakeTarget {
    index: Arc<FakeIndex>,
    claim: Arc<Claim>,
}

impl Target for FakeTarget {
    fn describe(&self) -> String {
        "fake".to_owned()
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        async move {
            let highest = operations.iter().map(|operation| operation.version).max().unwrap_or_default();
            let epoch = self.claim.check(highest).map_err(|error| match error {
                ClaimError::Lost { reason, .. } => WriteError::ClaimLost(reason),
                ClaimError::Unavailable { reason, .. } => WriteError::Blocked(reason),
            })?;
            // A request that was sent continues without the task that waits for it.
            let (index, sent) = (Arc::clone(&self.index), operations.to_vec());
            let slice = self.claim.key().slice.clone();
            let response =
                tokio::spawn(async move { index.response(&sent, &slice, epoch).await }).await.unwrap();
            match response {
                Err(WriteError::Refused(reason)) if reason == "no such alias" => {
                    match self.claim.repair().await {
                        Ok(()) => Err(WriteError::Blocked(reason)),
                        Err(error) => Err(WriteError::ClaimLost(error.to_string())),
                    }
                }
                response => response,
            }
        }
        .boxed()
    }
}

impl DeadLetterStore for FakeIndex {
    fn record<'a>(&'a self, dead_letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            let mut faults = self.dead_letter_faults.lock().unwrap();
            if *faults > 0 {
                *faults -= 1;
                return Err(DeadLetterError::Unavailable("busy".to_owned()));
            }
            let bytes: usize =
                dead_letters.iter().map(|letter| serde_json::to_vec(letter).unwrap().len()).sum();
            if self.most_bytes.is_some_and(|most| bytes > most) {
                return Err(DeadLetterError::TooLarge("413".to_owned()));
            }
            let mut open = self.dead_letters.lock().unwrap();
            for letter in dead_letters {
                if open.get(&letter.id).is_none_or(|there| there.version <= letter.version) {
                    open.insert(letter.id.clone(), letter.clone());
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            let mut faults = self.dead_letter_faults.lock().unwrap();
            if *faults > 0 {
                *faults -= 1;
                return Err(DeadLetterError::Unavailable("busy".to_owned()));
            }
            let mut open = self.dead_letters.lock().unwrap();
            for (id, version) in decided {
                if open.get(id).is_some_and(|letter| letter.version <= *version) {
                    open.remove(id);
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>> {
        let ids = self.dead_letters.lock().unwrap().keys().cloned().collect();
        async { Ok(ids) }.boxed()
    }
}

/// Opens one index.
#[derive(Debug)]
pub(crate) struct FakeDestination {
    pub(crate) index: Arc<FakeIndex>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) uuid: String,
    /// How many claims were taken through it.
    pub(crate) opened: Mutex<usize>,
}

impl FakeDestination {
    pub(crate) fn new(index: &Arc<FakeIndex>, lease: &Arc<Lease>, uuid: &str) -> Arc<Self> {
        let (index, lease) = (Arc::clone(index), Arc::clone(lease));
        Arc::new(Self { index, lease, uuid: uuid.to_owned(), opened: Mutex::new(0) })
    }

    pub(crate) async fn open_with(&self, slice: Slice, initial: ClaimState) -> Result<OpenTarget, OpenError> {
        self.acquire(slice, Some(initial), AcquireOptions::default()).await
    }

    async fn acquire(
        &self,
        slice: Slice,
        initial: Option<ClaimState>,
        options: AcquireOptions,
    ) -> Result<OpenTarget, OpenError> {
        let key = ClaimKey { target: self.uuid.clone(), slice };
        let fence = Arc::new(FakeFence(Arc::clone(&self.index), key.slice.clone()));
        let name = self.uuid.as_str().into();
        let claim = Arc::new(Claim::acquire(&self.lease, key, &name, fence, options, initial).await?);
        *self.opened.lock().unwrap() += 1;
        let target = Arc::new(FakeTarget { index: Arc::clone(&self.index), claim: Arc::clone(&claim) });
        Ok(OpenTarget { claim, target, dead_letters: Arc::clone(&self.index) as _ })
    }
}

impl RangedTarget for FakeDestination {
    fn open(
        &self,
        slice: Slice,
        initial: Option<ClaimState>,
        acquire: AcquireOptions,
    ) -> BoxFuture<'_, Result<OpenTarget, OpenError>> {
        self.acquire(slice, initial, acquire).boxed()
    }

    fn close<'a>(&'a self, slices: &'a [Slice]) -> BoxFuture<'a, Result<(), FenceError>> {
        self.index.epochs.lock().unwrap().retain(|slice, _| !slices.contains(slice));
        async { Ok(()) }.boxed()
    }
}

impl Destination for FakeDestination {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        let target = TargetRef { name: self.uuid.as_str().into(), uuid: self.uuid.clone() };
        async { Ok(vec![target]) }.boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        async move {
            let initial = begin.map(|database| {
                ClaimState::new(note_pillow().definition(), target.name.clone(), database, None)
            });
            self.acquire(slice, initial, options).await
        }
        .boxed()
    }

    fn reader(&self, _: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        Some(Arc::new(FakeReader(Arc::clone(&self.index))))
    }
}
