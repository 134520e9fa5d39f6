//! What becomes of dead letters.

use pillowtop_core::DocumentId;
use pillowtop_runtime::dead_letter::Stage;
use pillowtop_runtime::target::elastic::{Cluster, DeadLetterFilter, DeadLettersOf, StoredDeadLetter};
use pillowtop_runtime::{DeadLetter, DeadLetterStore, Version};
use serde_json::{Value, json};

use crate::world::World;

fn letter(world: &World, id: &DocumentId, version: u64, reason: &str) -> DeadLetter {
    DeadLetter {
        pillow: "case".into(),
        index: world.index().clone(),
        database: "db".into(),
        id: id.clone(),
        revision: "1-a".into(),
        version: Version(version),
        stage: Stage::Index,
        error_type: "mapper_parsing_exception".to_owned(),
        path: None,
        reason: reason.to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        document: None,
    }
}

fn of(filter: impl FnOnce(&mut DeadLetterFilter)) -> DeadLetterFilter {
    let mut of = DeadLetterFilter::default();
    filter(&mut of);
    of
}

async fn all(cluster: &Cluster) -> Vec<StoredDeadLetter> {
    cluster.dead_letters(&DeadLetterFilter::default(), 100, None).await.unwrap().dead_letters
}

fn store(world: &World) -> impl DeadLetterStore {
    pillowtop_runtime::target::elastic::IndexDeadLetters::new(&world.cluster, world.created.uuid.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_stays_until_its_document_is_decided_again() {
    let world = World::new("letters").await;
    let dead_letters = store(&world);
    let (long, short) = (DocumentId::from("ä".repeat(400).as_str()), DocumentId::from("x"));
    assert_eq!(dead_letters.open().await, Ok(Vec::new()));
    dead_letters.resolve(&[(short.clone(), Version(1))]).await.unwrap();
    assert_eq!(all(&world.cluster).await, []);
    let letter = |id, version, reason| letter(&world, id, version, reason);
    dead_letters.record(&[letter(&short, 1, "first"), letter(&long, 1, "long")]).await.unwrap();
    dead_letters.record(&[letter(&short, 2, "second")]).await.unwrap();
    let found = all(&world.cluster).await;
    let found: Vec<&DeadLetter> = found.iter().map(|stored| &stored.letter).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&&letter(&short, 2, "second")) && found.contains(&&letter(&long, 1, "long")));
    let mut open = dead_letters.open().await.unwrap();
    open.sort();
    assert_eq!(open, [short.clone(), long.clone()]);
    dead_letters.resolve(&[(short.clone(), Version(2)), (long.clone(), Version(2))]).await.unwrap();
    assert_eq!(dead_letters.open().await, Ok(Vec::new()));

    // The index of dead letters may be deleted meanwhile.
    let name = format!("{}-pillowtop-dead-letters", world.cluster.prefix().unwrap());
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    dead_letters.record(&[letter(&short, 3, "third")]).await.unwrap();
    assert_eq!(dead_letters.open().await, Ok(vec![short]));
    let mapping = world.http("GET", &format!("/{name}/_mapping"), &Value::Null, 200);
    assert_eq!(mapping[&name]["mappings"]["dynamic"], json!("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_request_undoes_nothing_newer_of_a_dead_letter() {
    let world = World::new("delayed").await;
    let dead_letters = store(&world);
    let id = DocumentId::from("x");
    let record = async |version| dead_letters.record(&[letter(&world, &id, version, "late")]).await.unwrap();
    let resolve = async |version| dead_letters.resolve(&[(id.clone(), Version(version))]).await.unwrap();
    let open = async || dead_letters.open().await.unwrap().len();
    record(2).await;
    // An older decision does not resolve a newer failure, and neither does an older dead letter.
    resolve(1).await;
    record(1).await;
    assert_eq!(all(&world.cluster).await[0].letter.version, Version(2));
    resolve(3).await;
    assert_eq!(open().await, 0);
    // A request with the dead letter was delayed all the time.
    record(2).await;
    assert_eq!(open().await, 0);
    record(4).await;
    assert_eq!(open().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_dead_letters_than_one_search_returns_are_read_and_purged() {
    const MANY: usize = 10_100;
    let world = World::new("pages").await;
    let dead_letters = store(&world);
    let ids: Vec<DocumentId> = (0..MANY).map(|number| format!("d{number}").as_str().into()).collect();
    for some in ids.chunks(2000) {
        let some: Vec<_> = some.iter().map(|id| letter(&world, id, 1, "many")).collect();
        dead_letters.record(&some).await.unwrap();
    }
    assert_eq!(dead_letters.open().await.unwrap().len(), MANY);
    let (mut read, mut page) = (0, None);
    loop {
        let found =
            world.cluster.dead_letters(&DeadLetterFilter::default(), 4000, page.as_ref()).await.unwrap();
        assert_eq!(found.total, MANY as u64);
        read += found.dead_letters.len();
        page = found.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(read, MANY);
    let purged = world.cluster.purge_dead_letters(&DeadLetterFilter::default()).await;
    assert_eq!(purged, Ok(MANY as u64));
    assert_eq!(dead_letters.open().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_filtered() {
    let world = World::new("filtered").await;
    let (cluster, long) = (&world.cluster, DocumentId::from("long".repeat(3000).as_str()));
    let mut other = letter(&world, &long, 1, "other");
    other.pillow = "form".into();
    other.stage = Stage::Id;
    other.error_type = "id_too_long".to_owned();
    other.time = "2026-02-01T00:00:00Z".to_owned();
    store(&world).record(&[letter(&world, &"x".into(), 1, "first"), other]).await.unwrap();
    let count = async |filter: DeadLetterFilter| cluster.count_dead_letters(&filter).await.unwrap();
    assert_eq!(count(DeadLetterFilter::default()).await, 2);
    assert_eq!(count(of(|filter| filter.pillow = Some("case".into()))).await, 1);
    assert_eq!(count(of(|filter| filter.stage = Some(Stage::Id))).await, 1);
    assert_eq!(count(of(|filter| filter.error_type = Some("id_too_long".to_owned()))).await, 1);
    assert_eq!(count(of(|filter| filter.since = Some("2026-01-15T00:00:00Z".to_owned()))).await, 1);
    assert_eq!(count(of(|filter| filter.before = Some("2026-01-15T00:00:00Z".to_owned()))).await, 1);
    assert_eq!(count(of(|filter| filter.index = Some("another".into()))).await, 0);
    let one = cluster.dead_letters(&of(|filter| filter.id = Some(long.clone())), 10, None).await.unwrap();
    assert_eq!(one.dead_letters.len(), 1);
    assert_eq!(one.dead_letters[0].letter.id, long);

    // Dead letters of an index that was deleted are hidden, and can be removed.
    assert!(one.dead_letters[0].index_exists);
    cluster.delete_index(world.index()).await.unwrap();
    assert_eq!(count(DeadLetterFilter::default()).await, 0);
    let all = of(|filter| filter.of = DeadLettersOf::AllIndices);
    let found = cluster.dead_letters(&all, 10, None).await.unwrap();
    assert!(found.dead_letters.iter().all(|stored| !stored.index_exists) && found.total == 2, "{found:?}");
    let deleted = of(|filter| filter.of = DeadLettersOf::DeletedIndices);
    assert_eq!(cluster.purge_dead_letters(&deleted).await, Ok(2));
    assert_eq!(count(all).await, 0);
}
