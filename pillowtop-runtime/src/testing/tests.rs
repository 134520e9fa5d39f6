//! What must hold, in the simulated world.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::process::{Process, World};
use super::{FakeDatabase, FakeDestination, FakeIndex, PANICS, POISON, REFUSED, UNKNOWN};
use crate::claim::{ClaimKey, ClaimState, ClaimStore, Lease, LoadForm, LoadState, Phase, Slice};
use crate::engine::EngineOptions;
use crate::member::MemberOptions;
use crate::reader::ReaderOptions;
use crate::request::{RequestKind, submit, wait};
use crate::service::ServiceOptions;

const MINUTE: Duration = Duration::from_mins(1);

fn indices(count: usize) -> Vec<Arc<FakeIndex>> {
    (0..count).map(|_| Arc::new(FakeIndex::default())).collect()
}

/// A step of a script.
#[derive(Debug, Clone)]
enum Step {
    Write(u8, u32),
    Leave(u8),
    Delete(u8),
    Retype(u8),
    Break(u8),
    Sleep(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..15_u8, 0..40_u32).prop_map(|(id, n)| Step::Write(id, n)),
        1 => (0..15_u8).prop_map(Step::Leave),
        1 => (0..15_u8).prop_map(Step::Delete),
        1 => (0..15_u8).prop_map(Step::Retype),
        1 => (0..15_u8).prop_map(Step::Break),
        2 => (0..3000_u16).prop_map(Step::Sleep),
    ];
    prop::collection::vec(step, 1..120)
}

async fn play(database: &FakeDatabase, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Write(id, n) => database.note(&format!("d{id}"), *n),
            Step::Leave(id) => {
                database.write(&format!("d{id}"), "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}");
            }
            Step::Delete(id) => database.delete(&format!("d{id}")),
            Step::Retype(id) => database.write(&format!("d{id}"), "\"doc\":{\"doc_type\":\"Other\"}"),
            Step::Break(id) => {
                database.write(&format!("d{id}"), "\"doc\":{\"doc_type\":\"Note\",\"n\":\"x\"}");
            }
            Step::Sleep(millis) => tokio::time::sleep(Duration::from_millis(u64::from(*millis))).await,
        }
    }
}

/// Plays the steps while one process after the other is killed, each after its milliseconds; the
/// last one continues.
async fn play_while_killed(world: &World, steps: &[Step], kills: Vec<u64>) -> Process {
    let writer = tokio::spawn({
        let (database, steps) = (Arc::clone(&world.database), steps.to_vec());
        async move { play(&database, &steps).await }
    });
    for kill in kills {
        let process = world.start().await;
        tokio::time::sleep(Duration::from_millis(kill)).await;
        process.kill();
    }
    let process = world.start().await;
    writer.await.unwrap();
    process
}

/// The last note of each document that decodes, and the documents whose last change became a dead
/// letter.
fn expected(steps: &[Step]) -> (Vec<(String, u64)>, Vec<String>) {
    let mut last = std::collections::BTreeMap::new();
    for step in steps {
        let (id, state) = match step {
            Step::Write(id, REFUSED | PANICS | POISON | UNKNOWN) | Step::Break(id) => (id, Err(())),
            Step::Write(id, n) => (id, Ok(Some(u64::from(*n)))),
            Step::Leave(id) | Step::Delete(id) | Step::Retype(id) => (id, Ok(None)),
            Step::Sleep(_) => continue,
        };
        last.insert(format!("d{id}"), state);
    }
    let held = last.iter().filter_map(|(id, state)| Some((id.clone(), state.ok().flatten()?))).collect();
    let dead = last.iter().filter(|(_, state)| state.is_err()).map(|(id, _)| id.clone()).collect();
    (held, dead)
}

fn paused_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Several pillows at different positions, failures of every kind, processes that are killed: in the end every index holds what the
    /// database says.
    #[test]
    fn whatever_fails_every_index_ends_equal(
        steps in steps(),
        faults in prop::collection::vec(prop::collection::vec(0..=110_u8, 0..30), 3),
        kills in prop::collection::vec(0..20_000_u64, 0..3),
        seed in any::<u64>(),
    ) {
        fastrand::seed(seed);
        let (held, dead) = expected(&steps);
        let found = paused_runtime().block_on(async {
            let world = World::new(FakeDatabase::new(), faults.iter().cloned().map(FakeIndex::with_faults).collect());
            let process = play_while_killed(&world, &steps, kills).await;
            let dead = dead.clone();
            let settled = async {
                loop {
                    let all = world.indices.iter().all(|index| {
                        let open: Vec<String> = index.open_letters().into_iter().map(|(id, _)| id).collect();
                        let mut found = index.held();
                        found.retain(|(id, _)| !dead.contains(id));
                        open == dead && found == held
                    });
                    if all {
                        return true;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            let is_settled = tokio::time::timeout(Duration::from_mins(30), settled).await.unwrap_or(false);
            process.stop().await;
            let state: Vec<_> = world.indices.iter().map(|index| (index.held(), index.open_letters())).collect();
            (is_settled, state)
        });
        prop_assert!(found.0, "expected {held:?} and dead letters {dead:?}, found {:?}", found.1);
    }

    /// Copies of a shard that lag behind each other: pillows that start at different times, are killed and are joined lose nothing.
    #[test]
    fn copies_that_lag_lose_nothing(
        steps in steps(),
        lag in 0..60_u64,
        kills in prop::collection::vec(1000..100_000_u64, 0..3),
        seed in any::<u64>(),
    ) {
        fastrand::seed(seed);
        let (held, dead) = expected(&steps);
        let found = paused_runtime().block_on(async {
            let database = FakeDatabase::with_copies(vec![Duration::ZERO, Duration::from_secs(lag)]);
            let world = World::new(database, indices(3));
            let process = play_while_killed(&world, &steps, kills).await;
            let healthy = |index: &FakeIndex| {
                let mut found = index.held();
                found.retain(|(id, _)| !dead.contains(id));
                found
            };
            for _ in 0..60 {
                if world.indices.iter().all(|index| healthy(index) == held) {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            let found: Vec<_> = world.indices.iter().map(|index| healthy(index)).collect();
            process.stop().await;
            found
        });
        for found in found {
            prop_assert_eq!(&found, &held);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pillows_that_stand_at_one_position_share_a_reader() {
    let world = World::new(FakeDatabase::new(), indices(5));
    (0..50).for_each(|number| world.database.note(&format!("d{number}"), number % 13));
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE * 3).await;
    assert_eq!(process.engine.hub(&"db".into()).readers(), 1);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_laggard_catches_up_on_its_own_and_is_joined() {
    let mut world = World::new(FakeDatabase::new(), indices(1));
    (0..50).for_each(|number| world.database.note(&format!("d{number}"), 1));
    world.catch_up(World::options()).await.unwrap();
    (0..50).for_each(|number| world.database.note(&format!("e{number}"), 1));
    // The second index begins at the start, the first continues.
    world.indices.push(Arc::default());
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE * 3).await;
    assert_eq!(process.engine.hub(&"db".into()).readers(), 1, "the laggard is joined");
    world.database.note("after", 7);
    world.equal_within(MINUTE).await;
    process.stop().await;
}

/// With several copies, a position of the leader counts only once it is older than the bound, so the
/// laggard has a reader of its own for that long.
#[tokio::test(start_paused = true)]
async fn a_laggard_on_copies_that_lag_is_joined_after_the_bound() {
    for seed in 0..5 {
        fastrand::seed(seed);
        let lags = vec![Duration::ZERO, Duration::from_secs(50)];
        let mut world = World::new(FakeDatabase::with_copies(lags), indices(1));
        (0..50).for_each(|number| world.database.note(&format!("d{number}"), 1));
        tokio::time::sleep(MINUTE).await;
        world.catch_up(World::options()).await.unwrap();
        (0..50).for_each(|number| world.database.note(&format!("e{number}"), 1));
        tokio::time::sleep(MINUTE).await;
        world.indices.push(Arc::default());
        let process = world.start().await;
        let write_for = async |minutes: u32| {
            for number in 0..minutes * 12 {
                world.database.note(&format!("d{}", fastrand::u32(..80)), number % 10);
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        };
        write_for(5).await;
        assert_eq!(process.engine.hub(&"db".into()).readers(), 2, "seed {seed}: joined within the bound");
        write_for(40).await;
        assert_eq!(process.engine.hub(&"db".into()).readers(), 1, "seed {seed}: not joined");
        write_for(1).await;
        world.equal_within(MINUTE * 3).await;
        process.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pillow_that_is_blocked_delays_no_other_and_holds_no_memory() {
    let world = World::new(FakeDatabase::new(), indices(3));
    world.indices[1].block_for(Duration::from_hours(1));
    let options = EngineOptions { memory: 4 * 40_000, ..EngineOptions::default() };
    let process = world.start_engine(ServiceOptions::default(), World::options(), options).await;
    for number in 0..600 {
        world.database.note(&format!("d{number}"), number % 13);
        if number % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let others = World::new(
        Arc::clone(&world.database),
        vec![Arc::clone(&world.indices[0]), Arc::clone(&world.indices[2])],
    );
    let late = others.equal_within(MINUTE).await;
    assert!(late < Duration::from_secs(15), "{late:?}");
    assert!(process.paused(1).is_some_and(|reason| reason.ends_with("closed")), "{:?}", process.paused(1));
    assert_eq!(process.paused(0), None);
    assert!(world.indices[1].held().is_empty());
    tokio::time::sleep(Duration::from_hours(1)).await;
    world.equal_within(MINUTE * 3).await;
    assert_eq!(process.paused(1), None);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_pillow_is_detached_and_the_others_continue() {
    let world = World::new(FakeDatabase::new(), indices(2));
    *world.indices[1].latency.lock().unwrap() = Duration::from_secs(2);
    let process = world.start().await;
    (0..500).for_each(|number| world.database.note(&format!("d{number}"), number % 13));
    let fast = World::new(Arc::clone(&world.database), vec![Arc::clone(&world.indices[0])]);
    let took = fast.equal_within(MINUTE * 2).await;
    assert!(took < Duration::from_secs(40), "{took:?}");
    world.equal_within(Duration::from_hours(1)).await;
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_the_index_rejects_is_a_dead_letter_and_the_rest_continues() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("a", REFUSED);
    world.database.note("b", 2);
    world.database.note("c", PANICS);
    world.database.write("d", "\"doc\":{\"doc_type\":\"Note\",\"n\":\"x\"}");
    let counts = world.catch_up(World::options()).await.unwrap();
    assert_eq!((counts[0].dead_letters, counts[0].indexed), (3, 1));
    let dead_letters = world.indices[0].dead_letters.lock().unwrap();
    let mut found: Vec<_> =
        dead_letters.values().map(|letter| (letter.id.as_str(), letter.error_type.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [("a", "mapper"), ("c", "panic"), ("d", "decode_error")]);
    assert!(
        dead_letters.values().all(|letter| letter.document.is_none()),
        "bodies are kept only where asked for"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_resolved_whenever_its_document_is_decided_again() {
    let world = World::new(FakeDatabase::new(), indices(1));
    let long = "x".repeat(600);
    world.database.note("a", REFUSED);
    world.database.note(&long, 1);
    world.catch_up(World::options()).await.unwrap();
    assert_eq!(world.indices[0].open_letters().len(), 2);
    // After a restart, while removing fails at first.
    *world.indices[0].dead_letter_faults.lock().unwrap() = 3;
    world.database.note("a", 1);
    world.database.write(&long, "\"doc\":{\"doc_type\":\"Other\"}");
    world.catch_up(World::options()).await.unwrap();
    assert_eq!(world.indices[0].open_letters(), []);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_no_request_survives_is_found_among_others() {
    let world = World::new(FakeDatabase::new(), indices(1));
    for id in 0..200 {
        world.database.note(&format!("d{id}"), if id == 117 { POISON } else { 1 });
    }
    let counts = world.catch_up(MemberOptions::default()).await.unwrap();
    assert_eq!((counts[0].dead_letters, counts[0].indexed), (1, 199));
    assert_eq!(world.indices[0].dead_letters.lock().unwrap()[&"d117".into()].error_type, "no_response");
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_away_for_an_hour_costs_no_document() {
    let world = World::new(FakeDatabase::new(), indices(1));
    (0..200).for_each(|id| world.database.note(&format!("d{id}"), 1));
    world.indices[0].away_for(Duration::from_hours(1));
    let counts = world.catch_up(MemberOptions::default()).await.unwrap();
    assert_eq!((counts[0].dead_letters, world.is_equal()), (0, true));
    // Neither did it make the bulks small.
    let bulks = world.indices[0].bulks.lock().unwrap();
    assert!(bulks.iter().rev().skip(1).take(10).all(|bulk| bulk.operations > 1), "{bulks:?}");
}

#[tokio::test(start_paused = true)]
async fn how_much_a_server_accepts_is_learned_once() {
    let world = World::new(FakeDatabase::new(), vec![FakeIndex::accepting(600)]);
    (0..200).for_each(|id| world.database.note(&format!("d{id}"), 1));
    world.catch_up(MemberOptions::default()).await.unwrap();
    assert!(world.is_equal());
    let bulks = world.indices[0].bulks.lock().unwrap();
    let refused = bulks.iter().filter(|bulk| bulk.bytes > 600).count();
    // Some at once, and each time half: not each bulk anew.
    assert!(refused * 4 < bulks.len(), "{refused} of {}", bulks.len());
}

#[tokio::test(start_paused = true)]
async fn five_percent_of_bad_documents_slow_nothing_down() {
    let world = World::new(FakeDatabase::new(), indices(1));
    for id in 0..4000 {
        world.database.note(&format!("d{id}"), if id % 20 == 0 { REFUSED } else { 1 });
    }
    let process = world.start_with(ServiceOptions::default(), MemberOptions::default()).await;
    tokio::time::sleep(MINUTE).await;
    let counts = process.counters[0].snapshot();
    assert_eq!((counts.dead_letters, counts.indexed, counts.paused), (200, 3800, None));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn too_many_open_dead_letters_pause_until_some_are_resolved() {
    let world = World::new(FakeDatabase::new(), indices(1));
    (0..1000).for_each(|id| world.database.note(&format!("d{id}"), REFUSED));
    let options = MemberOptions { max_open_dead_letters: 100, ..World::options() };
    let process = world.start_with(ServiceOptions::default(), options).await;
    tokio::time::sleep(MINUTE).await;
    let reason = process.paused(0);
    assert!(
        reason.as_deref().is_some_and(|reason| reason.contains("100 dead letters are open")),
        "{reason:?}"
    );
    assert!(world.indices[0].dead_letters.lock().unwrap().len() < 1000);
    for _ in 0..20 {
        world.indices[0].dead_letters.lock().unwrap().clear();
        tokio::time::sleep(MINUTE).await;
    }
    // A few are read again after each pause.
    let dead_letters = process.counters[0].snapshot().dead_letters;
    assert!((1000..1200).contains(&dead_letters), "{dead_letters}");
    assert_eq!(process.paused(0), None);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_is_replaced_within_a_lease_and_a_zombie_writes_nothing() {
    let world = World::new(FakeDatabase::new(), indices(2));
    world.database.note("a", 1);
    let first = world.start().await;
    world.equal_within(MINUTE).await;
    let second = world.start().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(second.paused(0).is_some_and(|reason| reason.starts_with("standing by")));
    first.kill();
    world.database.note("b", 2);
    let took = world.equal_within(MINUTE).await;
    assert!(took < Duration::from_secs(45), "{took:?}");
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_takeover_that_takes_longer_than_the_lease_succeeds() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("a", 1);
    *world.indices[0].latency.lock().unwrap() = Lease::LENGTH + Duration::from_secs(3);
    let process = world.start().await;
    world.equal_within(MINUTE * 5).await;
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn idle_pillows_write_next_to_nothing() {
    idle_pillows_write_little(300, EngineOptions::default()).await;
}

#[tokio::test(start_paused = true)]
async fn idle_pillows_of_polled_databases_write_next_to_nothing() {
    let readers =
        ReaderOptions { connections: Arc::new(tokio::sync::Semaphore::new(0)), ..ReaderOptions::default() };
    // Few, so that their readers are soon joined.
    idle_pillows_write_little(20, EngineOptions { readers, ..EngineOptions::default() }).await;
}

async fn idle_pillows_write_little(pillows: usize, engine: EngineOptions) {
    let world = World::new(FakeDatabase::new(), indices(pillows));
    world.database.note("a", 1);
    let process = world.start_engine(ServiceOptions::default(), World::options(), engine).await;
    let took = world.equal_within(MINUTE).await;
    assert!(took < MINUTE, "{took:?}");
    tokio::time::sleep(MINUTE * 2).await;
    world.store.writes.lock().unwrap().clear();
    tokio::time::sleep(MINUTE).await;
    let written = world.store.writes.lock().unwrap().clone();
    assert!(written.len() < pillows.min(50), "{} writes a minute: {written:?}", written.len());
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restored_index_is_noticed_at_the_next_claim() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("a", 1);
    world.catch_up(World::options()).await.unwrap();
    world.indices[0].restore();
    let error = world.catch_up(World::options()).await.unwrap_err().to_string();
    assert!(
        error.contains("another history in shard 0") && error.contains("rewind its checkpoint"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_live_owner_repairs_its_fence_and_its_claim() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("a", 1);
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    world.store.clear();
    world.database.note("b", 1);
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE).await;
    assert!(world.store.keys().contains(&"claim:notes_0".to_owned()), "{:?}", world.store.keys());
    world.indices[0].remove_fence();
    world.database.note("c", 1);
    world.equal_within(MINUTE).await;
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_was_created_again_is_never_followed() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("a", 1);
    world.catch_up(World::options()).await.unwrap();
    world.database.create_again();
    let error = world.catch_up(World::options()).await.unwrap_err().to_string();
    assert!(error.contains("db"), "{error}");
    assert_eq!(world.indices[0].held().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_stops_nothing_for_good() {
    let world = World::new(FakeDatabase::new(), indices(2));
    let process = world.start().await;
    world.database.note("a", 1);
    world.equal_within(MINUTE).await;
    world.store.away_for(MINUTE * 5);
    world.database.note("b", 1);
    tokio::time::sleep(MINUTE * 5).await;
    world.equal_within(MINUTE * 2).await;
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_service_stops_at_once() {
    let world = World::new(FakeDatabase::new(), indices(2));
    world.indices[0].block_for(Duration::from_hours(1));
    (0..50).for_each(|id| world.database.note(&format!("d{id}"), 1));
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let took = process.stop().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_change_is_sent_at_once() {
    let world = World::new(FakeDatabase::new(), indices(1));
    let process = world.start().await;
    tokio::time::sleep(MINUTE).await;
    for id in 0..20 {
        world.database.note(&format!("d{id}"), 1);
        tokio::time::sleep(MINUTE).await;
    }
    let bulks = world.indices[0].bulks.lock().unwrap().len();
    assert_eq!(bulks, 20, "each change in a bulk of its own");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_owner_processes_requested_documents() {
    let world = World::new(FakeDatabase::new(), indices(1));
    (0..30).for_each(|id| world.database.note(&format!("d{id}"), if id == 3 { REFUSED } else { 1 + id % 7 }));
    let process = world.start().await;
    tokio::time::sleep(MINUTE).await;
    // The index lost some of them, and has one that the database does not.
    {
        let mut documents = world.indices[0].documents.lock().unwrap();
        documents.retain(|id, _| id.as_str() != "d1");
        documents.insert("extra".into(), (crate::Version(1), Some("{\"n\":1,\"keep\":true}".to_owned())));
    }
    let claim = ClaimKey::whole("notes_0");
    let ids = ["d1", "d2", "d3", "extra"].map(Into::into);
    let store = world.store.as_ref();
    let keys = submit(store, &claim, RequestKind::Touch, &ids).await.unwrap();
    let result = wait(store, &keys, |_| ()).await.unwrap();
    assert_eq!((result.indexed, result.removed, result.dead_letters), (2, 1, 1));
    let expected: Vec<_> = world.database.expected().into_iter().filter(|(id, _)| id != "d3").collect();
    assert_eq!(world.indices[0].held(), expected);
    assert!(!world.store.keys().iter().any(|key| key.starts_with("request:")));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn purged_documents_leave_the_index() {
    let world = World::new(FakeDatabase::new(), indices(2));
    (0..9).for_each(|id| world.database.note(&format!("d{id}"), 1));
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE).await;
    // The last one, so that the sequences of the others stay.
    world.database.purge("d8");
    world.equal_within(MINUTE * 12).await;
    tokio::time::sleep(MINUTE).await;
    process.stop().await;
    let claim = world.store.read("claim:notes_0").await.unwrap().unwrap();
    assert_eq!(claim.value["state"]["purges"], json!("1-p"));
}

#[tokio::test(start_paused = true)]
async fn a_person_resolves_an_unrecognised_error_and_the_pillow_continues() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.note("odd", UNKNOWN);
    world.database.note("fine", 1);
    let process = world.start().await;
    tokio::time::sleep(MINUTE * 3).await;
    assert!(process.paused(0).is_some_and(|reason| reason.contains("`odd`")), "{:?}", process.paused(0));
    assert_eq!(world.indices[0].held().len(), 1);
    let keys =
        submit(world.store.as_ref(), &ClaimKey::whole("notes_0"), RequestKind::Bury, &["odd".into()]).await;
    wait(world.store.as_ref(), &keys.unwrap(), |_| ()).await.unwrap();
    tokio::time::sleep(MINUTE * 3).await;
    assert_eq!(world.indices[0].open_letters(), [("odd".to_owned(), "1-0".to_owned())]);
    assert_eq!(process.paused(0), None);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_is_set_from_outside_is_followed_by_the_running_owner() {
    let world = World::new(FakeDatabase::new(), indices(1));
    (0..30).for_each(|id| world.database.note(&format!("d{id}"), 1));
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE * 2).await;
    let before = process.counters[0].snapshot().indexed;
    let key = ClaimKey::whole("notes_0");
    let amended = crate::claim::amend(world.store.as_ref(), &key, |state| {
        state.checkpoint = Some("0".into());
    });
    assert!(amended.await.unwrap());
    let keys = submit(world.store.as_ref(), &key, RequestKind::Reload, &[]).await.unwrap();
    tokio::time::sleep(MINUTE * 2).await;
    assert_eq!(process.counters[0].snapshot().indexed, before + 30);
    wait(world.store.as_ref(), &keys, |_| ()).await.unwrap();
    process.stop().await;
}

/// A claim whose index is being loaded.
pub(super) async fn begin_load(world: &World, position: &str) {
    let store = Arc::clone(&world.store) as Arc<dyn ClaimStore>;
    let lease = Lease::start(store, "load", Lease::LENGTH).await.unwrap();
    let destination = FakeDestination::new(&world.indices[0], &lease, "notes_0");
    let database = crate::claim::DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() };
    let load = LoadState { position: position.into(), ..LoadState::new("0".into(), LoadForm::Feed) };
    let definition = super::note_pillow();
    let state = ClaimState::new(definition.definition(), "notes_0".into(), database, Some(load));
    let open = destination.open_with(Slice::Whole, state).await.unwrap();
    assert_eq!(open.claim.state().phase, Phase::Loading);
    open.claim.release().await.unwrap();
    lease.end().await.unwrap();
    // The next owner is the first one that writes.
    amend_claim(world, |claim| claim["epoch"] = json!(0)).await;
    world.indices[0].remove_fence();
}

async fn amend_claim(world: &World, change: impl FnOnce(&mut serde_json::Value)) {
    let stored = world.store.read("claim:notes_0").await.unwrap().unwrap();
    let mut value = stored.value;
    change(&mut value);
    world.store.write("claim:notes_0", &value, Some(stored.token)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_load_deletes_only_what_it_wrote_and_a_resumed_one_sends_its_deletes() {
    // Killed in its middle, or before it saved a position: the next process does not know what was
    // written.
    for position in ["1-x", "0"] {
        let world = World::new(FakeDatabase::new(), indices(1));
        world.database.note("a", 1);
        world.database.delete("never-there");
        begin_load(&world, "0").await;
        world.catch_up(World::options()).await.unwrap();
        assert_eq!(
            world.indices[0].documents.lock().unwrap().len(),
            1,
            "no delete of what was never written"
        );
        amend_claim(&world, |claim| claim["state"]["load"]["position"] = json!(position)).await;
        world.database.delete("a");
        world.catch_up(World::options()).await.unwrap();
        assert_eq!(world.indices[0].held(), [], "from {position}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_whose_documents_are_all_rejected_fails() {
    let world = World::new(FakeDatabase::new(), indices(1));
    (0..300).for_each(|id| world.database.note(&format!("d{id}"), REFUSED));
    begin_load(&world, "0").await;
    let error = world.catch_up(World::options()).await.unwrap_err().to_string();
    assert!(error.contains("dead letters") && error.contains("mapper of `d"), "{error}");
}

/// What becomes of a load of 2,000 documents of which some are rejected.
async fn load_with_rejected(rejected: usize, share: Option<f64>) -> Result<(), String> {
    let world = World::new(FakeDatabase::new(), indices(1));
    for id in 0..2000 {
        // Rejected ones are spread evenly.
        let is_rejected = id * rejected / 2000 != (id + 1) * rejected / 2000;
        world.database.note(&format!("d{id}"), if is_rejected { REFUSED } else { 1 });
    }
    begin_load(&world, "0").await;
    let options = MemberOptions { max_dead_letter_share: share, ..World::options() };
    world.catch_up(options).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_load_fails_at_a_share_of_dead_letters_that_can_be_set() {
    let default = MemberOptions::default().max_dead_letter_share;
    assert_eq!(load_with_rejected(134, default).await, Ok(()));
    let error = load_with_rejected(300, default).await.unwrap_err();
    assert!(error.contains("dead letters"), "{error}");
    assert_eq!(load_with_rejected(300, Some(0.2)).await, Ok(()));
    assert_eq!(load_with_rejected(2000, None).await, Ok(()));
}
