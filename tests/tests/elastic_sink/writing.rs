//! What becomes of operations.

use pillowtop_runtime::{ItemOutcome, Sink as _, Version, WriteError, WriteMode};
use serde_json::{Value, json};

use crate::world::{World, delete, index, put};

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_never_undoes_a_newer_one() {
    let world = World::new("late").await;
    let owned = world.acquire("late").await;
    let (first, second, third) = {
        let stamp = || owned.versions().stamp().unwrap();
        (stamp(), stamp(), stamp())
    };
    let write = async |operations: &[_]| owned.write(operations, WriteMode::Follow).await.unwrap();
    let newer = index("x", second, &json!({"name": "newer"}));
    let operations = [newer.clone(), delete("y", second), delete("z\n\"ü", first)];
    assert_eq!(write(&operations).await, [ItemOutcome::Done, ItemOutcome::Done, ItemOutcome::Done]);
    // Again, and what was on its way all the time.
    let late =
        [index("x", first, &json!({"name": "older"})), index("y", first, &json!({"name": "older"})), newer];
    assert_eq!(write(&late).await, [ItemOutcome::Done, ItemOutcome::Done, ItemOutcome::Done]);
    assert_eq!(world.document("x").await, Some(json!({"name": "newer"})));
    assert_eq!(world.document("y").await, None);
    let again = [index("y", third, &json!({"count": 1}))];
    assert_eq!(write(&again).await, [ItemOutcome::Done]);
    assert_eq!(world.document("y").await, Some(json!({"count": 1})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_nobody_reserved_is_a_fence() {
    let world = World::new("foreign").await;
    let owned = world.acquire("foreign").await;
    let foreign = owned.versions().ceiling().0 + 1_000_000_000;
    let path = format!("/{}/_doc/x?version={foreign}&version_type=external", world.index());
    world.http("PUT", &path, &json!({"name": "foreign"}), 201);
    assert!(matches!(put(&owned, "x", &json!({})).await, ItemOutcome::Fenced { .. }));
    let above = Version(owned.versions().ceiling().0 + 1);
    let refused = owned.write(&[delete("x", above)], WriteMode::Follow).await;
    assert!(matches!(refused, Err(WriteError::LeaseLost(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_a_document_is_no_error_about_the_index() {
    let world = World::new("errors").await;
    let owned = world.acquire("errors").await;
    let stamp = || owned.versions().stamp().unwrap();
    let operations = [
        index("good", stamp(), &json!({"count": 1})),
        index("bad", stamp(), &json!({"count": "many"})),
        index("worse", stamp(), &json!({"code": "y".repeat(40_000)})),
        index("also good", stamp(), &json!({"at": "2026-01-01"})),
    ];
    let outcomes = owned.write(&operations, WriteMode::Follow).await.unwrap();
    assert_eq!((&outcomes[0], &outcomes[3]), (&ItemOutcome::Done, &ItemOutcome::Done));
    for outcome in &outcomes[1..3] {
        assert!(matches!(outcome, ItemOutcome::Rejected { .. }), "{outcome:?}");
    }

    let settings = format!("/{}/_settings", world.index());
    world.http("PUT", &settings, &json!({"index": {"blocks": {"write": true}}}), 200);
    assert!(matches!(put(&owned, "good", &json!({})).await, ItemOutcome::Held { .. }));
    world.http("PUT", &settings, &json!({"index": {"blocks": {"write": null}}}), 200);
    assert_eq!(put(&owned, "good", &json!({})).await, ItemOutcome::Done);
    world.http("POST", &format!("/{}/_close", world.index()), &Value::Null, 200);
    assert!(matches!(put(&owned, "good", &json!({})).await, ItemOutcome::Held { .. }));
    world.cluster.open_index(world.index()).await.unwrap();
    world.cluster.wait_for_copies(world.index(), false, 30).await.unwrap();
    assert_eq!(put(&owned, "good", &json!({"count": 2})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_too_long_refuses_the_bulk_and_a_large_body_too() {
    let world = World::new("whole").await;
    let owned = world.acquire("whole").await;
    let stamp = || owned.versions().stamp().unwrap();
    let operations = [index("good", stamp(), &json!({})), index(&"x".repeat(600), stamp(), &json!({}))];
    let refused = owned.write(&operations, WriteMode::Follow).await;
    assert!(matches!(refused, Err(WriteError::Refused(_))), "{refused:?}");
    let large = [index("large", stamp(), &json!({"name": "y".repeat(101 * 1024 * 1024)}))];
    let refused = owned.write(&large, WriteMode::Follow).await;
    // The server may close the connection while the body is still on its way.
    assert!(matches!(refused, Err(WriteError::TooLarge(_) | WriteError::Unreachable(_))), "{refused:?}");
    assert_eq!(owned.write(&[], WriteMode::Follow).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_index_appears_under_a_writer_whose_index_was_deleted() {
    let world = World::new("deleted").await;
    let owned = world.acquire("deleted").await;
    let alias = owned.write_alias();
    world.cluster.delete_index(world.index()).await.unwrap();
    for operation in [
        delete("x", owned.versions().stamp().unwrap()),
        index("y", owned.versions().stamp().unwrap(), &json!({})),
    ] {
        let outcomes = owned.write(&[operation], WriteMode::Follow).await.unwrap();
        assert!(matches!(outcomes[..], [ItemOutcome::Held { .. }]), "{outcomes:?}");
    }
    for name in [world.index().as_str(), alias.as_str()] {
        world.http("GET", &format!("/{name}/_settings"), &Value::Null, 404);
    }
}
