//! What becomes of dead letters.

use pillowtop_core::DocumentId;
use pillowtop_runtime::dead_letter::Stage;
use pillowtop_runtime::{DeadLetter, ItemOutcome, Sink as _, Version, WriteMode};
use serde_json::{Value, json};

use crate::world::{World, delete, index, put};

fn letter(world: &World, id: &DocumentId, version: Version, reason: &str) -> DeadLetter {
    DeadLetter {
        pillow: "case".into(),
        index: world.index().clone(),
        database: "db".into(),
        id: id.clone(),
        revision: "1-a".into(),
        version,
        stage: Stage::Index,
        error_type: "mapper_parsing_exception".to_owned(),
        reason: reason.to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        document: Some("{\"count\": \"many\"}".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_stays_until_its_document_is_indexed() {
    let world = World::new("letters").await;
    let owned = world.acquire("letters").await;
    let long: DocumentId = "ä".repeat(400).as_str().into();
    let short: DocumentId = "x".into();
    let [first, second, third] = [(); 3].map(|()| owned.versions().stamp().unwrap());
    let letter = |id, version, reason| letter(&world, id, version, reason);
    owned.bury(vec![letter(&short, first, "first"), letter(&long, first, "long")]).await.unwrap();
    owned.bury(vec![letter(&short, second, "second")]).await.unwrap();
    let pillow = "case".into();
    let found = world.cluster.dead_letters(Some(&pillow)).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&letter(&short, second, "second")), "{found:?}");
    assert!(found.contains(&letter(&long, first, "long")), "{found:?}");
    assert_eq!(world.cluster.dead_letters(Some(&"other".into())).await.unwrap(), []);

    // A later owner knows them too.
    owned.release().await.unwrap();
    let owned = world.acquire("letters again").await;
    assert_eq!(put(&owned, "x", &json!({"count": 1})).await, ItemOutcome::Done);
    assert_eq!(world.cluster.count_dead_letters(None).await, Ok(1));

    // The index may be deleted under us.
    let name = format!("{}-pillowtop-dead-letters", world.cluster.prefix().unwrap());
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    owned.bury(vec![letter(&short, third, "third")]).await.unwrap();
    assert_eq!(world.cluster.count_dead_letters(Some(&pillow)).await, Ok(1));
    let mapping = world.http("GET", &format!("/{name}/_mapping"), &Value::Null, 200);
    assert_eq!(mapping[&name]["mappings"]["dynamic"], json!("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_up_undoes_nothing_newer_of_a_dead_letter() {
    let world = World::new("heldup").await;
    let owned = world.acquire("held up").await;
    let id: DocumentId = "x".into();
    let [first, second, third, fourth] = [(); 4].map(|()| owned.versions().stamp().unwrap());
    let bury = async |version| owned.bury(vec![letter(&world, &id, version, "late")]).await.unwrap();
    let open = async || world.cluster.count_dead_letters(None).await.unwrap();

    // An older write that goes well says nothing about a newer failure.
    bury(second).await;
    let older = index("x", first, &json!({"count": 1}));
    assert_eq!(owned.write(&[older], WriteMode::Follow).await, Ok(vec![ItemOutcome::Done]));
    assert_eq!(open().await, 1);
    // Nor does an older letter.
    bury(first).await;
    assert_eq!(world.cluster.dead_letters(None).await.unwrap()[0].version, second);
    // The next owner knows it as well.
    owned.release().await.unwrap();
    let owned = world.acquire("held up again").await;
    let older = index("x", first, &json!({"count": 1}));
    assert_eq!(owned.write(&[older], WriteMode::Follow).await, Ok(vec![ItemOutcome::Done]));
    assert_eq!(open().await, 1);
    // Given up by somebody who has seen an older one only.
    let seen = letter(&world, &id, first, "late");
    world.cluster.remove_dead_letters(&world.created.uuid, &[seen]).await.unwrap();
    assert_eq!(open().await, 1);

    let newer = index("x", third, &json!({"count": 3}));
    assert_eq!(owned.write(&[newer], WriteMode::Follow).await, Ok(vec![ItemOutcome::Done]));
    assert_eq!(open().await, 0);
    // A request with the letter was on its way all the time.
    owned.bury(vec![letter(&world, &id, second, "late")]).await.unwrap();
    assert_eq!(open().await, 0);
    owned.bury(vec![letter(&world, &id, fourth, "newer")]).await.unwrap();
    assert_eq!(open().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_knows_more_letters_than_one_search_returns() {
    const MANY: usize = 10_100;
    let world = World::new("pages").await;
    let owned = world.acquire("pages").await;
    let version = owned.versions().stamp().unwrap();
    let ids: Vec<DocumentId> = (0..MANY).map(|number| format!("d{number}").as_str().into()).collect();
    for some in ids.chunks(1000) {
        owned.bury(some.iter().map(|id| letter(&world, id, version, "many")).collect()).await.unwrap();
    }
    assert_eq!(world.cluster.count_dead_letters(None).await, Ok(MANY as u64));
    owned.release().await.unwrap();

    let owned = world.acquire("pages again").await;
    for some in ids.chunks(1000) {
        let version = owned.versions().stamp().unwrap();
        let operations: Vec<_> = some.iter().map(|id| delete(id.as_str(), version)).collect();
        owned.write(&operations, WriteMode::Follow).await.unwrap();
    }
    assert_eq!(world.cluster.count_dead_letters(None).await, Ok(0));
}
