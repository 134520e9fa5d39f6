//! An index whose lease this process holds: the only writer of its documents.
//!
//! What keeps two writers apart, each enough by itself while nothing is lost:
//!
//! | what | against |
//! |---|---|
//! | the control document is only written over the write that was read | two owners that both store positions |
//! | no bulk is sent while the lease has run out, by a clock that runs during suspension; storing the document renews it, or shows another owner | a process that slept |
//! | bulks go to the private alias of this epoch | a process that was stopped between looking at the clock and sending |
//! | versions above the ceiling of every earlier owner | a request that was on its way all the time |

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DocumentId, IndexName, Sequence};
use tokio::sync::Mutex as AsyncMutex;

use super::answer::Judgement;
use super::bulk::{self, FILTER_PATH, Item, SERVER_TIMEOUT};
use super::cluster::{Cluster, Request, error_of};
use super::control::{self, ControlDocument, Place, StoreError, Stored};
use super::fence::{self, FenceError};
use crate::clock::{VersionClock, boot_time, now_text};
use crate::dead_letter::DeadLetter;
use crate::operation::{Operation, Version, WriteMode};
use crate::sink::{ItemOutcome, Sink, SinkError, WriteError};
use crate::state::{IndexState, Phase};

/// How often a save is tried over earlier saves of our own whose answers were lost.
const SAVE_TRIES: usize = 3;

/// An index whose lease this process holds.
pub struct OwnedIndex {
    pub(super) cluster: Cluster,
    pub(super) index: IndexName,
    pub(super) uuid: String,
    pub(super) owner_id: String,
    pub(super) lease: Duration,
    pub(super) versions: VersionClock,
    /// The document as last stored. Held while storing: one save at a time.
    pub(super) control: AsyncMutex<Control>,
    /// What may be read without waiting for a save.
    pub(super) shown: Mutex<Shown>,
    /// The documents with an open dead letter, and its version. It goes once something newer of the document is done.
    pub(super) letters: Mutex<HashMap<DocumentId, Version>>,
}

/// The control document and the write of it that is ours.
pub(super) struct Control {
    pub(super) document: ControlDocument,
    pub(super) place: Place,
}

/// What a write needs to know.
pub(super) struct Shown {
    pub(super) state: IndexState,
    pub(super) write_alias: String,
    /// By [`boot_time`].
    pub(super) lease_ends: Duration,
    /// How the lease was lost.
    pub(super) lost: Option<String>,
}

impl fmt::Debug for OwnedIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OwnedIndex")
            .field("cluster", &self.cluster)
            .field("index", &self.index)
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OwnedIndex {
    /// The physical index.
    pub fn index(&self) -> &IndexName {
        &self.index
    }

    /// The physical index's uuid.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// The cluster that it is in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The alias that bulks are sent to, another one in each epoch.
    pub fn write_alias(&self) -> String {
        lock(&self.shown).write_alias.clone()
    }

    fn lose(&self, reason: String) -> SinkError {
        let mut shown = lock(&self.shown);
        let reason = shown.lost.get_or_insert(reason).clone();
        SinkError::LeaseLost { index: self.index.to_string(), reason }
    }

    pub(super) fn unavailable(&self, what: &'static str, reason: &dyn fmt::Display) -> SinkError {
        SinkError::Unavailable { index: self.index.to_string(), what, reason: reason.to_string() }
    }

    /// Writes the control document with a change, which renews the lease and reserves versions. An earlier write of our own whose
    /// answer was lost may be found there: it is taken over, as nobody else has the owner's id.
    async fn store(
        &self,
        what: &'static str,
        mut change: impl FnMut(&mut ControlDocument) + Send,
    ) -> Result<(), SinkError> {
        let mut control = self.control.lock().await;
        let lost = lock(&self.shown).lost.clone();
        if let Some(reason) = lost {
            return Err(SinkError::LeaseLost { index: self.index.to_string(), reason });
        }
        for _ in 0..SAVE_TRIES {
            let asked = boot_time();
            let mut document = control.document.clone();
            change(&mut document);
            document.state.ceiling = self.versions.next_ceiling();
            document.saved = now_text();
            match control::store(&self.cluster, &self.uuid, &document, Some(control.place)).await {
                Ok(place) => {
                    self.versions.reserved(document.state.ceiling);
                    let mut shown = lock(&self.shown);
                    shown.state = document.state.clone();
                    shown.lease_ends = asked + self.lease;
                    drop(shown);
                    *control = Control { document, place };
                    return Ok(());
                }
                Err(StoreError::Cluster(error)) => return Err(self.unavailable(what, &error)),
                Err(StoreError::Conflict) => {}
            }
            let stored = control::read(&self.cluster, &self.uuid).await;
            match stored.map_err(|error| self.unavailable(what, &error))? {
                Some(Stored { document, place }) if self.is_ours(&document) => {
                    *control = Control { document, place };
                }
                other => return Err(self.lose(describe_owner(other.map(|stored| stored.document)))),
            }
        }
        Err(self.unavailable(what, &"earlier writes of the same kind keep arriving late"))
    }

    fn is_ours(&self, document: &ControlDocument) -> bool {
        document.owner.as_ref().is_some_and(|owner| owner.id == self.owner_id)
    }

    async fn write_bulk(&self, operations: &[Operation]) -> Result<Vec<ItemOutcome>, WriteError> {
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        let body = bulk::body(operations);
        let alias = self.checked_alias(operations)?;
        let path = [alias.as_str(), "_bulk"];
        let query = [("timeout", SERVER_TIMEOUT), ("filter_path", FILTER_PATH)];
        let request = Request { body: Some(body), ..Request::post(&path).query(&query) };
        let answer = self.cluster.send(request).await.map_err(WriteError::Unreachable)?;
        if !(200..300).contains(&answer.status) {
            let (error_type, reason) = error_of(&answer);
            let reason = format!("status {}: {error_type}: {reason}", answer.status);
            return Err(bulk::whole_request_error(answer.status, reason));
        }
        let ids: Vec<&DocumentId> = operations.iter().map(|operation| &operation.id).collect();
        let items = bulk::read_answer(&answer.body, ids.iter().copied())?;
        let outcomes = self.outcomes(items, &ids).await;
        self.settle_letters(operations, &outcomes).await;
        Ok(outcomes)
    }

    /// The alias to send to, if it may be sent to right now.
    fn checked_alias(&self, operations: &[Operation]) -> Result<String, WriteError> {
        let ceiling = self.versions.ceiling();
        if let Some(above) = operations.iter().find(|operation| operation.version > ceiling) {
            let (id, version) = (&above.id, above.version);
            return Err(WriteError::LeaseLost(format!(
                "version {version} of `{id}` is above the reserved {ceiling}"
            )));
        }
        let shown = lock(&self.shown);
        if let Some(reason) = &shown.lost {
            return Err(WriteError::LeaseLost(reason.clone()));
        }
        if boot_time() >= shown.lease_ends {
            // Whether it is lost shows with the next renewal.
            return Err(WriteError::Held("its lease ran out and is being renewed".to_owned()));
        }
        Ok(shown.write_alias.clone())
    }

    async fn outcomes(&self, items: Vec<Item>, ids: &[&DocumentId]) -> Vec<ItemOutcome> {
        let has_no_alias = items.iter().any(|item| item.judgement == Judgement::AliasMissing);
        let is_fenced = has_no_alias && self.is_fenced().await;
        let unsaid = items.iter().zip(ids).filter(|(item, _)| item.judgement == Judgement::Conflict(None));
        let unsaid: Vec<&str> = unsaid.map(|(_, id)| id.as_str()).collect();
        let versions = self.versions_there(&unsaid).await;
        let ceiling = self.versions.ceiling();
        let items = items.into_iter().zip(ids);
        items
            .map(|(item, id)| outcome(item, versions.get(id.as_str()).copied(), ceiling, is_fenced))
            .collect()
    }

    /// Whether our alias is missing because somebody else owns the index now.
    async fn is_fenced(&self) -> bool {
        match control::read(&self.cluster, &self.uuid).await {
            Ok(Some(stored)) if self.is_ours(&stored.document) => false,
            Ok(stored) => {
                self.lose(describe_owner(stored.map(|stored| stored.document)));
                true
            }
            // Not known: the items are held and sent again.
            Err(_) => false,
        }
    }

    /// The versions of documents whose conflict did not say them, where they are known.
    async fn versions_there(&self, ids: &[&str]) -> BTreeMap<String, Version> {
        if ids.is_empty() {
            return BTreeMap::new();
        }
        self.cluster.versions(&self.index, ids).await.unwrap_or_default()
    }

    /// Fences the writers of the last phase, our own too, before the new phase is stored.
    async fn enter_phase(&self, phase: Phase) -> Result<(), SinkError> {
        let what = "the phase";
        let found = fence::shard_histories(&self.cluster, &self.index).await;
        let found = found.map_err(|error| self.unavailable(what, &error))?;
        let (epoch, same) = {
            let control = self.control.lock().await;
            (control.document.epoch + 1, control.document.shards == found)
        };
        if !same {
            return Err(self.lose("its shards were restored or given up meanwhile".to_owned()));
        }
        self.store(what, |document| document.epoch = document.epoch.max(epoch)).await?;
        match fence::rotate(&self.cluster, &self.index, epoch).await {
            Ok(()) => lock(&self.shown).write_alias = fence::write_alias(&self.index, epoch),
            Err(FenceError::Overtaken(alias)) => {
                return Err(self.lose(format!("alias `{alias}` of a later owner is there")));
            }
            Err(FenceError::Cluster(error)) => return Err(self.unavailable(what, &error)),
        }
        self.store(what, |document| {
            if document.state.phase != phase {
                document.state.enter(phase);
            }
        })
        .await
    }
}

fn describe_owner(document: Option<ControlDocument>) -> String {
    match document {
        None => "its control document is gone".to_owned(),
        Some(ControlDocument { owner: Some(owner), epoch, .. }) => {
            format!("{} owns it now, in epoch {epoch}", owner.label)
        }
        Some(_) => "its state was changed from outside".to_owned(),
    }
}

/// What became of an operation. A conflict is done only when the version that is there is one that this owner or an earlier one
/// may have sent; anything else there would never be overwritten, and all later changes of the document would be lost in silence.
fn outcome(item: Item, version_there: Option<Version>, ceiling: Version, is_fenced: bool) -> ItemOutcome {
    let Item { judgement, error_type, reason } = item;
    match judgement {
        Judgement::Done => ItemOutcome::Done,
        Judgement::Rejected => ItemOutcome::Rejected { error_type, reason },
        Judgement::Busy => ItemOutcome::Busy { reason: format!("{error_type}: {reason}") },
        Judgement::Held => ItemOutcome::Held { reason: format!("{error_type}: {reason}") },
        Judgement::Unknown => ItemOutcome::Unknown { error_type, reason },
        Judgement::AliasMissing if is_fenced => ItemOutcome::Fenced { reason },
        Judgement::AliasMissing => {
            ItemOutcome::Held { reason: format!("the private alias is missing: {reason}") }
        }
        Judgement::Conflict(said) => match said.map(Version).or(version_there) {
            Some(there) if there <= ceiling => ItemOutcome::Done,
            Some(_) => ItemOutcome::Fenced { reason },
            None => ItemOutcome::Unknown { error_type, reason },
        },
    }
}

impl Sink for OwnedIndex {
    fn describe(&self) -> String {
        format!("index `{}` of {}", self.index, self.cluster)
    }

    fn state(&self) -> IndexState {
        lock(&self.shown).state.clone()
    }

    fn versions(&self) -> &VersionClock {
        &self.versions
    }

    fn write<'a>(
        &'a self,
        operations: &'a [Operation],
        _: WriteMode,
    ) -> BoxFuture<'a, Result<Vec<ItemOutcome>, WriteError>> {
        // The private alias is another one after the load, so nothing of it can come late.
        self.write_bulk(operations).boxed()
    }

    fn bury(&self, letters: Vec<DeadLetter>) -> BoxFuture<'_, Result<(), SinkError>> {
        self.bury_letters(letters).boxed()
    }

    fn save(&self, position: Option<Sequence>) -> BoxFuture<'_, Result<(), SinkError>> {
        self.store("the position", move |document| {
            if let Some(position) = &position {
                document.state.set_position(position.clone(), &now_text());
            }
        })
        .boxed()
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    fn renew(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        async {
            let left = lock(&self.shown).lease_ends.saturating_sub(boot_time());
            if left > self.lease * 2 / 3 { Ok(()) } else { self.store("the lease", |_| {}).await }
        }
        .boxed()
    }

    fn enter(&self, phase: Phase) -> BoxFuture<'_, Result<(), SinkError>> {
        self.enter_phase(phase).boxed()
    }

    fn release(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        async {
            self.store("the release of the lease", |document| document.owner = None).await?;
            lock(&self.shown).lost = Some("it was given back".to_owned());
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(judgement: Judgement, version_there: Option<u64>, is_fenced: bool, expected: &str) {
        let item = Item { judgement, error_type: "t".to_owned(), reason: "r".to_owned() };
        let found = outcome(item, version_there.map(Version), Version(100), is_fenced);
        assert!(format!("{found:?}").starts_with(expected), "{judgement:?}: {found:?}");
    }

    #[test]
    fn a_conflict_is_done_only_below_our_ceiling() {
        check(Judgement::Conflict(Some(100)), None, false, "Done");
        check(Judgement::Conflict(Some(101)), None, false, "Fenced");
        check(Judgement::Conflict(None), Some(7), false, "Done");
        check(Judgement::Conflict(None), Some(101), false, "Fenced");
        check(Judgement::Conflict(None), None, false, "Unknown");
    }

    #[test]
    fn a_missing_alias_is_a_fence_only_when_another_owner_is_there() {
        check(Judgement::AliasMissing, None, true, "Fenced");
        check(Judgement::AliasMissing, None, false, "Held");
        check(Judgement::Held, None, true, "Held");
        check(Judgement::Rejected, None, false, "Rejected");
    }
}
