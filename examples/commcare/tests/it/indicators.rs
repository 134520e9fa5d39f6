//! What the indicators give for the documents of the samples.

use commcare::{indicators, samples};
use pillowtop_indicators::{NoRelated, pillow};
use serde_json::{Value, json};

use crate::process_by;

fn computed(source: &Value) -> Vec<(&str, &Value)> {
    let indicators = source["computed"]["indicators"].as_array().unwrap();
    indicators.iter().map(|one| (one["slug"].as_str().unwrap(), &one["value"])).collect()
}

#[test]
fn indicators_are_computed_for_all_cases() {
    let cases = pillow::<indicators::CaseIndicators>(NoRelated);
    let documents = samples::documents();
    let mut followed_up = 0;
    for case in documents.iter().filter(|document| document["doc_type"] == "CommCareCase") {
        let Ok((_, source)) = process_by(cases.as_ref(), case) else { continue };
        let forms = case["xform_ids"].as_array().map_or(0, Vec::len);
        let is_followed_up = forms > 1 && case["closed"] != json!(true);
        followed_up += usize::from(is_followed_up);
        assert_eq!(computed(&source), [("forms", &json!(forms)), ("is_followed_up", &json!(is_followed_up))]);
    }
    assert!(followed_up > 0);
}
