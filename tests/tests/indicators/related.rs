//! Indicators of forms that read the case of the form, and of cases that read their forms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pillowtop_core::Found;
use pillowtop_indicators::{Documents, FanOut, Indicator, IndicatorDestination, Indicators, pillow, related};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::{World, options};

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
#[couch(doc_type = "Form", database = "clinic")]
struct Form {
    case_id: String,
}

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
#[couch(doc_type = "Case", database = "clinic")]
struct Case {
    #[serde(default)]
    form_ids: Vec<String>,
}

struct FormIndicators;

impl Indicators for FormIndicators {
    type Document = Form;
    type Related = Documents;
    const NAME: &'static str = "form_indicators";
    const NAMESPACE: &'static str = "mvp";
    const INDICATORS: &'static [Indicator<Form, Documents>] =
        &[related("case_name", 1, |form: &Form, found: &Found<Documents>| {
            found.get(&form.case_id).map_or(Value::Null, |case| case["name"].clone())
        })];

    fn related_keys(form: &Form) -> Vec<String> {
        vec![form.case_id.clone()]
    }
}

struct FormsOfCases;

impl FanOut for FormsOfCases {
    type Document = Case;
    const NAME: &'static str = "forms_of_cases";

    fn affected(case: &Case) -> Vec<String> {
        case.form_ids.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_case_computes_its_forms_again() {
    let world = World::new();
    world.database("clinic").create().await.unwrap();
    let form_ids: Vec<String> = (0..300).map(|number| format!("f{number:03}")).collect();
    let forms: Vec<String> = form_ids
        .iter()
        .map(|id| json!({"_id": id, "doc_type": "Form", "case_id": "c"}).to_string())
        .collect();
    world.database("clinic").write_json(&forms).await.unwrap();
    world.put("c", json!({"doc_type": "Case", "name": "Ada", "form_ids": form_ids})).await;

    let lookup = pillow::<FormIndicators>(Documents(world.database("clinic")));
    let indicators = Arc::new(IndicatorDestination::new(lookup, world.couch.clone(), options()));
    let cases = Arc::new(IndicatorDestination::fan_out::<FormsOfCases>(&indicators, "clinic".into()));
    let service = world.start_all(vec![indicators, cases]);
    for name in ["Ada", "Grace", "Mary"] {
        world.put("c", json!({"name": name})).await;
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let all = world.all("clinic").await;
            let of = |document: &Value| document["computed_"]["mvp"]["case_name"]["value"].clone();
            let late = form_ids.iter().filter(|id| of(&all[*id]) != name).count();
            if late == 0 {
                break;
            }
            assert!(Instant::now() < end, "{late} forms do not know the name of their case");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    service.end().await;
}
