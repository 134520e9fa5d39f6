//! Creating, loading, flipping, listing and searching indices.

use std::time::Duration;

use pillowtop_core::AliasName;
use pillowtop_core::field_types::Product;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::sink::elastic::{
    AcquireError, Cluster, ClusterError, ClusterOptions, IndexUse, SearchRequest, WhenHeld,
};
use pillowtop_runtime::{ItemOutcome, Phase, Sink as _, WriteMode};
use serde_json::{Value, json};

use crate::world::{World, definition, index, put};

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_fenced_off_from_what_follows() {
    let world = World::of("load", IndexUse::Loading).await;
    let loader = world.acquire("loader").await;
    let load_alias = loader.write_alias();
    let stamp = || loader.versions().stamp().unwrap();
    let write = async |operations: &[_]| loader.write(operations, WriteMode::Load).await.unwrap();
    let a = index("a", stamp(), &json!({"name": "first"}));
    assert_eq!(write(std::slice::from_ref(&a)).await, [ItemOutcome::Done]);
    // A request is repeated, and what the feed brings later is newer.
    let older = index("b", stamp(), &json!({"name": "old word"}));
    let newer = index("b", stamp(), &json!({"name": "second word"}));
    assert_eq!(write(&[a, newer, older]).await, [ItemOutcome::Done, ItemOutcome::Done, ItemOutcome::Done]);
    assert_eq!(world.document("b").await.unwrap()["name"], json!("second word"));
    loader.enter(Phase::CatchingUp).await.unwrap();
    let alias = |name: &str| format!("/{}/_alias/{name}", world.index());
    world.http("GET", &alias(&load_alias), &Value::Null, 404);
    world.http("GET", &alias(&loader.write_alias()), &Value::Null, 200);
    assert_eq!(put(&loader, "b", &json!({"name": "third word"})).await, ItemOutcome::Done);

    let settings = |world: &World| {
        let all = world.http("GET", &format!("/{}/_settings", world.index()), &Value::Null, 200);
        all[world.index().as_str()]["settings"]["index"].clone()
    };
    assert_eq!(settings(&world)["refresh_interval"], json!("-1"));
    assert_eq!(settings(&world)["gc_deletes"], json!("10m"));
    world.cluster.restore_settings(&world.definition, world.index()).await.unwrap();
    assert_eq!(settings(&world)["refresh_interval"], Value::Null);
    assert_eq!(world.cluster.count(world.index().as_str()).await, Ok(2));

    let search = |text: &str, field: Option<&str>| SearchRequest {
        text: text.to_owned(),
        field: field.map(str::to_owned),
        size: 10,
    };
    let name = world.index().as_str();
    for (text, field, ids) in
        [("word", None, &["b"][..]), ("first", Some("name"), &["a"]), ("zebra", None, &[])]
    {
        let found = world.cluster.search(name, &search(text, field)).await.unwrap();
        let found: Vec<_> = found.hits.iter().map(|hit| hit.id.as_str().to_owned()).collect();
        assert_eq!(found, ids, "{text}");
    }
    assert_eq!(world.cluster.search(name, &search("", None)).await.unwrap().total, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_moves_in_one_request() {
    let world = World::new("flip").await;
    let (cluster, definition) = (&world.cluster, &world.definition);
    let hashed = definition.hashed_alias(cluster.prefix());
    assert!(world.created.has_alias);
    assert_eq!(cluster.index_of(&hashed).await, Ok(Some(world.index().clone())));
    let second = cluster.create_index(definition, IndexUse::Following).await.unwrap();
    assert!(!second.has_alias && second.name.as_str().ends_with("_2"), "{second:?}");

    let alias: AliasName = definition.search_alias(cluster.prefix());
    assert_eq!(cluster.index_of(&alias).await, Ok(None));
    let first_plan = cluster.plan_flip(&alias, world.index()).await.unwrap();
    let stale_plan = first_plan.clone();
    cluster.flip(&first_plan).await.unwrap();
    let plan = cluster.plan_flip(&alias, &second.name).await.unwrap();
    assert_eq!(plan.from, [world.index().clone()]);
    cluster.flip(&plan).await.unwrap();
    assert_eq!(cluster.index_of(&alias).await, Ok(Some(second.name.clone())));
    assert!(matches!(cluster.flip(&stale_plan).await, Err(ClusterError::AliasMoved { .. })));
    assert!(cluster.plan_flip(&alias, &second.name).await.unwrap().is_done());
}

#[tokio::test(flavor = "multi_thread")]
async fn indices_are_listed_by_prefix_with_their_owners() {
    let world = World::new("list").await;
    let other = World::new("listother").await;
    let owned = world.acquire("host: run").await;
    put(&owned, "x", &json!({"name": "x"})).await;
    world.cluster.refresh(world.index()).await.unwrap();
    world.http("PUT", &format!("/{}-unmanaged", world.cluster.prefix().unwrap()), &Value::Null, 200);
    let found = world.cluster.list_indices().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let status = &found[0];
    assert_eq!((&status.name, &status.uuid), (world.index(), &world.created.uuid));
    assert_eq!(status.pillow, "case".into());
    assert_eq!(status.hash, world.definition.hash.to_string());
    assert_eq!(status.documents, Some(1));
    assert!(status.bytes.is_some_and(|bytes| bytes > 0));
    assert!(status.aliases.contains(&owned.write_alias().into()), "{:?}", status.aliases);
    let control = status.control.as_ref().unwrap();
    assert_eq!(control.state.phase, Phase::Loading);
    assert_eq!(control.owner.as_ref().unwrap().label, "host: run");
    assert!(other.cluster.list_indices().await.unwrap()[0].control.is_none());
    world.http("POST", &format!("/{}/_close", world.index()), &Value::Null, 200);
    let closed = world.cluster.list_indices().await.unwrap();
    assert_eq!((closed.len(), closed[0].documents), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_definition_is_not_written() {
    let mut world = World::new("hash").await;
    world.cluster.check_mapping(&world.definition, world.index()).await.unwrap();
    world.definition = definition(&json!({"name": {"type": "keyword"}}));
    let refused = world.try_acquire("owner", Duration::from_secs(30), WhenHeld::Fail).await.unwrap_err();
    let AcquireError::Cluster(ClusterError::OtherHash { live: Some(live), committed, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_ne!(live, committed);
    let gone = world.cluster.delete_index(&"*".into()).await;
    assert!(matches!(gone, Err(ClusterError::Refused { .. })));
    world.cluster.delete_index(world.index()).await.unwrap();
    let refused = world.try_acquire("owner", Duration::from_secs(30), WhenHeld::Fail).await.unwrap_err();
    assert!(matches!(refused, AcquireError::NoIndex(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_is_is_found_out() {
    let world = World::new("who").await;
    let found = world.cluster.server();
    if found.target.product == Product::OpenSearch {
        let mapping = world.cluster.live_mapping(world.index()).await.unwrap();
        assert_eq!(mapping["properties"]["labels"]["type"], json!("flat_object"), "{found:?}");
    }
    world.cluster.check_mapping(&world.definition, world.index()).await.unwrap();
    assert!(
        found.is_disguised || found.version_text.starts_with(&found.target.version.to_string()),
        "{found:?}"
    );
    let nobody = Endpoint::parse("http://127.0.0.1:1", None, None).unwrap();
    let refused = Cluster::connect(nobody, ClusterOptions::default()).await.unwrap_err();
    assert!(matches!(refused, ClusterError::Unreachable { .. }) && refused.is_retryable(), "{refused:?}");
}
