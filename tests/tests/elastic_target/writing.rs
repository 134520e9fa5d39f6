//! What becomes of operations.

use pillowtop_runtime::target::elastic::IndexUse;
use pillowtop_runtime::{Outcome, Version, WriteError};
use serde_json::{Value, json};

use crate::world::{World, delete, index};

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_never_undoes_a_newer_one() {
    let world = World::new("late").await;
    let owner = world.acquire("late").await;
    let [first, second, third] = [(); 3].map(|()| owner.stamp());
    let newer = index("x", second, &json!({"name": "newer"}));
    let operations = [newer.clone(), delete("y", second), delete("z\n\"ü", first)];
    assert_eq!(owner.write(&operations).await, [Outcome::Done, Outcome::Absent, Outcome::Absent]);
    // Again, and what was delayed all the time.
    let late =
        [index("x", first, &json!({"name": "older"})), index("y", first, &json!({"name": "older"})), newer];
    assert_eq!(owner.write(&late).await, [Outcome::Done, Outcome::Done, Outcome::Done]);
    assert_eq!(world.document("x").await, Some(json!({"name": "newer"})));
    assert_eq!(world.document("y").await, None);
    let again = [index("y", third, &json!({"count": 1}))];
    assert_eq!(owner.write(&again).await, [Outcome::Done]);
    assert_eq!(world.document("y").await, Some(json!({"count": 1})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_nobody_reserved_is_a_fence() {
    let world = World::new("foreign").await;
    let owner = world.acquire("foreign").await;
    let foreign = owner.claim().versions().ceiling().0 + 1_000_000_000;
    let path = format!("/{}/_doc/x?version={foreign}&version_type=external", world.index());
    world.http("PUT", &path, &json!({"name": "foreign"}), 201);
    assert!(matches!(owner.put("x", &json!({})).await, Outcome::Fenced { .. }));
    let above = Version(owner.claim().versions().ceiling().0 + 1);
    let refused = owner.opened.target.write(&[delete("x", above)]).await;
    assert!(matches!(refused, Err(WriteError::ClaimLost(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_a_document_is_not_an_error_about_the_index() {
    let world = World::new("errors").await;
    let owner = world.acquire("errors").await;
    let operations = [
        index("good", owner.stamp(), &json!({"count": 1})),
        index("bad", owner.stamp(), &json!({"count": "many"})),
        index("worse", owner.stamp(), &json!({"code": "y".repeat(40_000)})),
        index("also good", owner.stamp(), &json!({"at": "2026-01-01"})),
    ];
    let outcomes = owner.write(&operations).await;
    assert_eq!((&outcomes[0], &outcomes[3]), (&Outcome::Done, &Outcome::Done));
    for outcome in &outcomes[1..3] {
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    }

    let settings = format!("/{}/_settings", world.index());
    world.http("PUT", &settings, &json!({"index": {"blocks": {"write": true}}}), 200);
    assert!(matches!(owner.put("good", &json!({})).await, Outcome::Blocked { .. }));
    world.http("PUT", &settings, &json!({"index": {"blocks": {"write": null}}}), 200);
    assert_eq!(owner.put("good", &json!({})).await, Outcome::Done);
    world.http("POST", &format!("/{}/_close", world.index()), &Value::Null, 200);
    assert!(matches!(owner.put("good", &json!({})).await, Outcome::Blocked { .. }));
    world.http("POST", &format!("/{}/_open", world.index()), &Value::Null, 200);
    world.cluster.wait_for_copies(world.index(), false, 30).await.unwrap();
    assert_eq!(owner.put("good", &json!({"count": 2})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_go_backwards_are_about_the_document() {
    let settings = json!({"number_of_replicas": 0, "analysis": {
        "filter": {"parts": {"type": "word_delimiter", "preserve_original": true, "catenate_all": true}},
        "analyzer": {"default": {"type": "custom", "tokenizer": "whitespace", "filter": ["shingle", "parts"]}},
    }});
    let world = World::of("offsets", IndexUse::Following, settings).await;
    let owner = world.acquire("offsets").await;
    let outcome = owner.put("x", &json!({"name": "foo-bar wi-fi-4g"})).await;
    assert!(
        matches!(&outcome, Outcome::Rejected { reason, .. } if reason.contains("backwards")),
        "{outcome:?}"
    );
    assert_eq!(owner.put("x", &json!({"name": "foo"})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_too_long_refuses_the_bulk_and_a_large_body_too() {
    let world = World::new("whole").await;
    let owner = world.acquire("whole").await;
    let target = &owner.opened.target;
    let operations =
        [index("good", owner.stamp(), &json!({})), index(&"x".repeat(600), owner.stamp(), &json!({}))];
    let refused = target.write(&operations).await;
    assert!(matches!(refused, Err(WriteError::Refused(_))), "{refused:?}");
    let large = [index("large", owner.stamp(), &json!({"name": "y".repeat(101 * 1024 * 1024)}))];
    let refused = target.write(&large).await;
    // The server may close the connection while the body is still being sent.
    assert!(matches!(refused, Err(WriteError::TooLarge(_) | WriteError::Unreachable(_))), "{refused:?}");
    assert_eq!(target.write(&[]).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_index_appears_under_a_writer_whose_index_was_deleted() {
    let world = World::new("deleted").await;
    let owner = world.acquire("deleted").await;
    let alias = owner.write_alias();
    world.cluster.delete_index(world.index()).await.unwrap();
    let outcomes = owner.write(&[delete("x", owner.stamp()), index("y", owner.stamp(), &json!({}))]).await;
    for outcome in &outcomes {
        let Outcome::Fenced { reason } = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("was deleted; run `fast-reindex case`"), "{reason}");
    }
    let refused = owner.opened.target.write(&[delete("x", owner.stamp())]).await;
    assert!(matches!(refused, Err(WriteError::ClaimLost(_))), "{refused:?}");
    for name in [world.index().as_str(), alias.as_str()] {
        world.http("GET", &format!("/{name}/_settings"), &Value::Null, 404);
    }
}
