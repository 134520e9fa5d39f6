//! Values that nobody thought of, the same in each run, for the types that documents have most.

use pillowtop_comparison::values;
use pillowtop_conformance::Conformance;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::server::{Comparison, Index};

/// Values for each mapping.
const EACH: usize = 120;

fn mappings() -> Vec<Value> {
    let mut all: Vec<Value> =
        ["byte", "short", "integer", "long", "half_float", "float", "double", "boolean", "ip"]
            .iter()
            .flat_map(|name| [json!({"type": name}), json!({"type": name})])
            .collect();
    all.push(json!({"type": "integer", "coerce": false}));
    all.push(json!({"type": "long", "ignore_malformed": true}));
    all.push(json!({"type": "keyword", "ignore_above": 4}));
    all.push(json!({"type": "integer_range"}));
    all.push(json!({"type": "geo_point"}));
    for format in [
        "strict_date_optional_time||epoch_millis",
        "strict_date_optional_time_nanos",
        "strict_date",
        "epoch_second",
        "yyyy-MM-dd HH:mm:ss||yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'",
        "strict_date_time_no_millis",
    ] {
        all.push(json!({"type": "date", "format": format}));
        all.push(json!({"type": "date", "format": format}));
    }
    all.push(json!({"type": "date_nanos"}));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_values_are_checked_as_the_server_does() {
    let properties: Map<String, Value> =
        mappings().into_iter().enumerate().map(|(number, mapping)| (format!("f{number}"), mapping)).collect();
    let root = json!({"dynamic": false, "properties": properties});
    let index = Index::create("generated", &root, &json!({})).await;
    let mut runner = TestRunner::deterministic();
    let mut documents = Vec::new();
    for name in properties.keys() {
        for position in 0..EACH {
            let value = values().new_tree(&mut runner).unwrap().current();
            documents.push((format!("{name}-{position}"), format!("{{\"{name}\":{value}}}")));
        }
    }
    let done = index.index(&documents).await;
    let mut comparison = Comparison::default();
    comparison.add(&Conformance::new(&root, &json!({})), index.target, &documents, &done);
    let target = index.target;
    index.delete().await;
    comparison.finish(target);
}

/// How many documents an index that grows is given.
const DOCUMENTS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn generated_documents_make_an_index_grow_as_on_the_server() {
    let root = json!({"dynamic": true, "dynamic_templates": [
        {"objects": {"match": "a*", "match_mapping_type": "object", "mapping": {"type": "nested"}}},
        {"numbers": {"match": "[b-d]\\d", "match_pattern": "regex", "mapping": {"type": "integer", "ignore_malformed": true}}},
        {"copies": {"match": "e*", "match_mapping_type": "long", "mapping": {"type": "long", "copy_to": "copies.{name}"}}},
        {"below": {"path_match": "f*.x", "mapping": {"type": "{dynamic_type}"}}},
    ]});
    let index = Index::create("grown", &root, &json!({})).await;
    let mut runner = TestRunner::deterministic();
    let member = ("[a-j][0-3](\\.[xy])?", values()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let documents: Vec<(String, String)> = (0..DOCUMENTS)
        .map(|position| {
            let member = member.new_tree(&mut runner).unwrap().current();
            (position.to_string(), format!("{{{member}}}"))
        })
        .collect();
    let done = index.index(&documents).await;
    let mut comparison = Comparison::default();
    comparison.add(&Conformance::new(&root, &json!({})), index.target, &documents, &done);
    let target = index.target;
    index.delete().await;
    comparison.finish(target);
}
