//! Sessions against a sink that fails in every way, judged by what its index holds in the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::watch;

use super::fake::{FakeIndex, PANICS, POISON, REFUSED, feed, run, run_with, session};
use crate::pipeline::{PipelineOptions, SessionEnd};
use crate::row::Row;
use crate::{LoadState, Phase, Version};

#[derive(Debug, Clone)]
enum Step {
    Write(u8, u32),
    Leave(u8),
    Delete(u8),
    Retype(u8),
    Break(u8),
    /// The same with a text of 20,000 bytes.
    BreakLarge(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..15_u8, 0..40_u32).prop_map(|(id, n)| Step::Write(id, n)),
        1 => (0..15_u8).prop_map(Step::Leave),
        1 => (0..15_u8).prop_map(Step::Delete),
        1 => (0..15_u8).prop_map(Step::Retype),
        1 => (0..15_u8).prop_map(Step::Break),
    ];
    prop::collection::vec(step, 1..150)
}

fn row(place: usize, step: &Step) -> Row {
    let (id, rest) = match step {
        Step::Write(id, n) => (id, format!("\"doc\":{{\"doc_type\":\"Note\",\"n\":{n},\"keep\":true}}")),
        Step::Leave(id) => (id, "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}".to_owned()),
        Step::Delete(id) => (id, "\"deleted\":true,\"doc\":{\"_deleted\":true}".to_owned()),
        Step::Retype(id) => (id, "\"doc\":{\"doc_type\":\"Other\"}".to_owned()),
        Step::Break(id) => (id, "\"doc\":{\"doc_type\":\"Note\",\"n\":\"x\"}".to_owned()),
        Step::BreakLarge(id) => {
            (id, format!("\"doc\":{{\"doc_type\":\"Note\",\"n\":\"{}\"}}", "x".repeat(20_000)))
        }
    };
    let line =
        format!("{{\"seq\":\"s{place}\",\"id\":\"d{id}\",\"changes\":[{{\"rev\":\"{place}-0\"}}],{rest}}}");
    Row::parse(line.into()).unwrap()
}

fn rows(steps: &[Step]) -> Vec<Row> {
    steps.iter().enumerate().map(|(place, step)| row(place, step)).collect()
}

/// Documents by id, with their numbers.
type Held = Vec<(String, u64)>;
/// Documents with an open letter, with the letter's revision.
type Open = Vec<(String, String)>;

/// What the index must hold, and which documents must have an open letter, of which revision: those whose last change is bad.
fn expected(steps: &[Step]) -> (Held, Open) {
    let (mut held, mut dead) = (HashMap::new(), HashMap::new());
    for (place, step) in steps.iter().enumerate() {
        match step {
            Step::Write(id, REFUSED) | Step::Break(id) | Step::BreakLarge(id) => {
                drop(dead.insert(*id, format!("{place}-0")));
            }
            Step::Write(id, n) => drop((held.insert(*id, u64::from(*n)), dead.remove(id))),
            Step::Leave(id) | Step::Delete(id) | Step::Retype(id) => {
                drop((held.remove(id), dead.remove(id)));
            }
        }
    }
    let mut held: Vec<_> = held.into_iter().map(|(id, n)| (format!("d{id}"), n)).collect();
    let mut dead: Vec<_> = dead.into_iter().map(|(id, revision)| (format!("d{id}"), revision)).collect();
    held.sort();
    dead.sort();
    (held, dead)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_fails_the_index_ends_as_the_database_is(steps in steps(), faults in prop::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let index = Arc::new(FakeIndex::new(faults));
        let rows = rows(&steps);
        let last = rows.last().and_then(|row| row.sequence.clone());
        let end = runtime.block_on(run(&index, rows));
        let (mut held, dead) = expected(&steps);
        prop_assert_eq!(index.open_letters(), dead.clone());
        // What was there before a change that the index refuses depends on what was superseded unsent.
        let is_healthy = |(id, _): &(String, u64)| dead.iter().all(|(dead, _)| id != dead);
        let mut found = index.held();
        held.retain(is_healthy);
        found.retain(is_healthy);
        prop_assert_eq!(found, held);
        prop_assert_eq!(end, SessionEnd::Caught(last.clone()));
        prop_assert_eq!(index.saved.lock().unwrap().last().cloned(), last);
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_the_index_refuses_is_a_dead_letter_and_the_rest_goes_on() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    let steps = [Step::Write(1, REFUSED), Step::Write(2, 2), Step::Break(3)];
    run(&index, rows(&steps)).await;
    assert_eq!(index.held(), [("d2".to_owned(), 2)]);
    let letters = index.letters.lock().unwrap();
    let mut found: Vec<_> =
        letters.values().map(|letter| (letter.id.as_str(), letter.error_type.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [("d1", "mapper"), ("d3", "decode_error")]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_makes_the_transform_panic_is_a_dead_letter() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    let steps = [Step::Write(1, PANICS), Step::Write(2, 2), Step::Write(3, PANICS), Step::Write(3, 3)];
    run(&index, rows(&steps)).await;
    assert_eq!(index.held(), [("d2".to_owned(), 2), ("d3".to_owned(), 3)]);
    assert_eq!(index.open_letters(), [("d1".to_owned(), "0-0".to_owned())]);
    let letters = index.letters.lock().unwrap();
    let letter = &letters[&"d1".into()];
    assert_eq!((letter.error_type.as_str(), letter.reason.as_str()), ("panic", "no note may have 99"));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_no_request_survives_is_found_among_others_and_given_up() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    let steps: Vec<Step> = (0..200).map(|id| Step::Write(id, if id == 117 { POISON } else { 1 })).collect();
    let (end, counts) = run_with(&index, rows(&steps), PipelineOptions::default()).await;
    assert_eq!(index.held().len(), 199);
    assert_eq!(index.open_letters(), [("d117".to_owned(), "117-0".to_owned())]);
    assert_eq!(index.letters.lock().unwrap()[&"d117".into()].error_type, "no_answer");
    assert_eq!((end, counts.dead_letters), (SessionEnd::Caught(Some("s199".into())), 1));
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_away_for_an_hour_costs_no_document() {
    let index = Arc::new(FakeIndex::away_for(Duration::from_hours(1)));
    let steps: Vec<Step> = (0..200).map(|id| Step::Write(id, 1)).collect();
    run_with(&index, rows(&steps), PipelineOptions::default()).await;
    assert_eq!(index.held().len(), 200);
    assert_eq!(index.open_letters(), []);
    // Neither did it make the bulks small.
    let bulks = index.bulks.lock().unwrap();
    assert!(bulks.last().unwrap().operations > 50, "{:?}", bulks.last());
}

#[tokio::test(start_paused = true)]
async fn how_much_a_server_takes_is_learned_once() {
    let index = Arc::new(FakeIndex::taking(600));
    let steps: Vec<Step> = (0..200).map(|id| Step::Write(id, 1)).collect();
    run_with(&index, rows(&steps), PipelineOptions::default()).await;
    assert_eq!(index.held().len(), 200);
    let bulks = index.bulks.lock().unwrap();
    let refused = bulks.iter().filter(|bulk| bulk.bytes > 600).count();
    // Some at once, and each time half: not each bulk anew.
    assert!(refused * 4 < bulks.len(), "{refused} of {}", bulks.len());
}

#[tokio::test(start_paused = true)]
async fn dead_letters_fit_into_what_a_server_takes() {
    let index = Arc::new(FakeIndex::taking(50_000));
    let steps: Vec<Step> = (0..60).map(Step::BreakLarge).collect();
    run_with(&index, rows(&steps), PipelineOptions::default()).await;
    assert_eq!(index.open_letters().len(), 60);
    assert!(index.letters.lock().unwrap().values().all(|letter| letter.document.is_some()));
    // Where none fits, its document is left out.
    let index = Arc::new(FakeIndex::taking(6_000));
    run_with(&index, rows(&steps), PipelineOptions::default()).await;
    assert_eq!(index.open_letters().len(), 60);
    assert!(index.letters.lock().unwrap().values().all(|letter| letter.document.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_position_that_cannot_be_stored_is_tried_again_when_it_is_due() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    index.saves.lock().unwrap().1 = 3;
    let began = tokio::time::Instant::now();
    assert_eq!(run(&index, vec![row(0, &Step::Write(1, 1))]).await, SessionEnd::Caught(Some("s0".into())));
    assert_eq!((index.saves.lock().unwrap().0, index.saved.lock().unwrap().len()), (4, 1));
    assert!(began.elapsed() >= Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_heard_while_the_last_position_cannot_be_stored() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    index.saves.lock().unwrap().1 = u32::MAX;
    let (ask, stop) = watch::channel(false);
    let running = tokio::spawn(session(&index).run(feed(vec![row(0, &Step::Write(1, 1))]), stop));
    tokio::time::sleep(Duration::from_mins(1)).await;
    ask.send(true).unwrap();
    let asked = tokio::time::Instant::now();
    assert_eq!(running.await.unwrap().unwrap(), SessionEnd::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(40), "{:?}", asked.elapsed());
    assert!(index.saved.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_row_of_a_load_counts_and_only_what_it_wrote_is_deleted() {
    let index = Arc::new(FakeIndex::new(Vec::new()));
    {
        let mut state = index.state.lock().unwrap();
        state.phase = Phase::Loading;
        state.load = Some(LoadState { start: "s0".into(), position: pillowtop_core::Sequence::start() });
    }
    let written = [Step::Write(1, 1), Step::Write(2, 1), Step::Write(3, 1), Step::Leave(4), Step::Delete(5)];
    let first = run(&index, written.iter().enumerate().map(|(place, step)| row(place, step)).collect());
    first.await;
    assert_eq!(index.documents.lock().unwrap().len(), 3, "what was never written is not deleted");
    let steps = [
        Step::Write(1, 1),
        Step::Delete(1),
        Step::Write(2, 1),
        Step::Write(2, 7),
        Step::Retype(3),
        Step::Write(4, 1),
    ];
    run(&index, steps.iter().enumerate().map(|(place, step)| row(place, step)).collect()).await;
    assert_eq!(index.held(), [("d2".to_owned(), 7), ("d3".to_owned(), 1), ("d4".to_owned(), 1)]);
    let versions: Vec<Version> =
        index.documents.lock().unwrap().values().map(|(version, _)| *version).collect();
    assert!(
        versions.iter().all(|version| versions.iter().filter(|other| *other == version).count() == 1),
        "{versions:?}"
    );
}
