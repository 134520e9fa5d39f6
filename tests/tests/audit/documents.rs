//! Whole documents: names, ids, dynamic mappings, nested objects, settings.

use pillowtop_conformance::Conformance;
use serde_json::{Value, json};

use crate::server::{Comparison, Index};

async fn check(test: &str, mappings: Value, settings: Value, sources: &[&str]) {
    let documents: Vec<(String, String)> = sources
        .iter()
        .enumerate()
        .map(|(position, source)| (position.to_string(), (*source).to_owned()))
        .collect();
    check_with_ids(test, mappings, settings, &documents).await;
}

async fn check_with_ids(test: &str, mappings: Value, settings: Value, documents: &[(String, String)]) {
    let index = Index::create(test, &mappings, &settings).await;
    let normal = pillowtop_core::settings::normalize(&settings).unwrap();
    let done = index.index(documents).await;
    let mut comparison = Comparison::default();
    comparison.add(&Conformance::new(&mappings, &normal), index.target, documents, &done);
    let target = index.target;
    index.delete().await;
    comparison.finish(target);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_objects_at_the_root() {
    let mappings = json!({"dynamic": false, "properties": {
        "a": {"type": "long"}, "b": {"properties": {"c": {"type": "keyword"}}}, "n": {"type": "nested"},
        "off": {"type": "object", "enabled": false}, "x.y": {"type": "long"},
        "t": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "l": {"type": "alias", "path": "a"},
    }});
    check(
        "root",
        mappings,
        json!({}),
        &[
            "{}",
            r#"{"":1}"#,
            r#"{".":1}"#,
            r#"{"..":1}"#,
            r#"{".a":1}"#,
            r#"{"a.":1}"#,
            r#"{"a.":"x"}"#,
            r#"{"a..b":1}"#,
            r#"{"q. .r":1}"#,
            r#"{"_id":"x"}"#,
            r#"{"_source":1}"#,
            r#"{"_routing":"x"}"#,
            r#"{"_index":"x"}"#,
            r#"{"_field_names":"x"}"#,
            r#"{"_ignored":"x"}"#,
            r#"{"_seq_no":1}"#,
            r#"{"_own":1}"#,
            r#"{"b":{"_id":"x"}}"#,
            r#"{"b":{"c":"x"},"b.c":"y"}"#,
            r#"{"b.c.d":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"z":{"q":1,"q":2}}"#,
            r#"{"z":{"":1}}"#,
            r#"{"off":{"":1}}"#,
            r#"{"off.x":{"":1}}"#,
            r#"{"x":{"y":"no"}}"#,
            r#"{"x.y":"no"}"#,
            r#"{"x.y":5}"#,
            r#"{"x":5}"#,
            r#"{"t.raw":5}"#,
            r#"{"l":null}"#,
            r#"{"l.x":1}"#,
            r#"{"n.a":1}"#,
            r#"{"n":[[{"a":1}],[]]}"#,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_root_names_everything() {
    let mappings = json!({"dynamic": "strict", "properties": {
        "a": {"type": "long"}, "free": {"dynamic": false, "properties": {}}, "inner": {"properties": {"y": {"type": "long"}}},
        "add": {"dynamic": true, "properties": {}},
    }});
    check(
        "strict",
        mappings,
        json!({}),
        &[
            r#"{"a":1}"#,
            r#"{"b":1}"#,
            r#"{"b":null}"#,
            r#"{"b":[]}"#,
            r#"{"b.c":null}"#,
            r#"{"free":{"b":1}}"#,
            r#"{"free.b":1}"#,
            r#"{"free.b.c":1}"#,
            r#"{"inner":{"y":1}}"#,
            r#"{"inner":{"z":null}}"#,
            r#"{"inner.z":1}"#,
            r#"{"add":{"q":1}}"#,
            r#"{"add":{"r":{"s":"t"}}}"#,
            r#"{"add.u":1}"#,
            r#"{"add":{"v":1e400}}"#,
            r#"{"add":{"w":9223372036854775808}}"#,
            r#"{"add":{"":1}}"#,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_whole_index_hold() {
    let mappings = json!({"dynamic": false, "properties": {
        "n": {"type": "integer"}, "s": {"type": "integer", "ignore_malformed": false}, "c": {"type": "long", "coerce": true},
        "k": {"type": "keyword"}, "d": {"type": "date"}, "r": {"type": "integer_range"}, "g": {"type": "geo_point"},
        "b": {"type": "boolean"}, "o": {"properties": {"n": {"type": "double"}}},
    }});
    check(
        "settings",
        mappings,
        json!({"mapping.ignore_malformed": true, "mapping.coerce": false}),
        &[
            r#"{"n":"12"}"#,
            r#"{"n":"x"}"#,
            r#"{"n":12.5}"#,
            r#"{"s":"12"}"#,
            r#"{"s":12}"#,
            r#"{"c":"12"}"#,
            r#"{"c":"x"}"#,
            r#"{"d":"x"}"#,
            r#"{"k":{}}"#,
            r#"{"r":{"gte":"1"}}"#,
            r#"{"r":{"gte":5,"lte":1}}"#,
            r#"{"g":"?"}"#,
            r#"{"o":{"n":"x"}}"#,
            r#"{"o":5}"#,
            r#"{"n":1}"#,
            r#"{"s":1}"#,
            r#"{"c":5}"#,
            r#"{"k":"x"}"#,
            r#"{"d":"2024-01-02"}"#,
            r#"{"b":true}"#,
            r#"{"o":{"n":1.5}}"#,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_nested_objects_have_limits() {
    let mappings = json!({"dynamic": false, "properties": {
        "n": {"type": "nested", "properties": {"m": {"type": "nested"}}},
    }});
    let list = |count: usize| vec!["{}"; count].join(",");
    let documents = [
        ("a".repeat(512), "{}".to_owned()),
        ("a".repeat(513), "{}".to_owned()),
        ("é".repeat(256), "{}".to_owned()),
        ("é".repeat(257), "{}".to_owned()),
        ("nested".to_owned(), format!("{{\"n\":[{}]}}", list(5))),
        ("too-many".to_owned(), format!("{{\"n\":[{}]}}", list(6))),
        ("inner".to_owned(), format!("{{\"n\":{{\"m\":[{}]}}}}", list(4))),
        ("inner-too-many".to_owned(), format!("{{\"n\":{{\"m\":[{}]}}}}", list(5))),
        ("nulls".to_owned(), "{\"n\":[null,null,null,null,null,null]}".to_owned()),
    ];
    check_with_ids("limits", mappings, json!({"mapping.nested_objects.limit": 5}), &documents).await;
}
