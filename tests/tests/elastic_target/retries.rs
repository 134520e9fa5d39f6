//! What is safe to repeat is repeated: one passing failure of any request ends nothing.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pillowtop_runtime::Outcome;
use pillowtop_runtime::claim::{AcquireError, FenceError, WhenHeld};
use pillowtop_runtime::dead_letter::{DeadLetterStore as _, Stage};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterOptions, DeadLetterFilter, ElasticDestination, GateOptions, IndexDeadLetters, IndexUse,
    Problem,
};
use pillowtop_runtime::target::{Destination as _, OpenError};
use pillowtop_runtime::{DeadLetter, Version};

use crate::proxy::{self, Fate};
use crate::world::{LEASE, World, database, index, options};

const INJECTED: &str = r#"{"error":{"type":"injected","reason":"by the proxy"}}"#;

/// A connection through a proxy that fails each request the first time that its method and path are
/// seen, but for bulks.
async fn failing(test: &str, status: u16) -> Cluster {
    let seen = Mutex::new(BTreeSet::new());
    let url = proxy::start(move |request| {
        let is_first = !request.contains("_bulk") && seen.lock().unwrap().insert(request.to_owned());
        if is_first { Fate::Respond(status, INJECTED) } else { Fate::Pass }
    });
    connect(test, &url.await).await
}

async fn connect(test: &str, url: &str) -> Cluster {
    let endpoint = Endpoint::parse(url, None, None).unwrap();
    let options = ClusterOptions { retry_within: Duration::from_secs(20), ..options(test) };
    Cluster::connect(endpoint, options).await.unwrap()
}

fn letter(world: &World) -> DeadLetter {
    DeadLetter {
        pillow: "case".into(),
        index: world.index().clone(),
        database: "db".into(),
        id: "x".into(),
        revision: "1-a".into(),
        version: Version(1),
        stage: Stage::Index,
        error_type: "mapper_parsing_exception".to_owned(),
        path: None,
        reason: "no number".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        document: None,
    }
}

/// A load, its flip and the commands around it.
async fn a_load_survives(test: &str, status: u16) {
    let mut world = World::new(test).await;
    let cluster = failing(test, status).await;
    world.cluster = cluster.clone();
    world.created = cluster.create_index(&world.definition, IndexUse::Loading).await.unwrap();
    let lease = world.lease("loader", LEASE).await;
    let destination = ElasticDestination::new(&cluster, &world.definition, &lease);
    let owner = world.open(&destination, WhenHeld::Fail, Some(world.state())).await.unwrap();
    assert_eq!(owner.write(&[index("x", owner.stamp(), &"{}".parse().unwrap())]).await, [Outcome::Done]);
    owner.claim().save(Some("l1".into())).await.unwrap();
    owner.follow().await;
    cluster.restore_settings(&world.definition, world.index()).await.unwrap();
    assert!(cluster.wait_for_copies(world.index(), false, 30).await.unwrap());
    assert_eq!(cluster.count(world.index().as_str()).await, Ok(1));
    let options = GateOptions::default();
    let problems = cluster.gate(&world.definition, world.index(), &[database()], &options).await;
    assert!(matches!(problems.unwrap()[..], [Problem::NotVerified { .. }]));
    let hashed = world.definition.hashed_alias(cluster.prefix());
    let plan = cluster.plan_flip(&hashed, world.index()).await.unwrap();
    cluster.flip(&plan).await.unwrap();
    assert_eq!(destination.targets().await.unwrap(), [world.target()]);

    let dead_letters = IndexDeadLetters::new(&cluster, world.created.uuid.clone());
    dead_letters.record(&[letter(&world)]).await.unwrap();
    assert_eq!(dead_letters.open().await.unwrap().len(), 1);
    assert_eq!(cluster.purge_dead_letters(&DeadLetterFilter::default()).await, Ok(1));
    assert_eq!(cluster.overview().await.unwrap().indices.len(), 2);
    owner.claim().release().await.unwrap();
    lease.end().await.unwrap();
    cluster.delete_index(world.index()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unavailable_response_to_each_request_ends_nothing() {
    a_load_survives("failing503x", 503).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rejection_of_each_request_ends_nothing() {
    a_load_survives("failing429x", 429).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_may_take_longer_than_the_lease() {
    let mut world = World::new("slow").await;
    let url = proxy::start(|request| match request {
        "POST /_aliases" => Fate::Delay(Duration::from_secs(7)),
        _ => Fate::Pass,
    });
    world.cluster = connect("slow", &url.await).await;
    let owner = world.try_acquire("owner", Duration::from_secs(4), WhenHeld::Fail).await.unwrap();
    assert_eq!(owner.put("x", &"{}".parse().unwrap()).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_that_not_all_nodes_have_confirmed_is_not_installed() {
    let mut world = World::new("unconfirmed").await;
    let is_first = AtomicBool::new(true);
    let url = proxy::start(move |request| match request {
        "POST /_aliases" if is_first.swap(false, Ordering::Relaxed) => {
            Fate::Respond(200, r#"{"acknowledged":false}"#)
        }
        _ => Fate::Pass,
    });
    world.cluster = connect("unconfirmed", &url.await).await;
    let refused = world.try_acquire("owner", LEASE, WhenHeld::Fail).await.unwrap_err();
    let OpenError::Acquire(AcquireError::Fence { source: FenceError::Unavailable(reason), .. }) = &refused
    else {
        panic!("{refused:?}")
    };
    assert!(reason.contains("acknowledged"), "{reason}");
    let owner = world.acquire("owner").await;
    assert_eq!(owner.put("x", &"{}".parse().unwrap()).await, Outcome::Done);
}
