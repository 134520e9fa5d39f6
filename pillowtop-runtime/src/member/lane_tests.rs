//! Lanes: order, and which entry replaces which.

use std::collections::HashMap;
use std::time::Duration;

use pillowtop_core::DocumentId;
use proptest::prelude::*;
use tokio::time::Instant;

use super::entry::{Entry, Receipt, Work};
use super::lanes::{BulkLimits, Lanes, Taken};
use super::watermark::Ordinal;
use crate::dead_letter::{DeadLetter, Stage};
use crate::operation::{Action, Version};

const LIMITS: BulkLimits = BulkLimits { bytes: 1_000_000, operations: 100 };

fn write(id: &str, row: u64) -> Entry {
    entry(id, row, Work::Write(Action::Delete))
}

fn dead_letter(id: &str, row: u64) -> Entry {
    let letter = DeadLetter {
        pillow: "note".into(),
        index: "notes_1".into(),
        database: "db".into(),
        id: id.into(),
        revision: "1-0".into(),
        version: Version(row),
        stage: Stage::Transform,
        error_type: "serialize_error".to_owned(),
        path: None,
        reason: "no".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        document: None,
    };
    entry(id, row, Work::DeadLetter(Box::new(letter)))
}

fn entry(id: &str, row: u64, work: Work) -> Entry {
    Entry::new(id.into(), Version(row), work, "1-0".into(), vec![Receipt::Row(Ordinal(row))])
}

/// The rows that an entry acknowledges, in the order of the feed.
fn rows(entry: &Entry) -> Vec<Ordinal> {
    let row = |receipt: &Receipt| match receipt {
        Receipt::Row(ordinal) => *ordinal,
        Receipt::Request(_) => panic!("no request was made"),
    };
    let mut rows: Vec<Ordinal> = entry.receipts.iter().map(row).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_newer_change_replaces_the_waiting_one_and_inherits_its_rows() {
    let mut lanes = Lanes::default();
    lanes.push(write("a", 0));
    lanes.push(write("a", 1));
    let bulk = lanes.take_writes(LIMITS).unwrap();
    assert_eq!(bulk.entries.len(), 1);
    assert_eq!(rows(&bulk.entries[0]), [Ordinal(0), Ordinal(1)]);
    assert_eq!((lanes.waiting_writes(), lanes.waiting_bytes()), (0, 0));
}

#[test]
fn a_lane_with_an_unanswered_operation_sends_nothing() {
    let mut lanes = Lanes::default();
    lanes.push(write("a", 0));
    let taken = lanes.take_writes(LIMITS).unwrap();
    lanes.push(write("a", 1));
    assert!(lanes.take_writes(LIMITS).is_none());
    let later = Instant::now() + Duration::from_mins(1);
    lanes.complete(&taken.lanes, taken.entries, later);
    lanes.wake(Instant::now());
    assert!(lanes.take_writes(LIMITS).is_none(), "the retry waits");
    lanes.wake(later);
    let bulk = lanes.take_writes(LIMITS).unwrap();
    assert_eq!(bulk.entries.len(), 1, "the newer change is sent instead");
    assert_eq!(bulk.entries[0].version, Version(1));
    assert_eq!(rows(&bulk.entries[0]), [Ordinal(0), Ordinal(1)]);
}

#[test]
fn a_bulk_keeps_its_limits_but_takes_at_least_one() {
    let mut lanes = Lanes::default();
    (0..10).for_each(|row| lanes.push(write(&format!("d{row}"), row)));
    assert_eq!(lanes.take_writes(BulkLimits { bytes: 1, operations: 100 }).unwrap().entries.len(), 1);
    assert_eq!(lanes.take_writes(BulkLimits { bytes: 1_000_000, operations: 4 }).unwrap().entries.len(), 4);
    let mut alone = write("alone", 99);
    alone.max_batch = 1;
    let mut lanes = Lanes::default();
    lanes.push(alone);
    lanes.push(write("other", 100));
    assert_eq!(lanes.take_writes(LIMITS).unwrap().entries.len(), 1);
}

#[test]
fn a_dead_letter_waits_for_the_older_write_and_a_newer_write_replaces_both() {
    let mut lanes = Lanes::default();
    lanes.push(write("a", 0));
    lanes.push(dead_letter("a", 1));
    lanes.push(dead_letter("a", 2));
    assert!(lanes.take_dead_letters(LIMITS).is_none());
    let bulk = lanes.take_writes(LIMITS).unwrap();
    assert_eq!(rows(&bulk.entries[0]), [Ordinal(0)]);
    assert!(lanes.take_dead_letters(LIMITS).is_none(), "the write is unanswered");
    lanes.complete(&bulk.lanes, bulk.entries, Instant::now());
    lanes.wake(Instant::now());
    lanes.push(write("a", 3));
    assert!(lanes.take_dead_letters(LIMITS).is_none());
    let bulk = lanes.take_writes(LIMITS).unwrap();
    assert_eq!(bulk.entries[0].version, Version(3));
    assert_eq!(rows(&bulk.entries[0]), [0, 1, 2, 3].map(Ordinal));
    assert_eq!((lanes.waiting_writes(), lanes.waiting_bytes()), (0, 0));
}

#[test]
fn a_write_in_the_place_of_a_dead_letter_is_sent_as_a_write() {
    let mut lanes = Lanes::default();
    lanes.push(dead_letter("a", 0));
    lanes.push(write("a", 1));
    assert!(lanes.take_dead_letters(LIMITS).is_none());
    assert_eq!(rows(&lanes.take_writes(LIMITS).unwrap().entries[0]), [Ordinal(0), Ordinal(1)]);
    assert!(!lanes.is_ready());
}

#[test]
fn a_rejected_write_is_a_dead_letter_in_its_place_unless_a_newer_write_came() {
    let mut lanes = Lanes::default();
    lanes.push(write("a", 0));
    lanes.push(write("b", 1));
    let taken = lanes.take_writes(LIMITS).unwrap();
    lanes.push(write("a", 2));
    let dead_letters = vec![dead_letter("a", 0), dead_letter("b", 1)];
    lanes.complete(&taken.lanes, dead_letters, Instant::now());
    lanes.wake(Instant::now());
    let dead_letters = lanes.take_dead_letters(LIMITS).unwrap();
    assert_eq!(dead_letters.entries.len(), 1);
    assert_eq!(rows(&dead_letters.entries[0]), [Ordinal(1)]);
    assert_eq!(rows(&lanes.take_writes(LIMITS).unwrap().entries[0]), [Ordinal(0), Ordinal(2)]);
}

#[test]
fn dead_letters_are_taken_in_requests_that_are_small_enough() {
    let mut lanes = Lanes::default();
    (0..10).for_each(|row| lanes.push(dead_letter(&format!("d{row}"), row)));
    let three = BulkLimits { bytes: lanes.waiting_bytes() / 10 * 3, operations: 100 };
    assert!(lanes.waiting_bytes() > 0);
    assert_eq!(lanes.take_dead_letters(three).unwrap().entries.len(), 3);
}

/// Requests of both kinds, as the model sees them.
fn any_of(lanes: &mut Lanes, dead_letters: bool) -> Option<(Vec<Entry>, Vec<usize>)> {
    let limits = BulkLimits { bytes: 400, operations: 3 };
    if dead_letters {
        lanes.take_dead_letters(limits).map(|Taken { entries, lanes }| (entries, lanes))
    } else {
        lanes.take_writes(limits).map(|Taken { entries, lanes }| (entries, lanes))
    }
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
        let mut last_sent: HashMap<DocumentId, Version> = HashMap::new();
        let mut feed = changes.iter().enumerate();
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 20_000, "no end");
            let next = feed.next();
            if let Some((row, (document, is_letter))) = next {
                let id = format!("d{document}");
                if *is_letter { lanes.push(dead_letter(&id, row as u64)) } else { lanes.push(write(&id, row as u64)) }
            }
            let (take, dead_letters, turn) = answers.next().unwrap_or((true, true, 0));
            lanes.wake(Instant::now() + Duration::from_hours(1));
            if take && let Some(sent) = any_of(&mut lanes, dead_letters) {
                for entry in &sent.0 {
                    prop_assert_eq!(entry.is_write(), !dead_letters);
                    let busy = unanswered.iter().flat_map(|(entries, _)| entries).any(|other| other.id == entry.id);
                    prop_assert!(!busy, "two at once");
                    let before = last_sent.insert(entry.id.clone(), entry.version);
                    prop_assert!(before.is_none_or(|before| before <= entry.version), "out of order");
                }
                unanswered.push(sent);
            }
            if turn > 0 && !unanswered.is_empty() {
                let (entries, places) = unanswered.swap_remove(usize::from(turn) % unanswered.len());
                let mut again = Vec::new();
                for entry in entries {
                    match answers.next() {
                        // A rejection.
                        Some((true, true, 1)) if entry.is_write() => {
                            let letter = dead_letter(entry.id.as_str(), entry.version.0);
                            again.push(entry.with_work(letter.work));
                        }
                        Some((true, _, turn)) if turn > 0 => again.push(entry),
                        _ => acknowledged.extend(rows(&entry)),
                    }
                }
                lanes.complete(&places, again, Instant::now());
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
