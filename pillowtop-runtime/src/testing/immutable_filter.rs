//! Following through the selector of an immutable filter, in the simulated world.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pillowtop_core::Registry;

use super::note::FixedNote;
use super::process::World;
use super::{FakeDatabase, FakeIndex};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn only_what_may_matter_is_read_and_the_index_ends_equal() {
    let mut world = World::new(FakeDatabase::new(), vec![Arc::new(FakeIndex::default())]);
    world.pillow = Arc::clone(&Registry::new().with::<FixedNote>().pillows()[0]);
    for id in 0..20 {
        world.database.note(&format!("kept{id}"), 1);
        world
            .database
            .write(&format!("left-out{id}"), "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}");
        world.database.write(&format!("other{id}"), "\"doc\":{\"doc_type\":\"Other\",\"keep\":true}");
    }
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    assert_eq!(world.database.sent.load(Ordering::Relaxed), 20);
    // Deletions, and documents of a deleted type, come through whatever else they are.
    world.database.delete("kept1");
    world.database.write("kept2", "\"doc\":{\"doc_type\":\"Note-Deleted\"}");
    world.database.note("kept3", 2);
    world.equal_within(MINUTE).await;
    assert_eq!(world.database.sent.load(Ordering::Relaxed), 23);
    process.stop().await;
    // The position is behind what was left out, too.
    world.catch_up(World::options()).await.unwrap();
    assert_eq!(world.database.sent.load(Ordering::Relaxed), 23);
}
