//! The reasons not to serve searches from an index, and what is followed.

use std::time::Duration;

use pillowtop_core::AliasName;
use pillowtop_runtime::Outcome;
use pillowtop_runtime::claim::{
    AcquireOptions, ClaimStore as _, DatabaseIdentity, FollowReport, Slice, Verified, WhenHeld,
};
use pillowtop_runtime::target::elastic::{ElasticDestination, GateOptions, IndexUse, Problem};
use pillowtop_runtime::target::{Destination as _, OpenError};
use serde_json::{Value, json};

use crate::world::{LEASE, World, database, definition};

async fn problems(world: &World, databases: &[DatabaseIdentity]) -> Vec<Problem> {
    let options = GateOptions::default();
    world.cluster.gate(&world.definition, world.index(), databases, &options).await.unwrap()
}

/// Stores that a comparison found nothing.
async fn verified(world: &World) {
    Verified::default().store(&world.control(), &world.key()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_complete_and_followed_index_passes_the_gate() {
    let world = World::new("gate").await;
    let own = [database()];
    assert!(matches!(problems(&world, &own).await[..], [Problem::NeverLoaded { .. }]));
    let owner = world.acquire("owner").await;
    assert!(matches!(problems(&world, &own).await[..], [Problem::Incomplete { .. }]));
    owner.follow().await;
    assert!(matches!(problems(&world, &own).await[..], [Problem::NotVerified { .. }]));
    let found = Verified { missing: 2, ended: "2026-01-31T00:00:00Z".to_owned(), ..Verified::default() };
    found.store(&world.control(), &world.key()).await.unwrap();
    let differs = problems(&world, &own).await;
    assert!(
        matches!(&differs[..], [Problem::Differs { differences: 2, time, .. }] if time.starts_with("2026")),
        "{differs:?}"
    );
    verified(&world).await;
    assert_eq!(problems(&world, &own).await, []);

    let other = DatabaseIdentity { instance_start_time: "2".to_owned(), ..database() };
    assert!(matches!(problems(&world, &[other]).await[..], [Problem::OtherDatabase { .. }]));
    let renamed = DatabaseIdentity { name: "other".into(), ..database() };
    assert!(matches!(
        problems(&world, std::slice::from_ref(&renamed)).await[..],
        [Problem::OtherDatabase { .. }]
    ));
    let several = problems(&world, &[database(), renamed]).await;
    assert!(matches!(several[..], [Problem::NeverLoaded { .. }, Problem::NeverLoaded { .. }]), "{several:?}");

    let report =
        FollowReport { paused: Some("a reason".to_owned()), pending: Some(5000), ..FollowReport::default() };
    let key = FollowReport::key(&world.key());
    let token = world.control().write(&key, &json!(report), None).await.unwrap();
    let found = problems(&world, &own).await;
    assert!(
        matches!(&found[..], [Problem::Paused { reason, .. }, Problem::Behind { pending: 5000, .. }] if reason == "a reason")
    );
    world.control().write(&key, &json!(FollowReport::default()), Some(token)).await.unwrap();
    assert_eq!(problems(&world, &own).await, []);

    owner.claim().release().await.unwrap();
    assert!(matches!(problems(&world, &own).await[..], [Problem::NotFollowed { .. }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_used_does_not_pass_the_gate() {
    let mut world = World::new("gatestate").await;
    let own = [database()];
    let owner = world.acquire("owner").await;
    owner.follow().await;
    world.amend(|claim| claim["histories"]["0"] = json!("another history")).await;
    assert!(problems(&world, &own).await.contains(&Problem::OtherHistory));
    world.http("POST", &format!("/{}/_close", world.index()), &Value::Null, 200);
    assert!(problems(&world, &own).await.contains(&Problem::Closed));
    world.http("POST", &format!("/{}/_open", world.index()), &Value::Null, 200);
    let committed =
        std::mem::replace(&mut world.definition, definition(&json!({"name": {"type": "keyword"}})));
    let found = problems(&world, &own).await;
    assert!(found.iter().any(|problem| matches!(problem, Problem::OtherMapping(_))), "{found:?}");
    assert!(found.iter().any(|problem| matches!(problem, Problem::OtherHash { .. })), "{found:?}");
    world.definition = committed;
    world.cluster.delete_index(world.index()).await.unwrap();
    assert_eq!(problems(&world, &own).await, [Problem::Missing(world.index().clone())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_does_not_renew_its_lease_is_silent_whatever_its_machine() {
    let world = World::new("gatesilent").await;
    let owner = world.try_acquire("far away", Duration::from_secs(2), WhenHeld::Fail).await.unwrap();
    owner.follow().await;
    verified(&world).await;
    assert_eq!(problems(&world, &[database()]).await, []);
    world.amend(|claim| claim["owner"]["boot_id"] = json!("another machine")).await;
    drop(owner);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let found = problems(&world, &[database()]).await;
    assert!(matches!(&found[..], [Problem::OwnerSilent { owner, .. }] if owner == "far away"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_searched_is_followed() {
    let world = World::new("searched").await;
    let destination = world.destination("owner").await;
    let not_ready = destination.targets().await.unwrap_err();
    let OpenError::NotReady { reason, hint: Some(hint) } = &not_ready else { panic!("{not_ready:?}") };
    assert!(reason.contains("not complete") && hint.contains("fast-reindex case"), "{reason}: {hint}");
    let owner = world.acquire("first").await;
    owner.follow().await;
    assert_eq!(destination.targets().await.unwrap(), [world.target()]);

    // Another index of the hash becomes complete; the first one is still searched.
    let (cluster, first) = (&world.cluster, world.again());
    let second = cluster.create_index(&world.definition, IndexUse::Following).await.unwrap();
    let second = World { created: second, ..world.again() };
    second.acquire("second").await.follow().await;
    assert_eq!(destination.targets().await.unwrap(), [first.target()]);
    let search = world.definition.search_alias(cluster.prefix());
    let hashed = world.definition.hashed_alias(cluster.prefix());
    let flip = async |alias: &AliasName, to: &World| {
        cluster.flip(&cluster.plan_flip(alias, to.index()).await.unwrap()).await.unwrap();
    };
    flip(&search, &first).await;
    flip(&hashed, &second).await;
    assert_eq!(destination.targets().await.unwrap(), [first.target(), second.target()]);
    flip(&search, &second).await;
    assert_eq!(destination.targets().await.unwrap(), [second.target()]);

    // An index of another hash is not a target of this definition.
    let other = definition(&json!({"name": {"type": "keyword"}}));
    let lease = world.lease("other", LEASE).await;
    let other = ElasticDestination::new(cluster, &other, &lease).targets().await.unwrap_err();
    assert!(
        matches!(&other, OpenError::NotReady { reason, .. } if reason.contains("another release")),
        "{other:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_taken_up_only_as_it_was_found() {
    let mut world = World::new("takenup").await;
    let destination = world.destination("owner").await;
    let old = world.target();
    world.cluster.delete_index(world.index()).await.unwrap();
    world.created = world.cluster.create_index(&world.definition, IndexUse::Following).await.unwrap();
    let refused =
        destination.open(&old, Slice::Whole, Some(database()), AcquireOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotReady { .. }), "{refused:?}");
    let owner = world.acquire("owner").await;
    assert_eq!(owner.put("x", &json!({})).await, Outcome::Done);
}
