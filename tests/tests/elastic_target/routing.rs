//! Documents with a routing value: one copy of each, wherever it goes and whatever comes late.

use pillowtop_core::Definition;
use pillowtop_runtime::target::elastic::{Cluster, IndexUse};
use pillowtop_runtime::{Operation, Outcome, Version};
use serde_json::{Value, json};

use crate::world::{Owner, World, definition, delete, endpoint, index, options};

/// An index of several shards that requires routing values.
async fn routed(test: &str, shards: u32) -> (World, Owner) {
    let cluster = Cluster::connect(endpoint(), options(test)).await.unwrap();
    let mut definition = definition(&json!({"count": {"type": "integer"}}));
    definition.mappings["_routing"] = json!({"required": true});
    let settings = json!({"number_of_replicas": 0, "number_of_shards": shards});
    let definition = Definition { settings, routing: Some("self.household_id"), ..definition };
    let created = cluster.create_index(&definition, IndexUse::Following).await.unwrap();
    let world = World { cluster, definition, created, endpoint: endpoint() };
    let owner = world.acquire("owner").await;
    (world, owner)
}

fn to(routing: &str, version: Version, source: &Value) -> Operation {
    Operation { routing: Some(routing.into()), ..index("a", version, source) }
}

/// The routing value and the number of each copy.
async fn copies(world: &World) -> Vec<(Option<String>, Value)> {
    let copies = world.cluster.document_copies(world.index(), &["a"]).await.unwrap();
    copies.into_iter().map(|copy| (copy.routing, copy.source["count"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_has_one_copy_wherever_it_is_moved() {
    let (world, owner) = routed("moved_copies", 5).await;
    for count in 0..12 {
        let routing = format!("h{count}");
        let outcomes = owner.write(&[to(&routing, owner.stamp(), &json!({"count": count}))]).await;
        assert_eq!(outcomes, [Outcome::Done]);
        assert_eq!(copies(&world).await, [(Some(routing), json!(count))]);
    }
    // Sent before, and executed after.
    let late = owner.stamp();
    let newest = owner.stamp();
    owner.write(&[to("h1", newest, &json!({"count": 100}))]).await;
    for count in 0..8 {
        let outcomes = owner.write(&[to(&format!("h{count}"), late, &json!({"count": count}))]).await;
        assert_eq!(outcomes, [Outcome::Done]);
    }
    assert_eq!(copies(&world).await, [(Some("h1".to_owned()), json!(100))]);
    assert_eq!(owner.write(&[delete("a", owner.stamp())]).await, [Outcome::Done]);
    assert_eq!(owner.write(&[delete("a", owner.stamp())]).await, [Outcome::Absent]);
    owner.write(&[to("h3", late, &json!({"count": 3}))]).await;
    assert_eq!(copies(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_document_stays_where_it_was() {
    let (world, owner) = routed("rejected_copies", 5).await;
    owner.write(&[to("h1", owner.stamp(), &json!({"count": 1}))]).await;
    for number in 0..10 {
        let outcomes =
            owner.write(&[to(&format!("h{number}"), owner.stamp(), &json!({"count": "many"}))]).await;
        assert!(matches!(outcomes[..], [Outcome::Rejected { .. }]), "{outcomes:?}");
    }
    assert_eq!(copies(&world).await, [(Some("h1".to_owned()), json!(1))]);
    // Without a value it is rejected too, and a probe needs none.
    let outcomes = owner.write(&[index("a", owner.stamp(), &json!({"count": 2}))]).await;
    assert!(matches!(outcomes[..], [Outcome::Rejected { .. }]), "{outcomes:?}");
    let probe = delete("a probe", owner.stamp());
    let outcomes = owner.opened.target.probe(&probe, &"a".into()).await.unwrap();
    assert_eq!(outcomes, [Outcome::Absent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_one_shard_is_written_in_one_request() {
    let (world, owner) = routed("one_shard", 1).await;
    owner.write(&[to("h1", owner.stamp(), &json!({"count": 1}))]).await;
    owner.write(&[to("h2", owner.stamp(), &json!({"count": 2}))]).await;
    assert_eq!(copies(&world).await, [(Some("h2".to_owned()), json!(2))]);
    assert_eq!(owner.write(&[delete("a", owner.stamp())]).await, [Outcome::Done]);
    assert_eq!(copies(&world).await, []);
}
