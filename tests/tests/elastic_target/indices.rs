//! Creating, loading, flipping, listing and searching indices.

use std::time::Duration;

use pillowtop_core::AliasName;
use pillowtop_core::field_types::Product;
use pillowtop_runtime::Outcome;
use pillowtop_runtime::claim::{Phase, WhenHeld};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::OpenError;
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterError, ClusterOptions, IndexHealth, IndexUse, SearchRequest,
};
use serde_json::{Value, json};

use crate::world::{World, definition, index};

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_fenced_off_from_what_follows() {
    let world = World::of("load", IndexUse::Loading, json!({"number_of_replicas": 0})).await;
    let loader = world.acquire("loader").await;
    let load_alias = loader.write_alias();
    let a = index("a", loader.stamp(), &json!({"name": "first"}));
    assert_eq!(loader.write(std::slice::from_ref(&a)).await, [Outcome::Done]);
    // A request is repeated, and what the feed brings later is newer.
    let older = index("b", loader.stamp(), &json!({"name": "old word"}));
    let newer = index("b", loader.stamp(), &json!({"name": "second word"}));
    assert_eq!(loader.write(&[a, newer, older]).await, [Outcome::Done, Outcome::Done, Outcome::Done]);
    assert_eq!(world.document("b").await.unwrap()["name"], json!("second word"));
    loader.claim().enter(Phase::CatchingUp).await.unwrap();
    assert!(!world.aliases().contains(&load_alias) && world.aliases().contains(&loader.write_alias()));
    assert_eq!(loader.put("b", &json!({"name": "third word"})).await, Outcome::Done);

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
async fn an_alias_keeps_its_filter_and_routing() {
    let world = World::new("kept").await;
    let (cluster, definition) = (&world.cluster, &world.definition);
    let alias = definition.search_alias(cluster.prefix());
    let properties = json!({"filter": {"term": {"code": "c"}}, "index_routing": "1", "search_routing": "1,2",
        "is_write_index": false});
    let mut add = properties.clone();
    add["index"] = json!(world.index());
    add["alias"] = json!(alias);
    world.http("POST", "/_aliases", &json!({"actions": [{"add": add}]}), 200);
    let second = cluster.create_index(definition, IndexUse::Following).await.unwrap();
    let plan = cluster.plan_flip(&alias, &second.name).await.unwrap();
    assert_eq!(Value::Object(plan.properties.clone()), properties);
    cluster.flip(&plan).await.unwrap();
    let found = world.http("GET", &format!("/_alias/{alias}"), &Value::Null, 200);
    assert_eq!(found, json!({second.name.as_str(): {"aliases": {alias.as_str(): properties}}}));

    // On both, with another filter on each.
    let plain = json!({"actions": [{"add": {"index": world.index(), "alias": alias}}]});
    world.http("POST", "/_aliases", &plain, 200);
    let third = cluster.create_index(definition, IndexUse::Following).await.unwrap();
    let mixed = cluster.plan_flip(&alias, &third.name).await;
    assert!(matches!(mixed, Err(ClusterError::MixedAlias { .. })), "{mixed:?}");
}

/// Installs an index template for the indices of the world's definition; the path to delete it.
fn template(world: &World, number: u32, template: &Value) -> String {
    let pattern = format!("{}_*", world.definition.search_alias(world.cluster.prefix()));
    let path = format!("/_index_template/{}-{number}", world.cluster.prefix().unwrap());
    let body = json!({"index_patterns": [pattern], "priority": 500, "template": template});
    world.http("PUT", &path, &body, 200);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_a_template_altered_is_deleted_again() {
    let world = World::new("altered").await;
    let (cluster, definition) = (&world.cluster, &world.definition);
    world.http("PUT", "/_ingest/pipeline/altered", &json!({"processors": []}), 200);
    let search = definition.search_alias(cluster.prefix());
    for (number, (altered, expected)) in [
        (json!({"settings": {"default_pipeline": "altered"}}), "default_pipeline"),
        (json!({"settings": {"final_pipeline": "altered"}}), "final_pipeline"),
        (json!({"settings": {"translog.durability": "async"}}), "translog.durability"),
        (json!({"settings": {"blocks.write": true}}), "blocks.write"),
        (json!({"mappings": {"_routing": {"required": true}}}), "_routing"),
        (json!({"aliases": {search.as_str(): {}}}), "alias"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = template(&world, u32::try_from(number).unwrap(), &altered);
        let refused = cluster.create_index(definition, IndexUse::Loading).await;
        world.http("DELETE", &path, &Value::Null, 200);
        let Err(ClusterError::Altered { index, changes }) = &refused else {
            panic!("{altered}: {refused:?}")
        };
        assert!(changes.iter().any(|change| change.contains(expected)), "{changes:?}");
        assert_eq!(cluster.index_uuid(index).await, Ok(None));
    }
    let path = template(
        &world,
        9,
        &json!({"settings": {"codec": "best_compression"}, "mappings": {"properties": {"added": {"type": "keyword"}}}}),
    );
    let created = cluster.create_index(definition, IndexUse::Loading).await.unwrap();
    world.http("DELETE", &path, &Value::Null, 200);
    assert_eq!(created.added.len(), 2, "{created:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn indices_are_listed_by_prefix_with_their_owners() {
    let world = World::new("list").await;
    let other = World::new("listother").await;
    let owner = world.acquire("host: run").await;
    owner.put("x", &json!({"name": "x"})).await;
    world.cluster.refresh(world.index()).await.unwrap();
    world.http("PUT", &format!("/{}-unmanaged", world.cluster.prefix().unwrap()), &Value::Null, 200);
    let found = world.cluster.overview().await.unwrap().indices;
    assert_eq!(found.len(), 1, "{found:?}");
    let status = &found[0];
    assert_eq!((&status.name, &status.uuid), (world.index(), &world.created.uuid));
    assert_eq!(status.pillow, "case".into());
    assert_eq!(status.hash, world.definition.hash.to_string());
    assert_eq!((status.documents, status.health), (Some(1), IndexHealth::Green));
    assert!(status.bytes.is_some_and(|bytes| bytes > 0));
    assert!(status.aliases.contains(&owner.write_alias().into()), "{:?}", status.aliases);
    let [(_, claim)] = &status.claims[..] else { panic!("{status:?}") };
    assert_eq!(claim.state.phase, Phase::Loading);
    assert_eq!(claim.owner.as_ref().unwrap().label, "host: run");
    assert!(other.cluster.overview().await.unwrap().indices[0].claims.is_empty());
    world.http("POST", &format!("/{}/_close", world.index()), &Value::Null, 200);
    let closed = world.cluster.overview().await.unwrap().indices;
    assert_eq!((closed.len(), closed[0].documents, closed[0].health), (1, None, IndexHealth::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_definition_is_not_written() {
    let mut world = World::new("hash").await;
    world.cluster.check_mapping(&world.definition, world.index()).await.unwrap();
    world.definition = definition(&json!({"name": {"type": "keyword"}}));
    let refused = world.try_acquire("owner", Duration::from_secs(30), WhenHeld::Fail).await.unwrap_err();
    let OpenError::Failed(error) = &refused else { panic!("{refused:?}") };
    let error = error.downcast_ref::<ClusterError>().unwrap();
    assert!(matches!(error, ClusterError::OtherHash { live: Some(_), .. }), "{error:?}");
    let gone = world.cluster.delete_index(&"*".into()).await;
    assert!(matches!(gone, Err(ClusterError::Refused { .. })));
    world.cluster.delete_index(world.index()).await.unwrap();
    world.cluster.delete_index(world.index()).await.unwrap();
    let refused = world.try_acquire("owner", Duration::from_secs(30), WhenHeld::Fail).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotReady { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn product_and_version_of_a_server_are_read() {
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
