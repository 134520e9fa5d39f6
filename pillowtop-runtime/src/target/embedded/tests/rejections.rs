//! What is rejected, with Elasticsearch's error types, and what is not.

use serde_json::{Value, json};

use super::{definition, index, mapped, open, put, version, write};
use crate::operation::{Action, Operation};
use crate::target::Outcome;

/// Writes `{"x": value}` with a field of this mapping; a refusal must be of the type and have the part.
async fn check(mapping: Value, value: Value, refusal: Option<(&str, &str)>) {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"x": mapping}))).await;
    let outcome = write(&target, &[index("a", &json!({"x": value}))]).await.remove(0);
    match (refusal, outcome) {
        (None, Outcome::Done) => {}
        (Some((expected, part)), Outcome::Rejected { error_type, reason }) => {
            assert_eq!(error_type, expected, "{mapping} {value}");
            assert!(reason.contains(part), "{mapping} {value}: {reason}");
        }
        (expected, outcome) => panic!("{mapping} {value}: expected {expected:?}, got {outcome:?}"),
    }
}

/// Values that fit, and values that do not with a part of the reason.
async fn table(mapping: Value, fits: &[Value], refused: &[(Value, &str)]) {
    for value in fits {
        check(mapping.clone(), value.clone(), None).await;
    }
    for (value, part) in refused {
        check(mapping.clone(), value.clone(), Some(("mapper_parsing_exception", part))).await;
    }
}

#[tokio::test]
async fn whole_numbers_have_ranges() {
    let long = json!({"type": "long"});
    table(
        long,
        &[json!(1), json!(-9_223_372_036_854_775_808_i64), json!("5"), json!("+5"), json!("5.9"), json!(5.9),
          json!("1e3"), json!(""), json!(null), json!([]), json!([1, [2, null]])],
        &[(json!(9_223_372_036_854_775_808_u64), "out of range for a long"), (json!(1e30), "out of range for a long"),
          (json!("five"), "failed to parse field [x] of type [long] in document with id 'a'. Preview of field's value: 'five'"),
          (json!("NaN"), "For input string"), (json!(" 5 "), "For input string"), (json!(true), "not numeric"), (json!({"y": 1}), "object"),
          (json!([1, "five"]), "five")],
    )
    .await;
    for (name, most) in [("integer", 2_147_483_647_i64), ("short", 32_767), ("byte", 127)] {
        let part = format!("out of range for a {name}");
        table(
            json!({"type": name}),
            &[json!(most), json!(-most - 1), json!(most.to_string()), json!(" 5 ")],
            &[(json!(most + 1), &part), (json!(-most - 2), &part), (json!((most + 1).to_string()), &part)],
        )
        .await;
    }
    table(
        json!({"type": "integer", "coerce": false}),
        &[json!(1), json!(1.0)],
        &[(json!("1"), "passed as String"), (json!(1.5), "decimal part")],
    )
    .await;
    table(
        json!({"type": "unsigned_long"}),
        &[json!(0), json!(u64::MAX), json!(u64::MAX.to_string())],
        &[(json!(-1), "out of range"), (json!(1.5), "decimal part"), (json!(1e30), "out of range")],
    )
    .await;
}

#[tokio::test]
async fn floating_numbers_are_finite() {
    table(json!({"type": "double"}), &[json!(1e308), json!("1.5"), json!("")], &[(json!("x"), "For input")])
        .await;
    let finite = "supports only finite values";
    table(json!({"type": "float"}), &[json!(3.402_823_4e38)], &[(json!(3.5e38), finite)]).await;
    table(json!({"type": "half_float"}), &[json!(65_504), json!(65_519.9)], &[(json!(65_520), finite)]).await;
}

#[tokio::test]
async fn booleans_have_three_spellings() {
    table(
        json!({"type": "boolean"}),
        &[json!(true), json!("true"), json!("false"), json!("")],
        &[
            (json!("yes"), "Failed to parse value [yes]"),
            (json!(1), "only [true] or [false]"),
            (json!("True"), "True"),
        ],
    )
    .await;
}

#[tokio::test]
async fn dates_addresses_and_points_are_checked() {
    table(
        json!({"type": "date"}),
        &[json!("2024-02-29"), json!(1_709_211_907_123_i64), json!("9999-12-31"), json!("0001-01-01")],
        &[
            (json!("29/02/2024"), "failed to parse field [x] of type [date]"),
            (json!(""), "empty"),
            (json!(true), "strict_date_optional_time||epoch_millis"),
            (json!({}), "START_OBJECT"),
        ],
    )
    .await;
    table(
        json!({"type": "date_nanos"}),
        &[json!("2024-01-01T00:00:00.123456789Z")],
        &[(json!("1969-12-31"), "before the epoch"), (json!("2300-01-01"), "out of range")],
    )
    .await;
    // A pattern that is not supported here rejects nothing.
    table(json!({"type": "date", "format": "YYYY-'W'ww"}), &[json!("2024-W09")], &[]).await;
    table(
        json!({"type": "ip"}),
        &[json!("10.0.0.1"), json!("::1")],
        &[(json!("10.0.0.256"), "not an IP string literal"), (json!(""), "not an IP")],
    )
    .await;
    table(
        json!({"type": "geo_point"}),
        &[
            json!("12.5,-3"),
            json!({"lat": 1, "lon": "2"}),
            json!([2.0, 1.0]),
            json!([[2, 1], [3, 4]]),
            json!("POINT (30 10)"),
            json!("u4pruydqqvj"),
            json!({"type": "Point", "coordinates": [1, 2]}),
            json!(null),
        ],
        &[
            (json!("91,0"), "latitude"),
            (json!({"lat": 1}), "[lon] missing"),
            (json!([200, 1]), "longitude"),
            (json!("here and there"), "couldn't build"),
            (json!(5), "geo_point expected"),
        ],
    )
    .await;
}

#[tokio::test]
async fn text_fields_accept_scalars_and_keywords_have_a_maximum_length() {
    for name in ["text", "keyword"] {
        table(
            json!({"type": name}),
            &[json!("a"), json!(1), json!(true), json!(["a", 2])],
            &[(json!({"y": 1}), "Can't get text on a START_OBJECT")],
        )
        .await;
    }
    let long = "x".repeat(32_767);
    let immense = Some(("illegal_argument_exception", "immense term in field=\"x\""));
    check(json!({"type": "keyword"}), json!(long), immense).await;
    check(json!({"type": "keyword", "ignore_above": 100}), json!(long), None).await;
    check(json!({"type": "text"}), json!(long), None).await;
    let exact = json!({"type": "text", "fields": {"number": {"type": "long"}}});
    check(exact, json!("one"), Some(("mapper_parsing_exception", "[x.number] of type [long]"))).await;
}

#[tokio::test]
async fn objects_and_scalars_are_not_mixed() {
    let object = json!({"properties": {"y": {"type": "long"}}});
    table(
        object,
        &[json!({"y": 1}), json!([{"y": 1}, null, {}]), json!(null)],
        &[
            (
                json!("a"),
                "object mapping for [x] tried to parse field [x] as object, but found a concrete value",
            ),
            (json!([{"y": 1}, 2]), "concrete value"),
            (json!({"y": "a"}), "field [x.y]"),
        ],
    )
    .await;
    table(json!({"type": "object", "enabled": false}), &[json!("a"), json!({"y": [1, "b"]})], &[]).await;
    table(
        json!({"type": "flattened"}),
        &[json!({"y": [1, {"z": true}]})],
        &[(json!("a"), "expected an object")],
    )
    .await;
    table(json!({"type": "geo_shape"}), &[json!("anything")], &[]).await;
}

#[tokio::test]
async fn malformed_values_are_left_out_with_ignore_malformed() {
    for (name, bad) in [("long", "a"), ("double", "a"), ("date", "a"), ("ip", "a"), ("geo_point", "?")] {
        check(json!({"type": name, "ignore_malformed": true}), json!(bad), None).await;
    }
    let object = Some(("mapper_parsing_exception", "object"));
    check(json!({"type": "long", "ignore_malformed": true}), json!({"y": 1}), object).await;
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
        (json!({"other": null}), "dynamic introduction of [other] within [_doc]"),
        (json!({"inner": {"z": 1}}), "introduction of [z] within [inner]"),
        (json!({"inner.z": 1}), "introduction of [z] within [inner]"),
    ] {
        let outcome = write(&target, &[index("b", &source)]).await.remove(0);
        let Outcome::Rejected { error_type, reason } = outcome else { panic!("{source}: {outcome:?}") };
        assert_eq!(error_type, "strict_dynamic_mapping_exception");
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
        assert!(reason.contains(&format!("Duplicate field '{name}'")), "{source}: {reason}");
    }
    put(&target, "a", &json!({"n": 1, "form": {"n": 2}, "off": [{"n": 3}, {"n": 3}]})).await;
}
