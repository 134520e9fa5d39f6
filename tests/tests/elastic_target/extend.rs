//! An additive mapping on a live index: the earlier release cannot write it any more, the next one
//! can, and every document that was in it is listed.

use pillowtop_core::{Definition, Sequence};
use pillowtop_runtime::Outcome;
use pillowtop_runtime::claim::{AcquireOptions, Slice, WhenHeld};
use pillowtop_runtime::target::elastic::{ElasticDestination, Extension, IndexStatus};
use pillowtop_runtime::target::{Destination as _, OpenError};
use serde_json::{Value, json};

use crate::world::{LEASE, World, definition};

fn reserved(fields: &Value) -> Definition {
    let mut properties = fields.clone();
    properties["pillowtop"] = json!({"properties": {
        "id": {"type": "keyword"}, "db": {"type": "keyword"}, "rev": {"type": "keyword"}}});
    definition(&properties)
}

async fn seen(world: &World) -> IndexStatus {
    let indices = world.cluster.overview().await.unwrap().indices;
    indices.into_iter().find(|index| index.name == *world.index()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_index_becomes_that_of_the_next_release() {
    let mut world = World::new("extend").await;
    let before = reserved(&json!({"name": {"type": "text"}}));
    let after = reserved(&json!({"name": {"type": "text"}, "added": {"type": "keyword"}}));
    let other = reserved(&json!({"name": {"type": "keyword"}}));
    world.cluster.delete_index(world.index()).await.unwrap();
    world.created = world
        .cluster
        .create_index(&before, pillowtop_runtime::target::elastic::IndexUse::Following)
        .await
        .unwrap();
    world.definition = before;
    let (cluster, owner) = (&world.cluster, world.acquire("old release").await);
    let unfinished = cluster.extension(&after, &seen(&world).await).await.unwrap();
    assert!(matches!(&unfinished, Extension::NeedsIndex(reason) if reason.contains("not complete")));
    owner.follow().await;
    let document = |id: &str| json!({"name": "n", "pillowtop": {"id": id, "db": "db", "rev": "1-a"}});
    for id in ["a", "b", "c"] {
        assert_eq!(owner.put(id, &document(id)).await, Outcome::Done);
    }
    let index = seen(&world).await;
    let Extension::Additive(changes) = cluster.extension(&after, &index).await.unwrap() else {
        panic!("it is additive");
    };
    assert_eq!(changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["added"]);
    assert!(matches!(cluster.extension(&other, &index).await.unwrap(), Extension::NeedsIndex(_)));

    // The old owner does not respond to requests here, as one that hangs.
    cluster.extend(&after, &index).await.unwrap();
    cluster.extend(&after, &seen(&world).await).await.unwrap();
    let extended = seen(&world).await;
    assert!(extended.is_backfilling && extended.hash == after.hash.to_string(), "{extended:?}");
    let hashed = |definition: &Definition| definition.hashed_alias(cluster.prefix());
    assert!(
        extended.aliases.contains(&hashed(&after)) && !extended.aliases.contains(&hashed(&world.definition))
    );
    assert!(owner.claim().save(Some(Sequence::from("s9"))).await.is_err(), "its position counts no more");
    let refused = world.try_acquire("old release", LEASE, WhenHeld::Fail).await.unwrap_err();
    assert!(matches!(refused, OpenError::Failed(_)), "{refused:?}");

    let lease = world.lease("new release", LEASE).await;
    let destination = ElasticDestination::new(cluster, &after, &lease);
    assert_eq!(destination.targets().await.unwrap(), [world.target()]);
    let opened =
        destination.open(&world.target(), Slice::Whole, None, AcquireOptions::default()).await.unwrap();
    assert_eq!(opened.claim.state().hash, after.hash.to_string());
    assert!(owner.claim().lost().is_some(), "what it sends is refused");

    let (ids, last) = cluster.indexed_ids(world.index(), None).await.unwrap();
    assert_eq!(ids.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let (rest, end) = cluster.indexed_ids(world.index(), last.as_ref()).await.unwrap();
    assert!(rest.is_empty() && end.is_none());
    assert_eq!(cluster.backfill(&extended.uuid).await.unwrap().map(|backfill| backfill.total), Some(3));
    cluster.end_extension(world.index(), &extended.uuid).await.unwrap();
    assert!(!seen(&world).await.is_backfilling);
    assert_eq!(cluster.backfill(&extended.uuid).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_removed_only_as_it_was_seen_with_all_that_belongs_to_it() {
    let world = World::new("removed").await;
    let owner = world.acquire("owner").await;
    owner.follow().await;
    let before = seen(&world).await;
    owner.claim().release().await.unwrap();
    let alias =
        json!({"actions": [{"add": {"index": world.index(), "alias": format!("{}x", world.index())}}]});
    world.http("POST", "/_aliases", &alias, 200);
    let refused = world.cluster.remove_index(&before).await.unwrap_err();
    assert!(refused.to_string().contains("aliases changed"), "{refused}");
    let now = seen(&world).await;
    let removed = world.cluster.remove_index(&now).await.unwrap();
    assert!(removed.control_documents >= 1, "{removed:?}");
    assert!(world.control().claims(&[world.key()]).await.unwrap().is_empty());
    assert!(world.cluster.overview().await.unwrap().indices.is_empty());
}
