//! Whether what a database has is in the index, while changes are made.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::process::World;
use super::{FakeDatabase, FakeIndex};
use crate::caught_up::{PATIENCE, pending_changes};
use crate::claim::{ClaimKey, Verified, last_verified, set_position};

const MINUTE: Duration = Duration::from_mins(1);

async fn world() -> World {
    let world = World::new(FakeDatabase::new(), vec![Arc::new(FakeIndex::default())]);
    (0..30).for_each(|id| world.database.note(&format!("d{id}"), 1 + id % 7));
    world.catch_up(World::options()).await.unwrap();
    world
}

/// The changes that are pending, and how long they were waited for.
async fn pending(world: &World) -> (u64, Duration) {
    let (began, key) = (Instant::now(), ClaimKey::whole("notes_0"));
    let database = world.database.as_ref();
    let pending = pending_changes(database, world.store.as_ref(), &key, PATIENCE).await.unwrap();
    (pending, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_nobody_applies_is_pending_at_once() {
    let world = world().await;
    assert_eq!(pending(&world).await.0, 0);
    world.database.note("d1", 9);
    world.database.note("new", 1);
    world.database.delete("d2");
    let (count, waited) = pending(&world).await;
    assert_eq!(count, 3);
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_live_owner_applies_is_waited_for_under_any_number_of_writes() {
    let world = world().await;
    let process = world.start().await;
    tokio::time::sleep(MINUTE).await;
    let writing = async {
        for number in 0_u32.. {
            world.database.note(&format!("d{}", number % 30), 1 + number % 7);
            // One that is never at rest.
            world.database.note("hot", 1 + number % 7);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waiting = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        pending(&world).await
    };
    let (count, waited) = tokio::select! {
        () = writing => unreachable!(),
        found = waiting => found,
    };
    assert_eq!(count, 0);
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_paused_owner_does_not_apply_is_pending_after_a_while() {
    let world = world().await;
    let process = world.start().await;
    tokio::time::sleep(MINUTE).await;
    world.indices[0].block_for(Duration::from_hours(1));
    world.database.note("new", 1);
    let (count, waited) = pending(&world).await;
    assert_eq!(count, 1);
    assert!(waited >= PATIENCE && waited < PATIENCE + Duration::from_secs(10), "{waited:?}");
    process.kill();
}

#[tokio::test(start_paused = true)]
async fn a_comparison_is_forgotten_with_the_position_that_it_was_made_at() {
    let world = world().await;
    let key = ClaimKey::whole("notes_0");
    Verified::default().store(world.store.as_ref(), &key).await.unwrap();
    assert!(last_verified(world.store.as_ref(), &key).await.unwrap().is_some());
    assert!(set_position(world.store.as_ref(), &key, &"0".into(), false).await.unwrap());
    assert_eq!(last_verified(world.store.as_ref(), &key).await.unwrap(), None);
}
