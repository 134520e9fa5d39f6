//! What is done for each shard: probes go to the document's, and a shard that lost documents is
//! noticed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{Cluster, IndexUse};
use pillowtop_runtime::{Outcome, WriteError};
use serde_json::{Value, json};

use crate::proxy::{self, Fate};
use crate::world::{Owner, World, delete, index, options};

async fn sharded(test: &str, shards: u32) -> (World, Owner) {
    let settings = json!({"number_of_replicas": 0, "number_of_shards": shards});
    let world = World::of(test, IndexUse::Following, settings).await;
    let owner = world.acquire("owner").await;
    (world, owner)
}

/// The shard that a routing goes to.
fn shard_of(world: &World, routing: &str) -> u64 {
    let path = format!("/{}/_search_shards?routing={routing}", world.index());
    world.http("GET", &path, &Value::Null, 200)["shards"][0][0]["shard"].as_u64().unwrap()
}

/// Takes a shard away from its node, which gets its data back, or an empty shard.
async fn reassign(world: &World, shard: u64, empty: bool) {
    let index = world.index();
    let found = world.http("GET", "/_cat/nodes?format=json&h=name", &Value::Null, 200);
    let node = found[0]["name"].as_str().unwrap();
    let mut commands =
        vec![json!({"cancel": {"index": index, "shard": shard, "node": node, "allow_primary": true}})];
    if empty {
        let command = json!({"index": index, "shard": shard, "node": node, "accept_data_loss": true});
        commands.push(json!({"allocate_empty_primary": command}));
    }
    world.http("POST", "/_cluster/reroute", &json!({"commands": commands}), 200);
    assert!(world.cluster.wait_for_copies(index, false, 30).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_lost_documents_is_noticed_before_more_is_acknowledged() {
    let (world, owner) = sharded("emptied", 3).await;
    let ids: Vec<String> = (0..30).map(|number| format!("d{number}")).collect();
    let all: Vec<_> = ids.iter().map(|id| index(id, owner.stamp(), &json!({"count": 1}))).collect();
    assert!(owner.write(&all).await.iter().all(|outcome| *outcome == Outcome::Done));
    let shard = shard_of(&world, "d0");
    reassign(&world, shard, true).await;
    // Other shards do not know it.
    let other = ids.iter().find(|id| shard_of(&world, id) != shard).unwrap();
    assert_eq!(owner.put(other, &json!({"count": 2})).await, Outcome::Done);
    let refused = owner.opened.target.write(&[delete("d0", owner.stamp())]).await;
    let Err(WriteError::ClaimLost(reason)) = &refused else { panic!("{refused:?}") };
    assert!(reason.contains(&format!("shard {shard}")), "{reason}");
    assert!(owner.claim().save(Some("s".into())).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_was_only_moved_is_continued() {
    let (world, owner) = sharded("moved", 2).await;
    assert_eq!(owner.put("d0", &json!({"count": 1})).await, Outcome::Done);
    reassign(&world, shard_of(&world, "d0"), false).await;
    for count in 2..4 {
        assert_eq!(owner.put("d0", &json!({"count": count})).await, Outcome::Done);
    }
    assert_eq!(world.document("d0").await, Some(json!({"count": 3})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_goes_to_the_shard_of_its_document() {
    let (world, owner) = sharded("probed", 5).await;
    let target = &owner.opened.target;
    let probe = index("the probe", owner.stamp(), &json!({"count": 1}));
    for document in ["a", "b b", "ü", "d", "e"] {
        let outcomes = target.probe(&probe, &document.into()).await.unwrap();
        assert_eq!(outcomes, [Outcome::Done], "{document}");
    }
    // One probe for each shard that was probed.
    world.cluster.refresh(world.index()).await.unwrap();
    let shards: BTreeSet<u64> =
        ["a", "b%20b", "%C3%BC", "d", "e"].iter().map(|document| shard_of(&world, document)).collect();
    assert!(shards.len() > 1);
    assert_eq!(world.cluster.count(world.index().as_str()).await, Ok(shards.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_are_computed_as_the_server_computes_them() {
    let (mut world, owner) = sharded("computed", 3).await;
    drop(owner);
    // A document in the wrong shard would look like a shard with a new term, so that each bulk
    // would read all histories.
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let url = proxy::start(move |request| {
        counted.fetch_add(usize::from(request.contains("_stats")), Ordering::Relaxed);
        Fate::Pass
    });
    let endpoint = Endpoint::parse(&url.await, None, None).unwrap();
    world.cluster = Cluster::connect(endpoint, options("computed")).await.unwrap();
    let owner = world.acquire("owner").await;
    let ids: Vec<String> = (0..100).map(|number| format!("dé{number}😀")).collect();
    let write = async || {
        let all: Vec<_> = ids.iter().map(|id| index(id, owner.stamp(), &json!({"count": 1}))).collect();
        assert!(owner.write(&all).await.iter().all(|outcome| *outcome == Outcome::Done));
    };
    // One shard gets another term than the rest.
    reassign(&world, shard_of(&world, "d0"), false).await;
    write().await;
    let before = reads.load(Ordering::Relaxed);
    assert!(before > 0);
    write().await;
    assert_eq!(reads.load(Ordering::Relaxed), before);
}
