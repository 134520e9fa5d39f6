//! Lanes: what is done for one document stays in order, whatever is retried.
//!
//! There are always 256, by document id, so that changing the number of requests moves no document
//! to another lane. A lane with an unanswered or waiting entry sends nothing else. A newer change
//! of a document replaces the one that waits and inherits its receipts: they are acknowledged when
//! it is.
//!
//! A dead letter is an entry too. So no older write of its document completes after the dead letter
//! is recorded, which would remove it. No newer write completes before, which would leave it open.
//! Writes go to the target; dead letters and their resolutions go to their store.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::entry::Entry;

const LANES: usize = 256;

/// What is taken out of the lanes for one request, and the lanes that wait for its response.
#[derive(Debug)]
pub(super) struct Taken {
    /// The entries, in each lane's order.
    pub(super) entries: Vec<Entry>,
    /// The lanes, for [`Lanes::complete`].
    pub(super) lanes: Vec<usize>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Entry>,
    /// Whether a request with its entries is unanswered.
    busy: bool,
    /// Until when a retried entry waits.
    not_before: Option<Instant>,
}

/// The bounds of one bulk.
#[derive(Debug, Clone, Copy)]
pub struct BulkLimits {
    /// Uncompressed bytes of the body.
    pub bytes: usize,
    /// Operations.
    pub operations: usize,
}

/// Entries of one destination.
#[derive(Debug, Default)]
struct Queue {
    /// Lanes whose next entry is for this destination and can be sent, each once.
    ready: VecDeque<usize>,
    waiting: usize,
    bytes: usize,
}

/// Hashes of ids are good hashes already.
#[derive(Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The lanes of one member.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    writes: Queue,
    dead_letters: Queue,
    /// How many entries wait for each id, by its hash: most documents do not wait twice, so their
    /// lanes are not searched.
    ids: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    /// Lanes that wait for a retry.
    delayed: Vec<usize>,
    /// Since when a write waits.
    oldest: Option<Instant>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            all: (0..LANES).map(|_| Lane::default()).collect(),
            writes: Queue::default(),
            dead_letters: Queue::default(),
            ids: HashMap::default(),
            delayed: Vec::new(),
            oldest: None,
        }
    }
}

impl Lanes {
    /// An entry joins its lane, in place of those of the same document that it supersedes. One that
    /// is itself superseded, because a newer one waits already, leaves its receipts to that.
    pub(super) fn push(&mut self, mut entry: Entry) {
        let index = lane_of(&entry);
        if !self.ids.contains_key(&entry.hash) {
            self.append(index, entry);
            return;
        }
        let lane = &mut self.all[index];
        if let Some(newer) = lane.waiting.iter_mut().find(|waiting| waiting.supersedes(&entry)) {
            newer.receipts.append(&mut entry.receipts);
            return;
        }
        let was_write = lane.waiting.front().map(Entry::is_write);
        let (mut kept, mut superseded) = (VecDeque::with_capacity(lane.waiting.len()), Vec::new());
        let mut position = None;
        for waiting in lane.waiting.drain(..) {
            if entry.supersedes(&waiting) {
                position.get_or_insert(kept.len());
                superseded.push(waiting);
            } else {
                // A newer failure of the document stays behind this older write.
                if waiting.version > entry.version && waiting.is_same_document(&entry) {
                    position.get_or_insert(kept.len());
                }
                kept.push_back(waiting);
            }
        }
        lane.waiting = kept;
        for waiting in &mut superseded {
            entry.receipts.splice(0..0, std::mem::take(&mut waiting.receipts));
            self.forget(waiting);
        }
        let position = position.unwrap_or(self.all[index].waiting.len());
        self.count(&entry);
        self.all[index].waiting.insert(position, entry);
        self.requeue(index, was_write);
    }

    fn append(&mut self, index: usize, entry: Entry) {
        self.count(&entry);
        let was_write = self.all[index].waiting.front().map(Entry::is_write);
        self.all[index].waiting.push_back(entry);
        self.requeue(index, was_write);
    }

    /// Puts a lane into the queue of its first entry, after that may have changed.
    fn requeue(&mut self, index: usize, was_write: Option<bool>) {
        let lane = &self.all[index];
        let is_write = lane.waiting.front().map(Entry::is_write);
        if lane.busy || lane.not_before.is_some() || was_write == is_write {
            return;
        }
        if let Some(was_write) = was_write {
            self.queue(was_write).ready.retain(|ready| *ready != index);
        }
        if let Some(is_write) = is_write {
            self.queue(is_write).ready.push_back(index);
        }
    }

    /// Uncompressed bytes that wait, for both destinations.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.writes.bytes + self.dead_letters.bytes
    }

    /// Whether so many writes wait, or so many bytes of them.
    pub(super) fn has_writes_for(&self, limits: BulkLimits) -> bool {
        self.writes.bytes >= limits.bytes || self.writes.waiting >= limits.operations
    }

    /// Writes that wait.
    pub(super) fn waiting_writes(&self) -> usize {
        self.writes.waiting
    }

    /// How long a write has been waiting since the last bulk was taken.
    pub(super) fn age(&self) -> Duration {
        self.oldest.map_or(Duration::ZERO, |oldest| oldest.elapsed())
    }

    /// Whether a bulk of writes can be taken now.
    pub(super) fn is_ready(&self) -> bool {
        !self.writes.ready.is_empty()
    }

    /// When the next waiting retry is due.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.delayed.iter().filter_map(|index| self.all[*index].not_before).min()
    }

    /// Lanes whose retries are due become ready.
    pub(super) fn wake(&mut self, now: Instant) {
        for index in std::mem::take(&mut self.delayed) {
            let lane = &mut self.all[index];
            if lane.not_before.is_some_and(|time| time > now) {
                self.delayed.push(index);
                continue;
            }
            lane.not_before = None;
            if !lane.busy {
                self.make_ready(index);
            }
        }
    }

    /// Writes that are ready, whole lanes at a time as far as the limits allow.
    pub(super) fn take_writes(&mut self, limits: BulkLimits) -> Option<Taken> {
        let taken = self.take(true, limits)?;
        self.oldest = if self.writes.waiting == 0 { None } else { Some(Instant::now()) };
        Some(taken)
    }

    /// Dead letters and resolutions that are ready, in the same way.
    pub(super) fn take_dead_letters(&mut self, limits: BulkLimits) -> Option<Taken> {
        self.take(false, limits)
    }

    fn take(&mut self, writes: bool, limits: BulkLimits) -> Option<Taken> {
        let mut taken = Taken { entries: Vec::new(), lanes: Vec::new() };
        let (mut bytes, mut most) = (0, limits.operations);
        while let Some(index) = self.queue(writes).ready.front().copied() {
            let before = taken.entries.len();
            while let Some(next) = self.all[index].waiting.front().filter(|next| next.is_write() == writes) {
                let fits =
                    bytes + next.bytes() <= limits.bytes && taken.entries.len() < most.min(next.max_batch);
                if !fits && !taken.entries.is_empty() {
                    break;
                }
                most = most.min(next.max_batch);
                bytes += next.bytes();
                if let Some(entry) = self.all[index].waiting.pop_front() {
                    self.forget(&entry);
                    taken.entries.push(entry);
                }
            }
            if taken.entries.len() == before {
                break;
            }
            self.all[index].busy = true;
            self.queue(writes).ready.pop_front();
            taken.lanes.push(index);
        }
        (!taken.entries.is_empty()).then_some(taken)
    }

    /// A request got its response. What is to be retried, and the dead letters of what was
    /// rejected, go back to the head of their lane, which then waits until `retry_at`. A newer
    /// entry of the same document that came meanwhile and supersedes one inherits its receipts.
    pub(super) fn complete(&mut self, lanes: &[usize], again: Vec<Entry>, retry_at: Instant) {
        for mut entry in again.into_iter().rev() {
            let index = lane_of(&entry);
            let lane = &mut self.all[index];
            lane.not_before = Some(retry_at);
            let newer = if self.ids.contains_key(&entry.hash) {
                lane.waiting.iter_mut().find(|newer| newer.supersedes(&entry))
            } else {
                None
            };
            if let Some(newer) = newer {
                newer.receipts.splice(0..0, std::mem::take(&mut entry.receipts));
                newer.max_batch = newer.max_batch.min(entry.max_batch);
            } else {
                self.count(&entry);
                self.all[index].waiting.push_front(entry);
            }
        }
        for index in lanes {
            let lane = &mut self.all[*index];
            lane.busy = false;
            if lane.not_before.is_some() {
                self.delayed.push(*index);
            } else {
                self.make_ready(*index);
            }
        }
    }

    fn make_ready(&mut self, index: usize) {
        if let Some(next) = self.all[index].waiting.front() {
            let is_write = next.is_write();
            self.queue(is_write).ready.push_back(index);
        }
    }

    fn queue(&mut self, writes: bool) -> &mut Queue {
        if writes { &mut self.writes } else { &mut self.dead_letters }
    }

    fn count(&mut self, entry: &Entry) {
        *self.ids.entry(entry.hash).or_default() += 1;
        let queue = self.queue(entry.is_write());
        queue.waiting += 1;
        queue.bytes += entry.bytes();
        if entry.is_write() {
            self.oldest.get_or_insert_with(Instant::now);
        }
    }

    fn forget(&mut self, entry: &Entry) {
        if let std::collections::hash_map::Entry::Occupied(mut count) = self.ids.entry(entry.hash) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        let queue = self.queue(entry.is_write());
        queue.waiting -= 1;
        queue.bytes -= entry.bytes();
    }
}

fn lane_of(entry: &Entry) -> usize {
    usize::from(entry.hash.to_le_bytes()[7])
}
