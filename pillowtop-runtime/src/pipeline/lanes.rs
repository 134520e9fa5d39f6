//! Lanes: operations of one document stay in order, whatever is retried.
//!
//! There are always 256, by document id, so that changing how many requests are made moves no document to another lane. A lane that has an
//! unanswered or waiting operation sends nothing else. A newer change of a document replaces the one that waits and inherits its rows: they
//! are acknowledged when it is.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pillowtop_core::{DocumentId, Revision};
use tokio::time::Instant;

use super::watermark::Ordinal;
use crate::operation::Operation;

const LANES: usize = 256;

/// An operation on its way, with the rows that it answers for.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    /// The write.
    pub(super) operation: Operation,
    /// The revision that it writes, for a dead letter.
    pub(super) revision: Revision,
    /// The rows that are acknowledged with it.
    pub(super) rows: Vec<Ordinal>,
    /// How often it was answered with something that is on no list.
    pub(super) attempts: u32,
    /// The most operations of a bulk that it may be in: halved when the server refuses the whole.
    pub(super) company: usize,
    /// Whether it deletes because the document was deleted, not because it left.
    pub(super) is_deletion: bool,
}

/// A bulk and the lanes that wait for its answer.
#[derive(Debug)]
pub(super) struct Bulk {
    /// The operations, in each lane's order.
    pub(super) operations: Vec<Queued>,
    lanes: Vec<usize>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Queued>,
    /// Whether a bulk with its operations is unanswered.
    busy: bool,
    /// Until when a retried operation waits.
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

/// The lanes of one pillow.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    /// Lanes that have something to send, each once.
    ready: VecDeque<usize>,
    /// Lanes that wait for a retry.
    delayed: Vec<usize>,
    waiting_bytes: usize,
    waiting: usize,
    oldest: Option<Instant>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            all: (0..LANES).map(|_| Lane::default()).collect(),
            ready: VecDeque::new(),
            delayed: Vec::new(),
            waiting_bytes: 0,
            waiting: 0,
            oldest: None,
        }
    }
}

impl Lanes {
    /// An operation joins its lane, or replaces the one of the same document that waits there.
    pub(super) fn push(&mut self, mut queued: Queued) {
        let place = lane_of(&queued.operation.id);
        self.waiting_bytes += queued.operation.body_bytes();
        self.oldest.get_or_insert_with(Instant::now);
        let lane = &mut self.all[place];
        if let Some(older) =
            lane.waiting.iter_mut().find(|waiting| waiting.operation.id == queued.operation.id)
        {
            self.waiting_bytes -= older.operation.body_bytes();
            queued.rows.splice(0..0, std::mem::take(&mut older.rows));
            *older = queued;
            return;
        }
        lane.waiting.push_back(queued);
        self.waiting += 1;
        if lane.waiting.len() == 1 && !lane.busy && lane.not_before.is_none() {
            self.ready.push_back(place);
        }
    }

    /// Uncompressed bytes that wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Operations that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How long something has been waiting since the last bulk was taken.
    pub(super) fn age(&self) -> Duration {
        self.oldest.map_or(Duration::ZERO, |oldest| oldest.elapsed())
    }

    /// Whether a bulk can be taken now.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the next waiting retry is due.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.delayed.iter().filter_map(|place| self.all[*place].not_before).min()
    }

    /// Lanes whose retries are due become ready.
    pub(super) fn wake(&mut self, now: Instant) {
        let lanes = &mut self.all;
        let ready = &mut self.ready;
        self.delayed.retain(|place| {
            let lane = &mut lanes[*place];
            let due = lane.not_before.is_none_or(|time| time <= now);
            if due {
                lane.not_before = None;
                if !lane.waiting.is_empty() && !lane.busy {
                    ready.push_back(*place);
                }
            }
            !due
        });
    }

    /// A bulk of what is ready, whole lanes at a time as far as the limits allow.
    pub(super) fn take(&mut self, limits: BulkLimits) -> Option<Bulk> {
        let mut bulk = Bulk { operations: Vec::new(), lanes: Vec::new() };
        let (mut bytes, mut most) = (0, limits.operations);
        while let Some(place) = self.ready.front().copied() {
            let lane = &mut self.all[place];
            let before = bulk.operations.len();
            while let Some(next) = lane.waiting.front() {
                let size = next.operation.body_bytes();
                let fits = bytes + size <= limits.bytes && bulk.operations.len() < most.min(next.company);
                if !fits && !bulk.operations.is_empty() {
                    break;
                }
                most = most.min(next.company);
                bytes += size;
                self.waiting -= 1;
                self.waiting_bytes -= size;
                bulk.operations.extend(lane.waiting.pop_front());
            }
            if bulk.operations.len() == before {
                break;
            }
            lane.busy = true;
            self.ready.pop_front();
            bulk.lanes.push(place);
        }
        self.oldest = if self.waiting == 0 { None } else { Some(Instant::now()) };
        (!bulk.operations.is_empty()).then_some(bulk)
    }

    /// A bulk is answered. What is to be sent again goes back to the head of its lane, which then waits until `retry_at`; a newer change of
    /// the same document that came meanwhile is sent instead and inherits its rows.
    pub(super) fn settle(&mut self, lanes: &[usize], again: Vec<Queued>, retry_at: Instant) {
        for mut queued in again.into_iter().rev() {
            let place = lane_of(&queued.operation.id);
            let lane = &mut self.all[place];
            lane.not_before = Some(retry_at);
            if let Some(newer) =
                lane.waiting.iter_mut().find(|waiting| waiting.operation.id == queued.operation.id)
            {
                newer.rows.splice(0..0, std::mem::take(&mut queued.rows));
                newer.attempts = 0;
                newer.company = newer.company.min(queued.company);
            } else {
                self.waiting += 1;
                self.waiting_bytes += queued.operation.body_bytes();
                lane.waiting.push_front(queued);
            }
        }
        for place in lanes {
            let lane = &mut self.all[*place];
            lane.busy = false;
            if lane.not_before.is_some() {
                self.delayed.push(*place);
            } else if !lane.waiting.is_empty() {
                self.ready.push_back(*place);
            }
        }
        if self.waiting > 0 {
            self.oldest.get_or_insert_with(Instant::now);
        }
    }
}

impl Bulk {
    /// The operations, and the lanes for [`Lanes::settle`].
    pub(super) fn into_parts(self) -> (Vec<Queued>, Vec<usize>) {
        (self.operations, self.lanes)
    }
}

fn lane_of(id: &DocumentId) -> usize {
    let mut hasher = DefaultHasher::new();
    id.as_str().hash(&mut hasher);
    usize::from(hasher.finish().to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::operation::{Action, Version};

    const LIMITS: BulkLimits = BulkLimits { bytes: 1_000_000, operations: 100 };

    fn queued(id: &str, row: u64) -> Queued {
        Queued {
            operation: Operation { id: id.into(), version: Version(row), action: Action::Delete },
            revision: "1-0".into(),
            rows: vec![Ordinal(row)],
            attempts: 0,
            company: usize::MAX,
            is_deletion: true,
        }
    }

    #[test]
    fn a_newer_change_replaces_the_waiting_one_and_inherits_its_rows() {
        let mut lanes = Lanes::default();
        lanes.push(queued("a", 0));
        lanes.push(queued("a", 1));
        let bulk = lanes.take(LIMITS).unwrap();
        assert_eq!(bulk.operations.len(), 1);
        assert_eq!(bulk.operations[0].rows, [Ordinal(0), Ordinal(1)]);
        assert_eq!((lanes.waiting(), lanes.waiting_bytes()), (0, 0));
    }

    #[test]
    fn a_lane_with_an_unanswered_operation_sends_nothing() {
        let mut lanes = Lanes::default();
        lanes.push(queued("a", 0));
        let (operations, places) = lanes.take(LIMITS).unwrap().into_parts();
        lanes.push(queued("a", 1));
        assert!(lanes.take(LIMITS).is_none());
        let later = Instant::now() + Duration::from_mins(1);
        lanes.settle(&places, operations, later);
        lanes.wake(Instant::now());
        assert!(lanes.take(LIMITS).is_none(), "the retry waits");
        lanes.wake(later);
        let bulk = lanes.take(LIMITS).unwrap();
        assert_eq!(bulk.operations.len(), 1, "the newer change is sent instead");
        assert_eq!(bulk.operations[0].operation.version, Version(1));
        assert_eq!(bulk.operations[0].rows, [Ordinal(0), Ordinal(1)]);
    }

    #[test]
    fn a_bulk_keeps_its_limits_but_takes_at_least_one() {
        let mut lanes = Lanes::default();
        (0..10).for_each(|row| lanes.push(queued(&format!("d{row}"), row)));
        assert_eq!(lanes.take(BulkLimits { bytes: 1, operations: 100 }).unwrap().operations.len(), 1);
        assert_eq!(lanes.take(BulkLimits { bytes: 1_000_000, operations: 4 }).unwrap().operations.len(), 4);
        let mut alone = queued("alone", 99);
        alone.company = 1;
        let mut lanes = Lanes::default();
        lanes.push(alone);
        lanes.push(queued("other", 100));
        assert_eq!(lanes.take(LIMITS).unwrap().operations.len(), 1);
    }

    proptest! {
        /// Whatever is retried and in whatever order answers come, versions of one document are sent in order, never two at once, and
        /// each row is acknowledged once.
        #[test]
        fn documents_stay_in_order(changes in prop::collection::vec(0..12_u8, 1..120), answers in prop::collection::vec((any::<bool>(), 0..3_u8), 400)) {
            let mut lanes = Lanes::default();
            let mut answers = answers.into_iter().cycle();
            let (mut unanswered, mut acknowledged) = (Vec::new(), Vec::new());
            let mut last_sent: HashMap<DocumentId, Version> = HashMap::new();
            let mut feed = changes.iter().enumerate();
            let mut steps = 0;
            loop {
                steps += 1;
                prop_assert!(steps < 20_000, "no end");
                let next = feed.next();
                if let Some((row, document)) = next {
                    lanes.push(queued(&format!("d{document}"), row as u64));
                }
                let (take, turn) = answers.next().unwrap_or((true, 0));
                lanes.wake(Instant::now() + Duration::from_hours(1));
                if take && let Some(bulk) = lanes.take(BulkLimits { bytes: 400, operations: 3 }) {
                    for sent in &bulk.operations {
                        let id = sent.operation.id.clone();
                        let busy = unanswered.iter().flat_map(|bulk: &Bulk| &bulk.operations).any(|other| other.operation.id == id);
                        prop_assert!(!busy, "two at once");
                        let before = last_sent.insert(id, sent.operation.version);
                        prop_assert!(before.is_none_or(|version| version <= sent.operation.version), "out of order");
                    }
                    unanswered.push(bulk);
                }
                if turn > 0 && !unanswered.is_empty() {
                    let (operations, places) = unanswered.swap_remove(usize::from(turn) % unanswered.len()).into_parts();
                    let (again, done): (Vec<_>, Vec<_>) = operations.into_iter().partition(|_| answers.next().is_some_and(|(again, turn)| again && turn > 0));
                    acknowledged.extend(done.into_iter().flat_map(|queued| queued.rows));
                    lanes.settle(&places, again, Instant::now());
                }
                if next.is_none() && unanswered.is_empty() && lanes.waiting() == 0 {
                    break;
                }
            }
            acknowledged.sort_unstable();
            prop_assert_eq!(acknowledged, (0..changes.len() as u64).map(Ordinal).collect::<Vec<_>>());
        }
    }
}
