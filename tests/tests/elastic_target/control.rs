//! The control index as a claim store.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_runtime::claim::{
    ClaimKey, ClaimStore as _, FollowReport, Lease, Slice, StoreError, store_contract,
};
use pillowtop_runtime::target::elastic::{Cluster, ClusterError, ControlIndex, ElasticDestination};
use pillowtop_runtime::target::{Destination as _, OpenError};
use serde_json::{Value, json};

use crate::world::{World, endpoint, options};

#[tokio::test(flavor = "multi_thread")]
async fn the_control_index_keeps_the_contract_of_claim_stores() {
    let cluster = Cluster::connect(endpoint(), options("contract")).await.unwrap();
    store_contract::holds(Arc::new(ControlIndex::new(&cluster))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_any_characters_and_any_length() {
    let cluster = Cluster::connect(endpoint(), options("keys")).await.unwrap();
    let control = ControlIndex::new(&cluster);
    let long = format!("request:u/a_$()+-/b:{}", "ü".repeat(400));
    for key in [long.as_str(), "claim:u/a/b", "claim:u/a_b", "report:u"] {
        let token = control.write(key, &json!({"of": key}), None).await.unwrap();
        let stored = control.read(key).await.unwrap().unwrap();
        assert_eq!((&stored.value["of"], stored.token), (&json!(key), token), "{key}");
    }
    // What is written is listed within a second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let listed = control.list("request:").await.unwrap();
    assert_eq!(listed.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&long]);
}

/// Creates the control index anew with a shard that cannot be allocated.
fn replace_by_a_red_one(world: &World) -> String {
    let name = format!("{}-pillowtop-control", world.cluster.prefix().unwrap());
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    let alias = format!("{name}.W");
    let body = json!({
        "settings": {"index": {"number_of_shards": 1, "number_of_replicas": 0, "routing.allocation.require._name": "nowhere"}},
        "mappings": {"dynamic": false, "properties": {"key": {"type": "keyword"}}},
        "aliases": {alias: {}},
    });
    world.http("PUT", &format!("/{name}?wait_for_active_shards=0"), &body, 200);
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_state_is_not_an_absent_one() {
    let world = World::new("redcontrol").await;
    let owner = world.acquire("owner").await;
    owner.follow().await;
    let destination = world.destination("other").await;
    assert_eq!(destination_targets(&destination).await, Ok(1));
    let name = replace_by_a_red_one(&world);
    let control = world.control();
    let is_unavailable = |error: &StoreError| matches!(error, StoreError::Unavailable { .. });
    let key = world.key();
    assert!(is_unavailable(&control.read(&key.claim()).await.unwrap_err()));
    assert!(is_unavailable(&control.list("claim:").await.unwrap_err()));
    assert!(is_unavailable(&control.claims(std::slice::from_ref(&key)).await.unwrap_err()));
    assert!(is_unavailable(&FollowReport::read(&control, &key).await.unwrap_err()));
    let listed = world.cluster.index_claims().await;
    assert!(matches!(listed, Err(ClusterError::Store(StoreError::Unavailable { .. }))), "{listed:?}");
    let not_ready = destination_targets(&destination).await;
    assert_eq!(not_ready, Err("failed"));
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    assert_eq!(control.read(&key.claim()).await, Ok(None));
}

/// How many targets there are, or whether they are known not to be ready.
async fn destination_targets(destination: &ElasticDestination) -> Result<usize, &'static str> {
    match destination.targets().await {
        Ok(targets) => Ok(targets.len()),
        Err(OpenError::NotReady { .. }) => Err("not ready"),
        Err(_) => Err("failed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_slices_are_read_together() {
    let cluster = Cluster::connect(endpoint(), options("slices")).await.unwrap();
    let control = ControlIndex::new(&cluster);
    let key = |slice| ClaimKey { target: "uuid".to_owned(), slice };
    let keys = [key(Slice::Whole), key(Slice::Database("a".into()))];
    assert!(control.claims(&keys).await.unwrap().is_empty());
    control.write(&keys[1].claim(), &json!({"no": "claim"}), None).await.unwrap();
    let unreadable = control.claims(&keys).await;
    assert!(matches!(unreadable, Err(StoreError::Refused { .. })), "{unreadable:?}");
    assert!(control.claims(&keys[..1]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_survives_the_loss_of_the_control_index() {
    let cluster = Cluster::connect(endpoint(), options("lostcontrol")).await.unwrap();
    let control = Arc::new(ControlIndex::new(&cluster));
    let lease = Lease::start(Arc::clone(&control) as _, "owner", Duration::from_secs(2)).await.unwrap();
    let name = format!("/{}-pillowtop-control", cluster.prefix().unwrap());
    let url = endpoint().url(&[]).join(&name).unwrap();
    endpoint().request("DELETE".parse().unwrap(), url).send().await.unwrap().error_for_status().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    lease.check(&lease.owner()).unwrap();
    assert!(control.read(&lease.owner().lease()).await.unwrap().is_some());
}
