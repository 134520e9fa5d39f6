//! Fields that documents add: dynamic templates, the detection of dates and numbers, limits, and
//! documents one after the other.

use pillowtop_conformance::Conformance;
use serde_json::{Value, json};

use crate::cases;
use crate::server::{Comparison, Index};

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_added_as_on_the_server() {
    let mut comparison = Comparison::default();
    let (mut target, mut not_taken) = (None, Vec::new());
    let cases = cases::indices();
    for (number, case) in cases.iter().enumerate() {
        let (mappings, settings) = (&case.mapping["mappings"], &case.mapping["settings"]);
        let settings = if settings.is_null() { &json!({}) } else { settings };
        let index = match Index::try_create(&format!("dynamic-{number}"), mappings, settings).await {
            Ok(index) => index,
            Err((_, reason)) => {
                not_taken.push((mappings, reason));
                continue;
            }
        };
        let documents: Vec<(String, String)> = case
            .values
            .iter()
            .enumerate()
            .map(|(position, source)| (format!("{number}-{position}"), source.clone()))
            .collect();
        let normal = pillowtop_core::settings::normalize(settings).unwrap();
        let done = index.index(&documents).await;
        comparison.add(&Conformance::new(mappings, &normal), index.target, &documents, &done);
        target = Some(index.target);
        index.delete().await;
    }
    let is_of_some_servers = |mappings: &Value| {
        let text = mappings.to_string();
        [
            "_allow_templates",
            "runtime",
            "subobjects",
            "[\"long\",\"double\"]",
            "unmatch_mapping_type",
            "flattened",
        ]
        .iter()
        .any(|piece| text.contains(piece))
    };
    for (mappings, reason) in not_taken {
        let is_expected = is_of_some_servers(mappings) || reason.contains("ignore_dynamic_beyond_limit");
        assert!(is_expected, "{mappings} is not taken: {reason}");
    }
    comparison.finish(target.unwrap());
}
