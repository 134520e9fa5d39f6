//! Lanes: what is done for one document stays in order, whatever is retried.
//!
//! There are always 256, by document id, so that changing how many requests are made moves no document to another lane. A lane that has an
//! unanswered or waiting entry sends nothing else. A newer change of a document replaces the one that waits and inherits its rows: they
//! are acknowledged when it is.
//!
//! A dead letter is an entry too. So no older write of its document is answered after it is stored, and removes it; and no newer one is
//! answered before, and leaves it behind. Writes and letters go in requests of their own.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pillowtop_core::DocumentId;
use tokio::time::Instant;

use super::queued::{Entry, Queued, QueuedLetter};

const LANES: usize = 256;

/// What is taken out of the lanes for one request, and the lanes that wait for its answer.
#[derive(Debug)]
pub(super) struct Taken<T> {
    /// The entries, in each lane's order.
    pub(super) entries: Vec<T>,
    /// The lanes, for [`Lanes::settle`].
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

/// Entries of one kind.
#[derive(Debug, Default)]
struct Kind {
    /// Lanes whose next entry is of this kind and can be sent, each once.
    ready: VecDeque<usize>,
    waiting: usize,
    bytes: usize,
}

/// The lanes of one pillow.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    writes: Kind,
    letters: Kind,
    /// Lanes that wait for a retry.
    delayed: Vec<usize>,
    /// Since when a write waits.
    oldest: Option<Instant>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            all: (0..LANES).map(|_| Lane::default()).collect(),
            writes: Kind::default(),
            letters: Kind::default(),
            delayed: Vec::new(),
            oldest: None,
        }
    }
}

impl Lanes {
    /// An entry joins its lane, in the place of those of the same document that it makes moot.
    pub(super) fn push(&mut self, entry: impl Into<Entry>) {
        let mut entry = entry.into();
        let place = lane_of(entry.id());
        self.count(&entry);
        let lane = &mut self.all[place];
        let was_occupied = !lane.waiting.is_empty() || lane.busy || lane.not_before.is_some();
        let began_with_letter = lane.waiting.front().is_some_and(Entry::is_letter);
        let (mut position, mut rows, mut older) = (None, Vec::new(), Vec::new());
        let mut kept = 0;
        lane.waiting.retain_mut(|waiting| {
            let is_moot = entry.supersedes(waiting);
            if is_moot {
                position.get_or_insert(kept);
                rows.append(waiting.rows_mut());
                older.push((waiting.is_letter(), waiting.bytes()));
            }
            kept += usize::from(!is_moot);
            !is_moot
        });
        entry.rows_mut().splice(0..0, rows);
        lane.waiting.insert(position.unwrap_or(kept), entry);
        let begins_with_letter = lane.waiting.front().is_some_and(Entry::is_letter);
        for (is_letter, bytes) in older {
            self.kind(is_letter).forget(bytes);
        }
        if !was_occupied {
            self.kind(begins_with_letter).ready.push_back(place);
        } else if began_with_letter != begins_with_letter {
            self.change_queue(place);
        }
    }

    /// A write took the place of the letter that a lane began with.
    fn change_queue(&mut self, place: usize) {
        if let Some(position) = self.letters.ready.iter().position(|ready| *ready == place) {
            self.letters.ready.remove(position);
            self.writes.ready.push_back(place);
        }
    }

    /// Uncompressed bytes that wait, of both kinds.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.writes.bytes + self.letters.bytes
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
        self.delayed.iter().filter_map(|place| self.all[*place].not_before).min()
    }

    /// Lanes whose retries are due become ready.
    pub(super) fn wake(&mut self, now: Instant) {
        for place in std::mem::take(&mut self.delayed) {
            let lane = &mut self.all[place];
            if lane.not_before.is_some_and(|time| time > now) {
                self.delayed.push(place);
                continue;
            }
            lane.not_before = None;
            if !lane.busy {
                self.make_ready(place);
            }
        }
    }

    /// Writes that are ready, whole lanes at a time as far as the limits allow.
    pub(super) fn take(&mut self, limits: BulkLimits) -> Option<Taken<Queued>> {
        let taken = self.take_of(false, limits)?;
        self.oldest = if self.writes.waiting == 0 { None } else { Some(Instant::now()) };
        Some(taken.filter_map(|entry| match entry {
            Entry::Write(queued) => Some(queued),
            Entry::Letter(_) => None,
        }))
    }

    /// Dead letters that are ready, in the same way.
    pub(super) fn take_letters(&mut self, limits: BulkLimits) -> Option<Taken<QueuedLetter>> {
        let taken = self.take_of(true, limits)?;
        Some(taken.filter_map(|entry| match entry {
            Entry::Letter(letter) => Some(letter),
            Entry::Write(_) => None,
        }))
    }

    fn take_of(&mut self, letters: bool, limits: BulkLimits) -> Option<Taken<Entry>> {
        let kind = if letters { &mut self.letters } else { &mut self.writes };
        let mut taken = Taken { entries: Vec::new(), lanes: Vec::new() };
        let (mut bytes, mut most) = (0, limits.operations);
        while let Some(place) = kind.ready.front().copied() {
            let lane = &mut self.all[place];
            let before = taken.entries.len();
            while let Some(next) = lane.waiting.front().filter(|next| next.is_letter() == letters) {
                let size = next.bytes();
                let fits = bytes + size <= limits.bytes && taken.entries.len() < most.min(next.company());
                if !fits && !taken.entries.is_empty() {
                    break;
                }
                most = most.min(next.company());
                bytes += size;
                kind.forget(size);
                taken.entries.extend(lane.waiting.pop_front());
            }
            if taken.entries.len() == before {
                break;
            }
            lane.busy = true;
            kind.ready.pop_front();
            taken.lanes.push(place);
        }
        (!taken.entries.is_empty()).then_some(taken)
    }

    /// A request is answered. What is to be sent again, and the letters of what was rejected, go back to the head of their lane, which
    /// then waits until `retry_at`; a newer entry of the same document that came meanwhile and makes one moot inherits its rows.
    pub(super) fn settle(&mut self, lanes: &[usize], again: Vec<Entry>, retry_at: Instant) {
        for mut entry in again.into_iter().rev() {
            let place = lane_of(entry.id());
            let lane = &mut self.all[place];
            lane.not_before = Some(retry_at);
            if let Some(newer) = lane.waiting.iter_mut().find(|newer| newer.supersedes(&entry)) {
                newer.rows_mut().splice(0..0, std::mem::take(entry.rows_mut()));
                if let (Entry::Write(newer), Entry::Write(older)) = (newer, &entry) {
                    newer.attempts = 0;
                    newer.company = newer.company.min(older.company);
                }
            } else {
                self.count(&entry);
                self.all[place].waiting.push_front(entry);
            }
        }
        for place in lanes {
            let lane = &mut self.all[*place];
            lane.busy = false;
            if lane.not_before.is_some() {
                self.delayed.push(*place);
            } else {
                self.make_ready(*place);
            }
        }
    }

    fn make_ready(&mut self, place: usize) {
        if let Some(next) = self.all[place].waiting.front() {
            let is_letter = next.is_letter();
            self.kind(is_letter).ready.push_back(place);
        }
    }

    fn kind(&mut self, letters: bool) -> &mut Kind {
        if letters { &mut self.letters } else { &mut self.writes }
    }

    fn count(&mut self, entry: &Entry) {
        let bytes = entry.bytes();
        let kind = self.kind(entry.is_letter());
        kind.waiting += 1;
        kind.bytes += bytes;
        if !entry.is_letter() {
            self.oldest.get_or_insert_with(Instant::now);
        }
    }
}

impl Kind {
    fn forget(&mut self, bytes: usize) {
        self.waiting -= 1;
        self.bytes -= bytes;
    }
}

impl<T> Taken<T> {
    fn filter_map<U>(self, convert: impl Fn(T) -> Option<U>) -> Taken<U> {
        Taken { entries: self.entries.into_iter().filter_map(convert).collect(), lanes: self.lanes }
    }
}

fn lane_of(id: &DocumentId) -> usize {
    let mut hasher = DefaultHasher::new();
    id.as_str().hash(&mut hasher);
    usize::from(hasher.finish().to_le_bytes()[0])
}
