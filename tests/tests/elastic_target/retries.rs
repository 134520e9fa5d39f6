//! What is safe to repeat is repeated: one passing failure of any request ends nothing.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use pillowtop_runtime::Outcome;
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::dead_letter::{DeadLetterStore as _, Stage};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::Destination as _;
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterOptions, DeadLetterFilter, ElasticDestination, GateOptions, IndexDeadLetters, IndexUse,
};
use pillowtop_runtime::{DeadLetter, Version};

use crate::proxy;
use crate::world::{LEASE, World, database, index, options};

/// A connection through a proxy that fails each request the first time that its method and path are seen, but for bulks.
async fn failing(test: &str, status: u16) -> Cluster {
    let seen = Mutex::new(BTreeSet::new());
    let url = proxy::start(move |request| {
        let is_first = !request.contains("_bulk") && seen.lock().unwrap().insert(request.to_owned());
        is_first.then_some(status)
    });
    let endpoint = Endpoint::parse(&url.await, None, None).unwrap();
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
    assert_eq!(problems.unwrap(), []);
    let hashed = world.definition.hashed_alias(cluster.prefix());
    let plan = cluster.plan_flip(&hashed, world.index()).await.unwrap();
    cluster.flip(&plan).await.unwrap();
    assert_eq!(destination.targets().await.unwrap(), [world.target()]);

    let letters = IndexDeadLetters::new(&cluster, world.created.uuid.clone());
    letters.record(&[letter(&world)]).await.unwrap();
    assert_eq!(letters.open().await.unwrap().len(), 1);
    assert_eq!(cluster.purge_dead_letters(&DeadLetterFilter::default()).await, Ok(1));
    assert_eq!(cluster.list_indices().await.unwrap().len(), 2);
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
