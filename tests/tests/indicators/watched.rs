//! Indicators in the documents that they are computed from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{self, Next, Plain, Restless, World, shared, visit};

fn value(document: &Value) -> &Value {
    &document["computed_"]["mvp"]["doubled"]["value"]
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_written_into_documents_and_nothing_else_changes() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    let attachment = json!({"note": {"content_type": "text/plain", "data": "aGVsbG8="}});
    world.put("a", json!({"doc_type": "Visit", "weight": 2, "n": 1.5, "_attachments": attachment})).await;
    world.put("other", json!({"doc_type": "Household", "weight": 2})).await;
    world.put("closed", json!({"doc_type": "Visit", "is_closed": true})).await;
    world.put("unlucky", visit(13)).await;
    let before = world.all("clinic").await;
    let options = world::options();
    world.follow_to_end::<Plain>(&options).await;

    let after = world.all("clinic").await;
    for id in ["other", "closed", "unlucky"] {
        assert_eq!(after[id], before[id]);
    }
    let entry = &after["a"]["computed_"]["mvp"]["doubled"];
    let updated = entry["updated"].clone();
    assert_eq!(
        *entry,
        json!({"version": 1, "value": 4, "multi_value": false, "type": "IndicatorDefinition", "updated": updated})
    );
    assert_eq!(after["a"]["computed_modified_on_"], updated);
    for name in ["doc_type", "weight", "n", "_attachments"] {
        assert_eq!(after["a"][name], before["a"][name]);
    }
    let destination = world.destination_of::<Plain>(&options);
    let targets = pillowtop_runtime::target::Destination::targets(&destination).await.unwrap();
    let letters = destination.dead_letters(&targets[0]).list().await.unwrap();
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, ["indicator `doubled` failed: it panicked: an unlucky weight"]);

    // What is done stays done; what is edited is computed again, and a dead letter is resolved.
    world.follow_to_end::<Plain>(&options).await;
    assert_eq!(world.all("clinic").await, after);
    world.put("unlucky", visit(14)).await;
    world.put("a", visit(5)).await;
    world.follow_to_end::<Plain>(&options).await;
    let after = world.all("clinic").await;
    assert_eq!((value(&after["a"]), value(&after["unlucky"])), (&json!(10), &json!(28)));
    assert!(destination.dead_letters(&targets[0]).list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_version_is_computed_for_all_documents_and_a_lower_one_leaves_it() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    world.put("a", visit(1)).await;
    let options = world::options();
    world.follow_to_end::<Plain>(&options).await;
    world.follow_to_end::<Next>(&options).await;
    let after = world.all("clinic").await;
    let entry = &after["a"]["computed_"]["mvp"]["doubled"];
    assert_eq!(
        (&entry["version"], &entry["value"], &entry["multi_value"]),
        (&json!(2), &json!([1]), &json!(true))
    );
    // Both releases run, as in a deployment.
    let services = [world.start::<Plain>(&options), world.start::<Next>(&options)];
    world.put("a", visit(3)).await;
    wait_for(&world, "a", &json!([3])).await;
    at_rest(&world).await;
    for service in services {
        service.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_differs_each_time_is_written_once() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    for number in 0..20 {
        world.put(&format!("v{number}"), visit(number)).await;
    }
    let services = [world.start::<Restless>(&world::options()), world.start::<Plain>(&world::options())];
    wait_for(&world, "v12", &json!(24)).await;
    at_rest(&world).await;
    for service in services {
        service.end().await;
    }
    let generation =
        |document: &Value| document["_rev"].as_str().unwrap().split('-').next().unwrap().to_owned();
    for (id, document) in world.all("clinic").await {
        assert_eq!(document["computed_"]["other"]["count"]["version"], 1, "{id}");
        let expected = if id == "v13" { "2" } else { "3" };
        assert_eq!(generation(&document), expected, "{id}: one write for each set of indicators");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_lost_is_not_made_the_winner() {
    let world = World::new();
    let database = world.database("clinic");
    database.create().await.unwrap();
    // A conflict, as replication leaves it. Both revisions are leaves.
    for (hash, weight) in [("a", 1), ("b", 2)] {
        let hash = hash.repeat(32);
        let document = json!({"_id": "v", "_rev": format!("1-{hash}"), "doc_type": "Visit", "weight": weight,
            "_revisions": {"start": 1, "ids": [hash]}});
        let body = json!({"new_edits": false, "docs": [document]});
        world.post("clinic/_bulk_docs", &body).await;
    }
    world.follow_to_end::<Plain>(&world::options()).await;
    let document = database.document("v").await.unwrap().unwrap();
    assert_eq!((&document["weight"], value(&document)), (&json!(2), &json!(4)));
}

/// So many documents are edited all the while: `INDICATOR_DOCUMENTS`, 2,000 by default.
#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost_while_indicators_are_written() {
    let count: usize =
        std::env::var("INDICATOR_DOCUMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let world = shared();
    world.database("clinic").create().await.unwrap();
    let documents: Vec<String> = (0..count)
        .map(|number| {
            json!({"_id": id(number), "doc_type": "Visit", "weight": 20, "edits": 0, "keep": [number]})
                .to_string()
        })
        .collect();
    for chunk in documents.chunks(500) {
        world.database("clinic").write_json(chunk).await.unwrap();
    }
    let service = world.start::<Plain>(&world::options());
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let world = Arc::clone(&world);
        writers.spawn(async move {
            for number in (writer..count).step_by(4) {
                // Some at once after each other, so that indicators come in between.
                for _ in 0..=number % 3 {
                    world.edit(&id(number), edited).await;
                }
            }
        });
    }
    writers.join_all().await;
    let end = Instant::now() + Duration::from_mins(2);
    loop {
        let all = world.all("clinic").await;
        assert_eq!(all.len(), count);
        for (number, document) in all.values().enumerate() {
            let edits = number % 3 + 1;
            assert_eq!(document["edits"], json!(edits), "{document}");
            assert_eq!((&document["weight"], &document["keep"]), (&json!(20 + edits), &json!([number])));
        }
        let late =
            all.values().filter(|document| value(document).as_i64() != Some(2 * weight(document))).count();
        if late == 0 {
            break;
        }
        assert!(Instant::now() < end, "{late} documents have no indicators, or old ones");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    at_rest(&world).await;
    service.end().await;
}

fn id(number: usize) -> String {
    format!("v{number:06}")
}

fn weight(document: &Value) -> i64 {
    document["weight"].as_i64().unwrap()
}

fn edited(document: &mut Value) {
    document["edits"] = json!(document["edits"].as_i64().unwrap() + 1);
    document["weight"] = json!(weight(document) + 1);
}

async fn wait_for(world: &World, id: &str, expected: &Value) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let document = world.database("clinic").document(id).await.unwrap().unwrap();
        if value(&document) == expected {
            return;
        }
        assert!(Instant::now() < end, "{document}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Once nobody edits, nothing is written any more.
async fn at_rest(world: &World) {
    // Own writes come back, and may be followed by those of others.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = world.update_sequence().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.update_sequence().await, before, "own writes are written again");
}
