//! The indicators of the example, for the documents of its samples.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commcare::indicators::{CaseIndicators, FormIndicators, FormsOfCases};
use pillowtop_indicators::{Documents, IndicatorDestination, IndicatorOptions, NoRelated, pillow};
use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_example_computes_cases_and_forms() {
    let world = World::new();
    let database = world.database("commcarehq");
    database.create().await.unwrap();
    let mut documents = commcare::samples::documents();
    documents.iter_mut().for_each(|document| drop(document.as_object_mut().unwrap().remove("_attachments")));
    database.write(&documents).await.unwrap();
    let options = IndicatorOptions::watched("commcarehq".into());
    let destination = |pillow| IndicatorDestination::new(pillow, world.couch.clone(), options.clone());
    let forms = Arc::new(destination(pillow::<FormIndicators>(Documents(database.clone()))));
    let cases = Arc::new(destination(pillow::<CaseIndicators>(NoRelated)));
    let fan_out = Arc::new(IndicatorDestination::fan_out::<FormsOfCases>(&forms, "commcarehq".into()));
    let service = world.start_all(vec![cases, forms, fan_out]);

    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let all = world.all("commcarehq").await;
        let typed = |document: &&Value| document["computed_"]["clinic"]["case_type"]["value"].is_string();
        let of_type = |doc_type: &'static str| all.values().filter(move |one| one["doc_type"] == doc_type);
        let computed = |document: &&Value| document["computed_"]["clinic"].is_object();
        let (cases, forms) = (of_type("CommCareCase"), of_type("XFormInstance"));
        let typed_forms = forms.clone().filter(typed).count();
        if cases.clone().filter(computed).count() > 20 && typed_forms > 20 {
            assert_eq!(of_type("CommCareUser").filter(computed).count(), 0);
            break;
        }
        let found = (cases.filter(computed).count(), forms.filter(computed).count(), typed_forms);
        assert!(Instant::now() < end, "{found:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    service.end().await;
}
