//! Lanes: order, and what makes what moot.

use std::collections::HashMap;
use std::time::Duration;

use pillowtop_core::DocumentId;
use proptest::prelude::*;
use tokio::time::Instant;

use super::fake::{queued, queued_letter};
use crate::operation::Version;
use crate::pipeline::BulkLimits;
use crate::pipeline::lanes::{Lanes, Taken};
use crate::pipeline::queued::Entry;
use crate::pipeline::watermark::Ordinal;

const LIMITS: BulkLimits = BulkLimits { bytes: 1_000_000, operations: 100 };

fn again(entries: Vec<impl Into<Entry>>) -> Vec<Entry> {
    entries.into_iter().map(Into::into).collect()
}

#[test]
fn a_newer_change_replaces_the_waiting_one_and_inherits_its_rows() {
    let mut lanes = Lanes::default();
    lanes.push(queued("a", 0));
    lanes.push(queued("a", 1));
    let bulk = lanes.take(LIMITS).unwrap();
    assert_eq!(bulk.entries.len(), 1);
    assert_eq!(bulk.entries[0].rows, [Ordinal(0), Ordinal(1)]);
    assert_eq!((lanes.waiting_writes(), lanes.waiting_bytes()), (0, 0));
}

#[test]
fn a_lane_with_an_unanswered_operation_sends_nothing() {
    let mut lanes = Lanes::default();
    lanes.push(queued("a", 0));
    let taken = lanes.take(LIMITS).unwrap();
    lanes.push(queued("a", 1));
    assert!(lanes.take(LIMITS).is_none());
    let later = Instant::now() + Duration::from_mins(1);
    lanes.settle(&taken.lanes, again(taken.entries), later);
    lanes.wake(Instant::now());
    assert!(lanes.take(LIMITS).is_none(), "the retry waits");
    lanes.wake(later);
    let bulk = lanes.take(LIMITS).unwrap();
    assert_eq!(bulk.entries.len(), 1, "the newer change is sent instead");
    assert_eq!(bulk.entries[0].operation.version, Version(1));
    assert_eq!(bulk.entries[0].rows, [Ordinal(0), Ordinal(1)]);
}

#[test]
fn a_bulk_keeps_its_limits_but_takes_at_least_one() {
    let mut lanes = Lanes::default();
    (0..10).for_each(|row| lanes.push(queued(&format!("d{row}"), row)));
    assert_eq!(lanes.take(BulkLimits { bytes: 1, operations: 100 }).unwrap().entries.len(), 1);
    assert_eq!(lanes.take(BulkLimits { bytes: 1_000_000, operations: 4 }).unwrap().entries.len(), 4);
    let mut alone = queued("alone", 99);
    alone.company = 1;
    let mut lanes = Lanes::default();
    lanes.push(alone);
    lanes.push(queued("other", 100));
    assert_eq!(lanes.take(LIMITS).unwrap().entries.len(), 1);
}

#[test]
fn a_letter_waits_for_the_older_write_and_a_newer_write_makes_both_moot() {
    let mut lanes = Lanes::default();
    lanes.push(queued("a", 0));
    lanes.push(queued_letter("a", 1));
    lanes.push(queued_letter("a", 2));
    assert!(lanes.take_letters(LIMITS).is_none());
    let write = lanes.take(LIMITS).unwrap();
    assert_eq!(write.entries[0].rows, [Ordinal(0)]);
    assert!(lanes.take_letters(LIMITS).is_none(), "the write is unanswered");
    lanes.settle(&write.lanes, again(write.entries), Instant::now());
    lanes.wake(Instant::now());
    lanes.push(queued("a", 3));
    assert!(lanes.take_letters(LIMITS).is_none());
    let write = lanes.take(LIMITS).unwrap();
    assert_eq!(write.entries[0].operation.version, Version(3));
    assert_eq!(write.entries[0].rows, [0, 1, 2, 3].map(Ordinal));
    assert_eq!((lanes.waiting_writes(), lanes.waiting_bytes()), (0, 0));
}

#[test]
fn a_write_in_the_place_of_a_letter_is_sent_as_a_write() {
    let mut lanes = Lanes::default();
    lanes.push(queued_letter("a", 0));
    lanes.push(queued("a", 1));
    assert!(lanes.take_letters(LIMITS).is_none());
    assert_eq!(lanes.take(LIMITS).unwrap().entries[0].rows, [Ordinal(0), Ordinal(1)]);
    assert!(!lanes.is_ready());
}

#[test]
fn a_rejected_write_is_a_letter_in_its_place_unless_a_newer_write_came() {
    let mut lanes = Lanes::default();
    lanes.push(queued("a", 0));
    lanes.push(queued("b", 1));
    let taken = lanes.take(LIMITS).unwrap();
    lanes.push(queued("a", 2));
    let letters = vec![queued_letter("a", 0), queued_letter("b", 1)];
    lanes.settle(&taken.lanes, again(letters), Instant::now());
    lanes.wake(Instant::now());
    let letters = lanes.take_letters(LIMITS).unwrap();
    assert_eq!(letters.entries.len(), 1);
    assert_eq!(letters.entries[0].rows, [Ordinal(1)]);
    assert_eq!(lanes.take(LIMITS).unwrap().entries[0].rows, [Ordinal(0), Ordinal(2)]);
}

#[test]
fn letters_are_taken_in_requests_that_are_small_enough() {
    let mut lanes = Lanes::default();
    (0..10).for_each(|row| lanes.push(queued_letter(&format!("d{row}"), row)));
    let three = BulkLimits { bytes: lanes.waiting_bytes() / 10 * 3, operations: 100 };
    assert!(lanes.waiting_bytes() > 0);
    assert_eq!(lanes.take_letters(three).unwrap().entries.len(), 3);
}

/// Requests of both kinds, as the model sees them.
fn any_of(lanes: &mut Lanes, letters: bool) -> Option<(Vec<Entry>, Vec<usize>)> {
    let limits = BulkLimits { bytes: 400, operations: 3 };
    if letters {
        lanes.take_letters(limits).map(|Taken { entries, lanes }| (again(entries), lanes))
    } else {
        lanes.take(limits).map(|Taken { entries, lanes }| (again(entries), lanes))
    }
}

/// The row that made an entry: the last one that it acknowledges.
fn made_by(entry: &mut Entry) -> Ordinal {
    entry.rows_mut().last().copied().unwrap()
}

proptest! {
    /// Whatever is retried and in whatever order responses come, writes and dead letters of one document are sent in order, never two at
    /// once, and each row is acknowledged once.
    #[test]
    fn documents_stay_in_order(
        changes in prop::collection::vec((0..12_u8, prop::bool::weighted(0.3)), 1..120),
        answers in prop::collection::vec((any::<bool>(), any::<bool>(), 0..3_u8), 400),
    ) {
        let mut lanes = Lanes::default();
        let mut answers = answers.into_iter().cycle();
        let (mut unanswered, mut acknowledged) = (Vec::<(Vec<Entry>, Vec<usize>)>::new(), Vec::new());
        let mut last_sent: HashMap<DocumentId, Ordinal> = HashMap::new();
        let mut feed = changes.iter().enumerate();
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 20_000, "no end");
            let next = feed.next();
            if let Some((row, (document, is_letter))) = next {
                let id = format!("d{document}");
                if *is_letter { lanes.push(queued_letter(&id, row as u64)) } else { lanes.push(queued(&id, row as u64)) }
            }
            let (take, letters, turn) = answers.next().unwrap_or((true, true, 0));
            lanes.wake(Instant::now() + Duration::from_hours(1));
            if take && let Some(mut sent) = any_of(&mut lanes, letters) {
                for entry in &mut sent.0 {
                    let id = entry.id().clone();
                    prop_assert_eq!(entry.is_letter(), letters);
                    let busy = unanswered.iter().flat_map(|(entries, _)| entries).any(|other| *other.id() == id);
                    prop_assert!(!busy, "two at once");
                    let row = made_by(entry);
                    let before = last_sent.insert(id, row);
                    prop_assert!(before.is_none_or(|before| before <= row), "out of order");
                }
                unanswered.push(sent);
            }
            if turn > 0 && !unanswered.is_empty() {
                let (entries, places) = unanswered.swap_remove(usize::from(turn) % unanswered.len());
                let mut again = Vec::new();
                for mut entry in entries {
                    match answers.next() {
                        // A rejection.
                        Some((true, true, 1)) if !entry.is_letter() => {
                            let id = entry.id().to_string();
                            let mut letter = Entry::from(queued_letter(&id, 0));
                            *letter.rows_mut() = std::mem::take(entry.rows_mut());
                            again.push(letter);
                        }
                        Some((true, _, turn)) if turn > 0 => again.push(entry),
                        _ => acknowledged.append(entry.rows_mut()),
                    }
                }
                lanes.settle(&places, again, Instant::now());
            }
            if next.is_none() && unanswered.is_empty() && lanes.waiting_bytes() == 0 {
                break;
            }
        }
        prop_assert_eq!(lanes.waiting_writes(), 0);
        acknowledged.sort_unstable();
        prop_assert_eq!(acknowledged, (0..changes.len() as u64).map(Ordinal).collect::<Vec<_>>());
    }
}
