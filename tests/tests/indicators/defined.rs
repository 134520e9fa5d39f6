//! Indicators that are defined by documents.

use std::time::{Duration, Instant};

use pillowtop_core::DocumentInfo;
use pillowtop_indicators::DefinedIndicators;
use pillowtop_runtime::service::ServiceOptions;
use pillowtop_runtime::source::Written;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{World, options};

const FORMS: DocumentInfo = DocumentInfo { types: &["XFormInstance"], ..DocumentInfo::PART };

fn alias(version: u32, question_id: &Value) -> Value {
    json!({
        "_id": format!("weight{version}"), "doc_type": "FormDataAliasIndicatorDefinition", "namespace": "mvp",
        "domain": "d", "slug": "weight", "version": version, "xmlns": "visit", "question_id": question_id,
    })
}

async fn define(world: &World, definition: &Value) {
    let written = world.database("definitions").write_json(&[definition.to_string()]).await.unwrap();
    assert!(matches!(written[0], Written::Done(_)), "{written:?}");
}

async fn wait_for(world: &World, expected: &Value) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let form = world.database("clinic").document("f").await.unwrap().unwrap();
        let entry = &form["computed_"]["mvp"]["weight"];
        if json!([entry["version"], entry["value"]]) == *expected {
            return;
        }
        assert!(Instant::now() < end, "{form}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_definition_takes_effect_and_a_broken_one_is_a_dead_letter() {
    let world = World::new();
    for name in ["clinic", "definitions"] {
        world.database(name).create().await.unwrap();
    }
    let form = json!({"visit": {"weight": {"@unit": "kg", "#text": "3.5"}, "height": "50"}});
    world.put("f", json!({"doc_type": "XFormInstance", "domain": "d", "xmlns": "visit", "form": form})).await;
    define(&world, &alias(1, &json!("visit.weight"))).await;
    let defined = DefinedIndicators {
        name: "form_indicators",
        namespace: "mvp".to_owned(),
        documents: FORMS,
        definitions: world.database("definitions"),
        related: world.database("clinic"),
        interval: Duration::from_millis(200),
    };
    let stop = CancellationToken::new();
    let (following, couch, stopped) = (defined.clone(), world.couch.clone(), stop.clone());
    let service = tokio::spawn(async move {
        following.follow(&couch, &options(), &ServiceOptions::default(), &stopped).await
    });
    wait_for(&world, &json!([1, "3.5"])).await;
    define(&world, &alias(2, &json!("visit.height"))).await;
    wait_for(&world, &json!([2, "50"])).await;
    // A broken one stops nothing, and no other version.
    define(&world, &alias(3, &json!(7))).await;
    let letters = defined.dead_letters(&world.couch, &options());
    let end = Instant::now() + Duration::from_secs(30);
    while letters.list().await.unwrap().is_empty() {
        assert!(Instant::now() < end, "there is no dead letter");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = letters.list().await.unwrap().remove(0);
    assert_eq!((found.id.as_str(), found.error_type.as_str()), ("weight3", "broken_definition"));
    define(&world, &alias(4, &json!("visit.none"))).await;
    wait_for(&world, &json!([4, null])).await;
    stop.cancel();
    service.await.unwrap().unwrap();
}
