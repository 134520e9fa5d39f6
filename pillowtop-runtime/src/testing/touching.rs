//! Documents that are processed again, and positions that are set from outside, with and without a
//! live owner.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::process::World;
use super::{FakeDatabase, FakeIndex, REFUSED, UNKNOWN};
use crate::claim::{ClaimKey, read, set_position};
use crate::request::RequestKind;
use crate::touch::{TouchError, TouchEvent};

const MINUTE: Duration = Duration::from_mins(1);

fn never() -> CancellationToken {
    CancellationToken::new()
}

/// One index of thirty notes that were all indexed, of which one is lost and one is a dead letter.
async fn damaged() -> World {
    let world = World::new(FakeDatabase::new(), vec![Arc::new(FakeIndex::default())]);
    (0..30).for_each(|id| world.database.note(&format!("d{id}"), if id == 3 { REFUSED } else { 1 + id % 7 }));
    world.catch_up(World::options()).await.unwrap();
    world.indices[0].documents.lock().unwrap().retain(|id, _| id.as_str() != "d1");
    world
}

fn healthy(world: &World) -> bool {
    let mut expected = world.database.expected();
    expected.retain(|(id, _)| id != "d3");
    world.indices[0].held() == expected
}

fn has_requests(world: &World) -> bool {
    world.store.keys().iter().any(|key| key.starts_with("request:"))
}

#[tokio::test(start_paused = true)]
async fn a_live_owner_processes_the_documents() {
    let world = damaged().await;
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (result, events) = world.touch(RequestKind::Touch, &["d1", "d2", "d3", "none"], &never()).await;
    let result = result.unwrap();
    assert_eq!((result.indexed, result.removed, result.not_indexed), (2, 0, 1));
    assert_eq!(result.dead_letters, 1);
    assert!(events.contains(&TouchEvent::Owned("test".to_owned())), "{events:?}");
    assert!(!events.contains(&TouchEvent::TookClaim), "{events:?}");
    assert!(healthy(&world) && !has_requests(&world));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_owner_the_claim_is_taken_and_released_and_the_position_stays() {
    let world = damaged().await;
    let key = ClaimKey::whole("notes_0");
    let before = read(world.store.as_ref(), &key).await.unwrap().unwrap();
    world.database.note("later", 1);
    let (result, events) = world.touch(RequestKind::Touch, &["d1", "d2", "d3"], &never()).await;
    assert_eq!(result.unwrap().total(), 3);
    assert_eq!(events[0], TouchEvent::TookClaim);
    let after = read(world.store.as_ref(), &key).await.unwrap().unwrap();
    assert_eq!((after.state.position(), after.owner), (before.state.position(), None));
    assert!(!healthy(&world) && !has_requests(&world), "the feed is not read");
    world.catch_up(World::options()).await.unwrap();
    assert!(healthy(&world));
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_dies_is_replaced() {
    let world = damaged().await;
    let process = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    process.kill();
    let (result, events) = world.touch(RequestKind::Touch, &["d1"], &never()).await;
    assert_eq!(result.unwrap().indexed, 1);
    assert!(events.contains(&TouchEvent::TookClaim), "{events:?}");
    assert!(healthy(&world));
}

#[tokio::test(start_paused = true)]
async fn many_documents_are_a_few_requests_at_a_time() {
    let world = damaged().await;
    let ids: Vec<String> = (0..4200).map(|number| format!("n{number}")).collect();
    ids.iter().for_each(|id| world.database.note(id, 5));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (result, events) = world.touch(RequestKind::Touch, &ids, &never()).await;
    assert_eq!(result.unwrap().indexed, 4200);
    assert!(events.len() > 6 && world.indices[0].held().len() > 4200);
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_no_requests() {
    let world = damaged().await;
    world.indices[0].block_for(MINUTE * 60);
    let stop = never();
    let stopping = async {
        tokio::time::sleep(MINUTE).await;
        stop.cancel();
    };
    let ((result, events), ()) = tokio::join!(world.touch(RequestKind::Touch, &["d1"], &stop), stopping);
    assert!(matches!(result, Err(TouchError::Stopped(done)) if done.total() == 0));
    assert!(events.contains(&TouchEvent::Paused("closed".to_owned())), "{events:?}");
    assert!(!has_requests(&world));
}

#[tokio::test(start_paused = true)]
async fn giving_up_on_a_document_says_what_became_of_it() {
    let world = damaged().await;
    world.database.note("odd", UNKNOWN);
    let process = world.start().await;
    let is_paused = || process.paused(0).is_some_and(|reason| reason.contains("`odd`"));
    let paused = async {
        while !is_paused() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(MINUTE * 5, paused).await.unwrap();
    let (result, _) = world.touch(RequestKind::Bury, &["odd", "d2"], &never()).await;
    let result = result.unwrap();
    assert_eq!((result.dead_letters, result.indexed), (1, 1));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(process.paused(0), None);
    process.stop().await;
    // Without an owner too.
    world.database.note("odder", UNKNOWN);
    let (result, _) = world.touch(RequestKind::Bury, &["odder"], &never()).await;
    assert_eq!(result.unwrap().dead_letters, 1);
    assert_eq!(world.indices[0].open_letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn another_database_is_not_touched() {
    let world = damaged().await;
    world.database.create_again();
    let (result, _) = world.touch(RequestKind::Touch, &["d2"], &never()).await;
    assert!(matches!(result, Err(TouchError::Service(_))), "{result:?}");
    assert!(world.indices[0].held().iter().any(|(id, _)| id == "d2"));
    assert!(!has_requests(&world));
}

#[tokio::test(start_paused = true)]
async fn a_restored_index_is_accepted_with_a_position_that_is_set() {
    let world = World::new(FakeDatabase::new(), vec![Arc::new(FakeIndex::default())]);
    (0..30).for_each(|id| world.database.note(&format!("d{id}"), 1));
    world.catch_up(World::options()).await.unwrap();
    world.indices[0].restore();
    let (key, start) = (ClaimKey::whole("notes_0"), "0".into());
    assert!(set_position(world.store.as_ref(), &key, &start, false).await.unwrap());
    assert!(world.catch_up(World::options()).await.is_err(), "nobody said that the index is taken as it is");
    assert!(set_position(world.store.as_ref(), &key, &start, true).await.unwrap());
    world.catch_up(World::options()).await.unwrap();
    assert!(world.is_equal());
    let stored = read(world.store.as_ref(), &key).await.unwrap().unwrap();
    assert!(!stored.histories.is_empty());
    assert!(!set_position(world.store.as_ref(), &ClaimKey::whole("other"), &start, true).await.unwrap());
}
