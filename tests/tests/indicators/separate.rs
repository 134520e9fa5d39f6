//! Indicators in copies of the documents, in a database of their own.

use std::time::{Duration, Instant};

use pillowtop_indicators::IndicatorOptions;
use serde_json::json;

use crate::world::{Next, Plain, World, visit};

#[tokio::test(flavor = "multi_thread")]
async fn copies_follow_their_documents() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    let attachment = json!({"note": {"content_type": "text/plain", "data": "aGVsbG8="}});
    world.put("a", json!({"doc_type": "Visit", "weight": 2, "n": 1.5, "_attachments": attachment})).await;
    world.put("b", visit(3)).await;
    world.put("c", visit(4)).await;
    world.put("d", visit(5)).await;
    world.put("other", json!({"doc_type": "Household"})).await;
    let before = world.all("clinic").await;
    let options = IndicatorOptions::separate("clinic".into(), "indicators".into());
    world.follow_to_end::<Plain>(&options).await;
    assert_eq!(world.all("clinic").await, before, "nothing is written to the documents");

    let copies = world.all("indicators").await;
    assert_eq!(copies.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let copy = &copies["a"];
    assert_eq!((&copy["weight"], &copy["n"], copy.get("_attachments")), (&json!(2), &json!(1.5), None));
    assert_eq!(copy["computed_"]["mvp"]["doubled"]["value"], 4);
    assert_eq!(
        (&copy["pillowtop"]["rev"], &copy["pillowtop"]["db"]),
        (&before["a"]["_rev"], &json!("clinic"))
    );

    // An edit, a deleted type, one that is not accepted any more, a deletion.
    world.put("a", json!({"weight": 7, "n": 2})).await;
    world.put("b", json!({"doc_type": "Visit-Deleted"})).await;
    world.put("c", json!({"is_closed": true})).await;
    world.put("d", json!({"_deleted": true})).await;
    world.follow_to_end::<Plain>(&options).await;
    let copies = world.all("indicators").await;
    assert_eq!(copies.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        (&copies["a"]["n"], &copies["a"]["computed_"]["mvp"]["doubled"]["value"]),
        (&json!(2), &json!(14))
    );

    // A member that no indicator reads is copied, and the indicator stays as it was.
    world.put("a", json!({"n": 3})).await;
    world.follow_to_end::<Plain>(&options).await;
    let later = world.all("indicators").await;
    assert_eq!(later["a"]["n"], 3);
    assert_eq!(later["a"]["computed_"], copies["a"]["computed_"]);

    // A document that comes back, and a higher version.
    world.put("b", visit(6)).await;
    world.follow_to_end::<Plain>(&options).await;
    world.follow_to_end::<Next>(&options).await;
    let copies = world.all("indicators").await;
    assert_eq!(copies["b"]["computed_"]["mvp"]["doubled"]["value"], json!([6]));
    assert_eq!(copies["c"]["computed_"]["mvp"]["doubled"]["value"], json!([4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_right_after_crashes() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    let mut options = IndicatorOptions::separate("clinic".into(), "indicators".into());
    options.lease = Duration::from_millis(1500);
    let edit_some = async || {
        for _ in 0..60 {
            let id = format!("v{}", fastrand::usize(..80));
            let exists = world.database("clinic").document(&id).await.unwrap().is_some();
            let is_deletion = exists && fastrand::u8(..6) == 0;
            let change = if is_deletion { json!({"_deleted": true}) } else { visit(fastrand::i64(20..999)) };
            world.put(&id, change).await;
        }
    };
    for _ in 0..5 {
        let service = world.start::<Plain>(&options);
        // Longer than the lease of the one before, in most rounds.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1_500..2_500))).await;
        edit_some().await;
        service.crash().await;
        edit_some().await;
    }
    let service = world.start::<Plain>(&options);
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let (documents, copies) = (world.all("clinic").await, world.all("indicators").await);
        let is_right = documents.keys().eq(copies.keys())
            && documents.iter().all(|(id, document)| {
                let copy = &copies[id];
                let doubled = document["weight"].as_i64().unwrap() * 2;
                copy["pillowtop"]["rev"] == document["_rev"]
                    && copy["computed_"]["mvp"]["doubled"]["value"] == doubled
            });
        if is_right {
            break;
        }
        assert!(Instant::now() < end, "{documents:?}\n{copies:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    service.end().await;
}
