//! What is rejected: what `pillowtop-conformance` says that a server rejects.

use serde_json::{Value, json};

use super::{definition, finds, index, mapped, open, put, version, write};
use pillowtop_runtime::operation::{Action, Operation};
use pillowtop_runtime::target::{Outcome, Target};

/// Writes `{"x": value}` with a field of this mapping; a rejection must have this part in its
/// reason.
async fn check(mapping: &Value, value: &Value, rejected: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"x": mapping}))).await;
    let outcome = write(&target, &[index("a", &json!({"x": value}))]).await.remove(0);
    match (rejected, outcome) {
        (None, Outcome::Done) => {}
        (Some(part), Outcome::Rejected { error_type, reason }) => {
            assert_eq!(error_type, "mapper_parsing_exception", "{mapping} {value}");
            assert!(reason.starts_with("field `x") && reason.contains(part), "{mapping} {value}: {reason}");
        }
        (expected, outcome) => panic!("{mapping} {value}: expected {expected:?}, got {outcome:?}"),
    }
}

/// Values that are accepted, and values that are rejected with a part of the reason.
async fn table(mapping: Value, accepted: &[Value], rejected: &[(Value, &str)]) {
    for value in accepted {
        check(&mapping, value, None).await;
    }
    for (value, part) in rejected {
        check(&mapping, value, Some(part)).await;
    }
}

#[tokio::test]
async fn each_type_rejects_what_the_servers_reject() {
    table(
        json!({"type": "long"}),
        &[json!(1), json!(i64::MIN), json!("5.9"), json!(5.9), json!(""), json!(null), json!([1, [2, null]])],
        &[
            (json!(i64::MAX as u64 + 1), ""),
            (json!("five"), ""),
            (json!([1, "five"]), ""),
            (json!({"y": 1}), "object"),
        ],
    )
    .await;
    table(json!({"type": "integer", "coerce": false}), &[json!(1)], &[(json!("1"), ""), (json!(1.5), "")])
        .await;
    table(json!({"type": "half_float"}), &[json!(65_519.9)], &[(json!(65_520), "")]).await;
    table(
        json!({"type": "boolean"}),
        &[json!("true"), json!("")],
        &[(json!("yes"), "`yes`"), (json!(1), "")],
    )
    .await;
    table(
        json!({"type": "date"}),
        &[json!("2024-02-29"), json!(1_709_211_907_123_i64)],
        &[(json!("29/02/2024"), "`strict_date_optional_time||epoch_millis`"), (json!(""), "")],
    )
    .await;
    // A pattern that is not supported rejects nothing.
    table(json!({"type": "date", "format": "YYYY-'W'ww"}), &[json!("2024-W09")], &[]).await;
    table(
        json!({"type": "geo_point"}),
        &[json!("12.5,-3"), json!({"lat": 1, "lon": "2"}), json!([[2, 1], [3, 4]])],
        &[(json!("91,0"), "latitude"), (json!("here and there"), "")],
    )
    .await;
    table(json!({"type": "geo_shape"}), &[json!("POINT (30 10)")], &[(json!("anything"), "")]).await;
    table(
        json!({"type": "keyword"}),
        &[json!(["a", 2, true])],
        &[(json!({"y": 1}), "object"), (json!("x".repeat(32_767)), "32767")],
    )
    .await;
    let exact = json!({"type": "text", "fields": {"number": {"type": "long"}}});
    table(exact, &[json!("1")], &[(json!("one"), "x.number")]).await;
    table(
        json!({"properties": {"y": {"type": "long"}}}),
        &[json!([{"y": 1}, null, {}])],
        &[(json!("a"), "object"), (json!({"y": "a"}), "`a`")],
    )
    .await;
    table(json!({"type": "object", "enabled": false}), &[json!("a"), json!({"y": [1, "b"]})], &[]).await;
    table(json!({"type": "flattened"}), &[json!({"y": [1, {"z": true}]})], &[(json!("a"), "object")]).await;
}

#[tokio::test]
async fn an_address_with_a_zone_is_accepted_and_found() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"x": {"type": "ip"}}))).await;
    put(&target, "a", &json!({"x": "fe80::1%eth0"})).await;
    target.flush().await.unwrap();
    finds(&target, "x:\"fe80::1\"", &["a"]);
    check(&json!({"type": "ip"}), &json!("10.0.0.256"), Some("10.0.0.256")).await;
}

#[tokio::test]
async fn a_malformed_value_is_left_out_and_the_others_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = json!({"type": "byte", "ignore_malformed": true});
    let names = json!({"type": "keyword", "fields": {"n": bytes}});
    let target =
        open(directory.path(), &mapped(&json!({"o": {"properties": {"x": bytes}}, "name": names}))).await;
    put(&target, "a", &json!({"o": {"x": [5, 300, "many", 7]}, "name": ["8", "900"]})).await;
    target.flush().await.unwrap();
    for found in ["o.x:5", "o.x:7", "name.n:8", "name:900"] {
        finds(&target, found, &["a"]);
    }
    for missing in ["o.x:300", "name.n:900"] {
        finds(&target, missing, &[]);
    }
}

#[tokio::test]
async fn a_mapping_that_no_server_creates_has_no_index_here() {
    let directory = tempfile::tempdir().unwrap();
    let bad = mapped(&json!({"x": {"type": "date", "format": "yyyy-MM-dd'T"}}));
    let error = super::try_open(&super::destination(directory.path(), &bad)).await.unwrap_err();
    assert!(error.to_string().starts_with("the mapping of index `cases_"), "{error}");
}

#[tokio::test]
async fn whole_index_settings_and_strict_objects_hold() {
    let directory = tempfile::tempdir().unwrap();
    let mappings = json!({"dynamic": "strict", "properties": {
        "n": {"type": "long"},
        "free": {"dynamic": false, "properties": {}},
        "inner": {"properties": {"y": {"type": "long"}}},
    }});
    let target =
        open(directory.path(), &definition(mappings, json!({"mapping": {"ignore_malformed": true}}))).await;
    put(&target, "a", &json!({"n": "many", "free": {"what": 1}, "inner.y": 2})).await;
    for (source, part) in [
        (json!({"other": 1}), "field `other`"),
        (json!({"inner": {"z": 1}}), "field `inner.z`"),
        (json!({"inner.z": 1}), "field `inner.z`"),
    ] {
        let outcome = write(&target, &[index("b", &source)]).await.remove(0);
        let Outcome::Rejected { error_type, reason } = outcome else { panic!("{source}: {outcome:?}") };
        assert_eq!(error_type, "mapper_parsing_exception");
        assert!(reason.contains(part), "{source}: {reason}");
    }
    for source in [json!({"_id": "b"}), json!([]), json!("text")] {
        let outcome = write(&target, &[index("b", &source)]).await.remove(0);
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{source}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_duplicate_member_is_rejected_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mappings = json!({"dynamic": false, "properties": {
        "n": {"type": "long"}, "form": {"properties": {}}, "off": {"type": "object", "enabled": false},
    }});
    let target = open(directory.path(), &definition(mappings, json!({}))).await;
    for (source, name) in [
        (r#"{"n": 1, "n": 1}"#, "n"),
        (r#"{"form": {"meta": {"geo_point": null, "geo_point": null}}}"#, "geo_point"),
        (r#"{"off": [{"a": 1, "\u0061": 2}]}"#, "a"),
        (r#"{"unmapped": {"": 1, "": 2}}"#, ""),
    ] {
        let operation = Operation::new("a".into(), version(), Action::Index(source.into()));
        let outcome = write(&target, &[operation]).await.remove(0);
        let Outcome::Rejected { error_type, reason } = outcome else { panic!("{source}: {outcome:?}") };
        assert_eq!(error_type, "mapper_parsing_exception");
        assert!(reason.contains(&format!("`{name}`")), "{source}: {reason}");
    }
    put(&target, "a", &json!({"n": 1, "form": {"n": 2}, "off": [{"n": 3}, {"n": 3}]})).await;
}
