//! An index that is compared with its database, at rest and while changes are followed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pillowtop_core::DocumentId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::process::World;
use super::{FakeDatabase, FakeIndex, REFUSED};
use crate::operation::Version;
use crate::request::RequestKind;
use crate::verify::{Bodies, Kind, Verification, VerifyError, VerifyEvent, VerifyOptions};

/// Sixty notes, of which one is a dead letter, one is filtered out, one is deleted, and one is of
/// another type.
async fn world() -> World {
    world_of(FakeDatabase::new()).await
}

async fn world_of(database: Arc<FakeDatabase>) -> World {
    let world = World::new(database, vec![Arc::new(FakeIndex::default())]);
    (0..60).for_each(|id| world.database.note(&format!("d{id}"), 1 + id % 7));
    world.database.note("refused", REFUSED);
    world.database.write("filtered", "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}");
    world.database.write("other", "\"doc\":{\"doc_type\":\"Other\",\"n\":1,\"keep\":true}");
    world.database.note("deleted", 1);
    world.database.delete("deleted");
    world.catch_up(World::options()).await.unwrap();
    world
}

fn all_bodies() -> VerifyOptions {
    // So little memory that everything goes to the file.
    VerifyOptions { bodies: Bodies::All, memory: 100, ..VerifyOptions::default() }
}

async fn verify(world: &World) -> Verification {
    world.verify(all_bodies(), |_| ()).await.unwrap()
}

fn counts(verification: &Verification) -> BTreeMap<String, u64> {
    verification.found.iter().map(|(kind, found)| (kind.to_string(), found.count)).collect()
}

fn ids(verification: &Verification, kind: Kind) -> Vec<String> {
    let examples = verification.found.get(&kind).map(|found| found.examples.as_slice()).unwrap_or_default();
    let mut ids: Vec<String> = examples.iter().map(|example| example.id.to_string()).collect();
    ids.sort();
    ids
}

/// Changes a document of the index behind its owner's back.
fn tamper(world: &World, id: &str, change: impl FnOnce(&mut Value)) {
    let mut documents = world.indices[0].documents.lock().unwrap();
    let (_, source) = documents.get_mut(&id.into()).unwrap();
    let mut value: Value = serde_json::from_str(source.as_deref().unwrap()).unwrap();
    change(&mut value);
    *source = Some(value.to_string());
}

fn lose(world: &World, id: &str) {
    world.indices[0].documents.lock().unwrap().remove(&id.into()).unwrap();
}

fn put(world: &World, id: &str, source: &Value) {
    let document = (Version(1), Some(source.to_string()));
    world.indices[0].documents.lock().unwrap().insert(id.into(), document);
}

/// One difference of each kind.
fn damage(world: &World) {
    lose(world, "d1");
    lose(world, "d2");
    tamper(world, "d3", |document| document["pillowtop"]["rev"] = json!("0-0"));
    tamper(world, "d4", |document| document["n"] = json!(1000));
    put(
        world,
        "nowhere",
        &json!({"n": 1, "keep": true, "pillowtop": {"id": "nowhere", "rev": "1-0", "db": "db"}}),
    );
    put(
        world,
        "deleted",
        &json!({"n": 1, "keep": true, "pillowtop": {"id": "deleted", "rev": "1-0", "db": "db"}}),
    );
    put(
        world,
        "filtered",
        &json!({"n": 1, "keep": true, "pillowtop": {"id": "filtered", "rev": "1-0", "db": "db"}}),
    );
    put(world, "stray", &json!({"n": 1, "keep": true}));
}

fn assert_damage(found: &Verification) {
    let expected = [("missing", 2), ("stale", 1), ("extra", 4), ("other body", 1), ("dead letter", 1)];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(counts(found), BTreeMap::from(expected), "{:?}", found.found);
    assert_eq!(ids(found, Kind::Missing), ["d1", "d2"]);
    assert_eq!(ids(found, Kind::Stale), ["d3"]);
    assert_eq!(ids(found, Kind::Body), ["d4"]);
    assert_eq!(found.found[&Kind::Body].examples[0].detail, "n");
    assert_eq!(ids(found, Kind::Extra), ["deleted", "filtered", "nowhere", "stray"]);
    assert_eq!(ids(found, Kind::DeadLetter), ["refused"]);
}

#[tokio::test(start_paused = true)]
async fn an_equal_index_has_no_differences() {
    let world = world().await;
    let found = verify(&world).await;
    assert_eq!(counts(&found), BTreeMap::from([("dead letter".to_owned(), 1)]));
    assert_eq!((found.index_documents, found.database_documents, found.bodies_compared), (60, 63, 60));
    let record = found.record(0);
    assert_eq!((record.differences(), record.dead_letters, record.documents), (0, 1, 60));
    let sample = VerifyOptions { bodies: Bodies::Sample(5), ..VerifyOptions::default() };
    let found = world.verify(sample, |_| ()).await.unwrap();
    assert_eq!((found.bodies_compared, found.record(0).differences()), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_difference_is_found_and_repaired() {
    let world = world().await;
    damage(&world);
    let found = verify(&world).await;
    assert_damage(&found);
    let mut repairable = Vec::new();
    for chunk in found.repairable.into_chunks(3).unwrap() {
        repairable.extend(chunk.unwrap());
    }
    assert_eq!(repairable.len(), 8);
    let ids: Vec<&str> = repairable.iter().map(DocumentId::as_str).collect();
    let never = CancellationToken::new();
    let (result, _) = world.touch(RequestKind::Touch, &ids, &never).await;
    let result = result.unwrap();
    assert_eq!((result.removed, result.indexed), (4, 4));
    assert_eq!(counts(&verify(&world).await), BTreeMap::from([("dead letter".to_owned(), 1)]));
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_difference_is_found_under_a_live_owner() {
    let world = world().await;
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    damage(&world);
    assert_damage(&verify(&world).await);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn with_copies_a_difference_is_seen_several_times() {
    let lags = vec![Duration::ZERO, Duration::from_secs(3)];
    let world = world_of(FakeDatabase::with_copies(lags)).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    world.catch_up(World::options()).await.unwrap();
    damage(&world);
    assert_damage(&verify(&world).await);
}

#[tokio::test(start_paused = true)]
async fn ongoing_writes_are_not_differences() {
    for seed in 0..10 {
        fastrand::seed(seed);
        let world = world().await;
        let process = world.start().await;
        let writing = async {
            loop {
                let id = format!("d{}", fastrand::u32(..80));
                match fastrand::u32(..5) {
                    0 => world.database.delete(&id),
                    1 => world.database.write(&id, "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}"),
                    // One that is never at rest.
                    2 => world.database.note("hot", fastrand::u32(1..10)),
                    _ => world.database.note(&id, fastrand::u32(1..10)),
                }
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..60))).await;
            }
        };
        let found = tokio::select! {
            () = writing => unreachable!(),
            found = verify(&world) => found,
        };
        let found = counts(&found);
        assert_eq!(found, BTreeMap::from([("dead letter".to_owned(), 1)]), "seed {seed}");
        process.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_found_among_ongoing_writes() {
    let world = world().await;
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    damage(&world);
    let writing = async {
        loop {
            world.database.note(&format!("d{}", 10 + fastrand::u32(..50)), fastrand::u32(1..10));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::select! {
        () = writing => unreachable!(),
        found = verify(&world) => found,
    };
    assert_damage(&found);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_applies_is_pending() {
    let world = world().await;
    world.database.note("d5", 9);
    world.database.note("new", 9);
    world.database.delete("d6");
    lose(&world, "d7");
    let found = verify(&world).await;
    assert_eq!(ids(&found, Kind::Pending), ["d5", "d6", "new"]);
    assert_eq!(ids(&found, Kind::Missing), ["d7"]);
    assert_eq!(found.repairable.count(), 1);
    assert_eq!(found.record(0).differences(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_a_paused_owner_does_not_apply_is_pending_after_a_while() {
    let world = world().await;
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    world.indices[0].block_for(Duration::from_hours(1));
    world.database.note("new", 9);
    let began = tokio::time::Instant::now();
    assert_eq!(ids(&verify(&world).await, Kind::Pending), ["new"]);
    assert!(began.elapsed() >= Duration::from_secs(90), "{:?}", began.elapsed());
    process.kill();
}

#[tokio::test(start_paused = true)]
async fn a_partial_listing_is_an_error() {
    let world = world().await;
    world.indices[0].is_partial.store(true, Ordering::Relaxed);
    let error = world.verify(all_bodies(), |_| ()).await.unwrap_err();
    assert!(matches!(&error, VerifyError::Target(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn another_database_is_an_error_at_the_start_and_meanwhile() {
    let world = world().await;
    let meanwhile = |event: VerifyEvent| {
        if matches!(event, VerifyEvent::Comparing { .. }) {
            world.database.create_again();
        }
    };
    let error = world.verify(all_bodies(), meanwhile).await.unwrap_err();
    assert!(matches!(error, VerifyError::OtherDatabase { .. } | VerifyError::Source(_)), "{error}");
    let error = world.verify(all_bodies(), |_| ()).await.unwrap_err();
    assert!(matches!(error, VerifyError::OtherDatabase { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_deleted_meanwhile_is_an_error() {
    let world = world().await;
    let meanwhile = |event: VerifyEvent| {
        let is_listing = matches!(event, VerifyEvent::Listing { .. });
        world.indices[0].is_gone.store(is_listing, Ordering::Relaxed);
    };
    let error = world.verify(all_bodies(), meanwhile).await.unwrap_err();
    assert!(matches!(error, VerifyError::TargetReplaced { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_index_without_a_claim_is_an_error() {
    let world = world().await;
    world.store.clear();
    let error = world.verify(all_bodies(), |_| ()).await.unwrap_err();
    assert!(matches!(error, VerifyError::NeverLoaded { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn ignored_members_are_not_compared() {
    let world = world().await;
    tamper(&world, "d4", |document| document["n"] = json!(1000));
    let ignoring = VerifyOptions { ignore: vec!["n".to_owned()], ..all_bodies() };
    let found = world.verify(ignoring, |_| ()).await.unwrap();
    assert_eq!(found.record(0).differences(), 0);
}
