//! What a diff says of each kind of change, line by line. Whether a live index takes what is called
//! additive, the end-to-end tests ask real servers.

use pillowtop_core::diff::{diff, summary};
use pillowtop_core::{CommittedFile, Fingerprint};
use serde_json::{Value, json};

/// A committed file of which a test says some members.
fn file(explicit: &Value) -> CommittedFile {
    let or = |name: &str, default: Value| explicit.get(name).cloned().unwrap_or(default);
    let text = |name: &str, default: &str| or(name, json!(default)).as_str().unwrap_or_default().to_owned();
    CommittedFile {
        pillow: "case".to_owned(),
        alias: text("alias", "cases"),
        hash: text("hash", "1"),
        fingerprint: Fingerprint(0),
        document: or(
            "document",
            json!({"database": "clinic", "deleted": [], "field": "doc_type", "types": ["Case"]}),
        ),
        filter: or("filter", Value::Null),
        routing: explicit.get("routing").and_then(Value::as_str).map(str::to_owned),
        transform_version: explicit
            .get("transform_version")
            .and_then(Value::as_u64)
            .map_or(1, |explicit| u32::try_from(explicit).unwrap_or(u32::MAX)),
        settings: or("settings", json!({})),
        mappings: or("mappings", json!({})),
    }
}

#[track_caller]
fn check(before: &Value, after: &Value, expected: &[&str]) {
    let lines: Vec<String> = diff(&file(before), &file(after)).iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected, "{before} -> {after}");
}

#[track_caller]
fn check_mapping(before: &Value, after: &Value, expected: &[&str]) {
    check(&json!({"mappings": before}), &json!({"mappings": after}), expected);
}

#[track_caller]
fn check_field(before: &Value, after: &Value, expected: &str) {
    let mapping = |field: &Value| json!({"properties": {"f": field}});
    check_mapping(&mapping(before), &mapping(after), &[expected]);
}

#[test]
fn what_searches_lose_is_breaking_though_a_live_field_accepts_it() {
    let keyword = json!({"type": "keyword"});
    let with = |name: &str, value: Value| json!({"type": "keyword", name: value});
    check_field(
        &with("ignore_above", json!(50)),
        &with("ignore_above", json!(5)),
        "~ f ignore_above: 50 -> 5  (breaking: longer strings are no longer indexed, and no longer found)",
    );
    check_field(
        &keyword,
        &with("ignore_above", json!(5)),
        "+ f ignore_above: 5  (breaking: longer strings are no longer indexed, and no longer found)",
    );
    for after in [with("ignore_above", json!(60)), keyword.clone()] {
        let change = &diff(
            &file(&json!({"mappings": {"properties": {"f": with("ignore_above", json!(50))}}})),
            &file(&json!({"mappings": {"properties": {"f": after}}})),
        )[0];
        assert_eq!(change.class.to_string(), "additive", "{change}");
    }
    check_field(
        &with("copy_to", json!(["a", "b"])),
        &with("copy_to", json!("a")),
        r#"~ f copy_to: ["a","b"] -> "a"  (breaking: what searched the other field for this one's values finds nothing)"#,
    );
    check_field(
        &with("copy_to", json!("a")),
        &with("copy_to", json!(["a", "b"])),
        r#"~ f copy_to: "a" -> ["a","b"]  (additive: a live field accepts it)"#,
    );
    check_field(
        &with("null_value", json!("none")),
        &keyword,
        r#"- f null_value: "none"  (breaking: searches for the old value find nothing)"#,
    );
    check_field(
        &keyword,
        &with("null_value", json!("none")),
        r#"+ f null_value: "none"  (needs a reindex: it is fixed when the field is created)"#,
    );
    check_field(
        &json!({"type": "text", "fielddata": true}),
        &json!({"type": "text"}),
        "- f fielddata: true  (breaking: searches, sorts or aggregations that need it fail or find nothing)",
    );
}

#[test]
fn dynamic_says_what_becomes_of_members_without_a_field() {
    let lost = "members that the mapping does not name are no longer indexed, and found no more";
    check_mapping(
        &json!({"dynamic": true}),
        &json!({"dynamic": false}),
        &[&format!("~ root dynamic: true -> false  (breaking: {lost})")],
    );
    check_field(
        &json!({"type": "object", "dynamic": "runtime"}),
        &json!({"type": "object", "dynamic": "strict"}),
        &format!(r#"~ f dynamic: "runtime" -> "strict"  (breaking: {lost})"#),
    );
    check_mapping(
        &json!({"dynamic": false}),
        &json!({"dynamic": "strict"}),
        &[
            r#"~ root dynamic: false -> "strict"  (additive: a live index accepts it, and rejects documents with members that the mapping does not name)"#,
        ],
    );
    check_field(
        &json!({"type": "nested", "dynamic": false}),
        &json!({"type": "nested", "dynamic": true}),
        "~ f dynamic: false -> true  (additive: a live field accepts it)",
    );
    check_field(
        &json!({"type": "object", "dynamic": false}),
        &json!({"type": "object"}),
        "- f dynamic: false  (needs a reindex: a live index keeps what the new mapping no longer has)",
    );
}

#[test]
fn the_root_has_reasons_of_its_own() {
    let template = |name: &str| json!({name: {"match": "*", "mapping": {"type": "keyword"}}});
    check_mapping(
        &json!({"dynamic_templates": [template("a"), template("b")]}),
        &json!({"dynamic_templates": [template("b"), template("a")]}),
        &[concat!(
            r#"~ root dynamic_templates: [{"a":{"mapping":{"type":"keyword"},"match":"*"}},{"b":{"mapping":{"type":"keywo… -> "#,
            r#"[{"b":{"mapping":{"type":"keyword"},"match":"*"}},{"a":{"mapping":{"type":"keywo…  "#,
            "(additive: a live index accepts it, for fields that it has yet to meet)",
        )],
    );
    check_mapping(
        &json!({"_meta": {"owner": "us"}}),
        &json!({}),
        &[
            r#"- root _meta: {"owner":"us"}  (additive: notes that servers do not read; the content hash leaves them out)"#,
        ],
    );
    check_mapping(
        &json!({}),
        &json!({"_source": {"excludes": ["a"]}}),
        &[
            r#"+ root _source: {"excludes":["a"]}  (needs a reindex: it is fixed when an index is created; searches return other members)"#,
        ],
    );
    let runtime = |type_name: &str| json!({"runtime": {"day": {"type": type_name}}});
    check_mapping(
        &runtime("long"),
        &runtime("double"),
        &[
            r#"~ runtime day: {"type":"long"} -> {"type":"double"}  (additive: it is computed when it is searched)"#,
        ],
    );
    check_mapping(
        &runtime("keyword"),
        &runtime("long"),
        &[
            r#"~ runtime day: {"type":"keyword"} -> {"type":"long"}  (breaking: it is computed when it is searched, and other searches fit the new type)"#,
        ],
    );
}

#[test]
fn a_field_is_shown_by_its_type_and_a_long_change_from_where_it_parts() {
    let inner = json!({"a": {"type": "keyword"}, "b": {"type": "text"}});
    check_mapping(
        &json!({}),
        &json!({"properties": {"visits": {"type": "nested", "dynamic": false, "properties": inner}}}),
        &[
            r#"+ visits: nested {"dynamic":false} with 2 fields  (additive: a field is added; documents have it as they are indexed again)"#,
        ],
    );
    check_mapping(
        &json!({"properties": {"name": {"type": "keyword", "ignore_above": 9}}}),
        &json!({"properties": {}}),
        &[r#"- name: keyword {"ignore_above":9}  (breaking: nothing can be found by it any more)"#],
    );
    let filter = |end: &str| {
        let start =
            "self.domain != \"demo\" && self.case_type.is_some() && self.name.is_some() && self.owner_id";
        json!({"filter": {"text": format!("{start}.{end}"), "selector": {}}})
    };
    check(
        &filter("is_some()"),
        &filter("is_none()"),
        &[
            r#"~ filter: …&& self.owner_id.is_some()" -> …&& self.owner_id.is_none()"  (needs a reindex: other documents belong in the index)"#,
        ],
    );
}

#[test]
fn settings_say_whether_the_content_hash_has_them() {
    let settings = |settings: Value| json!({"settings": settings});
    let analyzer = |pattern: &str| {
        settings(json!({"analysis": {"analyzer": {"c": {"type": "pattern", "pattern": pattern}}}}))
    };
    check(
        &analyzer(","),
        &analyzer(";"),
        &[
            r#"~ settings analysis.analyzer.c.pattern: "," -> ";"  (needs a reindex: a static setting is fixed when an index is created)"#,
        ],
    );
    check(
        &settings(json!({"analysis": {"normalizer": {"n": {"type": "custom"}}}, "number_of_replicas": 1})),
        &settings(json!({})),
        &[
            r#"- settings analysis: {"normalizer":{"n":{"type":"custom"}}}  (needs a reindex: a static setting is fixed when an index is created)"#,
            "- settings number_of_replicas: 1  (additive: a live index accepts it; new indices are made with it)",
        ],
    );
    check(
        &settings(json!({})),
        &settings(json!({"numer_of_replicas": 1})),
        &["+ settings numer_of_replicas: 1  (additive: no server is known to have it, so it is not hashed)"],
    );
}

#[test]
fn the_summary_says_what_is_to_be_done() {
    let explicit = |after: &Value| summary(&file(&json!({})), &file(after), "cargo xtask").unwrap();
    let flip = "and `cargo xtask es-manage flip case` lets searches see it once `run` has caught up and `verify` has compared it";
    assert_eq!(
        explicit(&json!({"transform_version": 2, "hash": "2"})),
        format!(
            "1 needs a reindex; the content hash is another one, so `cargo xtask fast-reindex case` builds a new index, {flip}"
        )
    );
    assert_eq!(
        explicit(&json!({"alias": "all_cases"})),
        format!(
            "1 breaking; indices are named after the alias, so `cargo xtask fast-reindex case` builds a new index, {flip}"
        )
    );
    let document = json!({"database": "hospital", "deleted": [], "field": "doc_type", "types": ["Case"]});
    assert_eq!(
        explicit(&json!({"document": document})),
        "1 needs a reindex; the content hash is the same, so the index stays until `cargo xtask fast-reindex case --restart` builds it \
         from the other database"
    );
    assert_eq!(
        explicit(&json!({"settings": {"number_of_replicas": 2}})),
        "1 additive; the content hash is the same, so the index stays"
    );
    let properties = json!({"properties": {"f": {"type": "keyword"}}});
    assert_eq!(
        explicit(&json!({"mappings": properties, "hash": "2"})),
        format!(
            "1 additive; the content hash is another one: `cargo xtask es-manage apply` extends the live index, if `cargo xtask es-manage plan` shows that it can; \
             otherwise `cargo xtask fast-reindex case` builds a new index, {flip}"
        )
    );
}
