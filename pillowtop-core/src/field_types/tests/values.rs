//! Values that parameters take and do not take, and what is declared of them.

use serde_json::{Value, json};

use super::super::{field_type, root_parameter};

fn check(of_type: &str, parameter: &str, value: &Value) -> Result<(), String> {
    field_type(of_type).unwrap().parameter(parameter).unwrap().check(value)
}

#[test]
fn fitting_values_pass() {
    for (of_type, parameter, value) in [
        ("keyword", "ignore_above", json!(256)),
        ("keyword", "ignore_above", json!("256")),
        ("keyword", "ignore_above", json!(256.0)),
        ("keyword", "null_value", Value::Null),
        ("keyword", "doc_values", json!("false")),
        ("scaled_float", "scaling_factor", json!(0.01)),
        ("unsigned_long", "null_value", json!(u64::MAX)),
        ("byte", "null_value", json!(-128)),
        ("date", "format", json!("yyyy-MM-dd'T'HH:mm:ssZ||epoch_millis")),
        ("date", "null_value", json!(0)),
        ("ip", "null_value", json!("::1")),
        ("text", "copy_to", json!("everything")),
        ("text", "copy_to", json!(["a.b", "c"])),
        ("text", "fields", json!({"exact": {"type": "keyword"}})),
        ("text", "index_prefixes", json!({"min_chars": 1, "max_chars": 10})),
        ("text", "index_prefixes", json!({})),
        ("text", "meta", json!({"unit": "ms"})),
        ("geo_point", "null_value", json!({"lat": 41.12, "lon": -71.34})),
        ("geo_point", "null_value", json!([-71.34, 41.12])),
        ("geo_point", "null_value", json!("drm3btev3e86")),
        ("point", "null_value", json!({"x": 1, "y": 2})),
        ("join", "relations", json!({"question": ["answer", "comment"], "answer": "vote"})),
        ("dense_vector", "dims", json!(4096)),
        ("dense_vector", "index_options", json!({"type": "int8_hnsw", "m": 32, "ef_construction": 100})),
        ("completion", "contexts", json!([{"name": "place", "type": "geo", "precision": 4}])),
        ("completion", "contexts", json!({"name": "kind", "type": "category", "path": "kind"})),
        ("object", "dynamic", json!("runtime")),
        ("object", "dynamic", json!(false)),
        ("long", "script", json!({"source": "emit(1)"})),
        ("aggregate_metric_double", "metrics", json!(["min", "max"])),
        ("tdigest", "compression", json!(100)),
        ("semantic", "chunking", json!([{"algorithm": "delimiter"}])),
    ] {
        assert_eq!(check(of_type, parameter, &value), Ok(()), "{of_type}.{parameter} = {value}");
    }
}

#[test]
fn unfit_values_are_named() {
    for (of_type, parameter, value, message) in [
        ("keyword", "ignore_above", json!(-1), "expects a whole number from 0 to 2147483647, found `-1`"),
        ("keyword", "ignore_above", json!(2.5), "expects a whole number from 0 to 2147483647, found `2.5`"),
        (
            "keyword",
            "ignore_above",
            json!("many"),
            "expects a whole number from 0 to 2147483647, found `\"many\"`",
        ),
        ("keyword", "index", json!(1), "expects true or false, found `1`"),
        ("keyword", "index", Value::Null, "expects true or false, found `null`"),
        ("keyword", "index_options", json!("positions"), "expects `docs` or `freqs`, found `\"positions\"`"),
        ("dense_vector", "dims", json!(4097), "expects a whole number from 1 to 4096, found `4097`"),
        ("scaled_float", "scaling_factor", json!(0), "expects a number greater than 0, found `0`"),
        ("byte", "null_value", json!(128), "expects a whole number from -128 to 127, found `128`"),
        (
            "unsigned_long",
            "null_value",
            json!(-1),
            "expects a whole number from 0 to 18446744073709551615, found `-1`",
        ),
        (
            "date",
            "format",
            json!("yyyy||"),
            "expects a date format such as `strict_date_optional_time||epoch_millis`, found `\"yyyy||\"`",
        ),
        (
            "ip",
            "null_value",
            json!("localhost"),
            "expects an IP address such as `192.168.0.1` or `::1`, found `\"localhost\"`",
        ),
        ("tdigest", "digest_type", json!("fast"), "expects `default` or `high_accuracy`, found `\"fast\"`"),
        (
            "aggregate_metric_double",
            "metrics",
            json!([]),
            "expects a list of `min`, `max`, `sum` or `value_count`, found `[]`",
        ),
        ("text", "analyzer", json!(""), "expects the name of an analyzer, found `\"\"`"),
        (
            "text",
            "index_prefixes",
            json!({"min_char": 1}),
            "expects an object with `min_chars` or `max_chars`, found the member `min_char` (did you mean `min_chars`?)",
        ),
        (
            "text",
            "index_prefixes",
            json!({"min_chars": 0}),
            "member `min_chars` expects a whole number from 1 to 19, found `0`",
        ),
        ("dense_vector", "index_options", json!({"m": 16}), "expects a member `type`"),
        (
            "object",
            "dynamic",
            json!("static"),
            "expects true, false, `strict`, `runtime`, `strict_allow_templates` or `false_allow_templates`, found `\"static\"`",
        ),
        (
            "join",
            "relations",
            json!({"question": 1}),
            "expects an object from parent to child such as {\"question\": [\"answer\"]}, found `{\"question\":1}`",
        ),
        (
            "text",
            "meta",
            json!({"unit": 1}),
            "expects an object of at most 5 strings, with names of at most 20 characters, found `{\"unit\":1}`",
        ),
    ] {
        assert_eq!(check(of_type, parameter, &value), Err(message.to_owned()));
    }
}

#[test]
fn long_values_are_cut_in_messages() {
    let message = check("keyword", "index", &json!("ä".repeat(1000))).unwrap_err();
    assert!(message.chars().count() < 100 && message.ends_with("…`"), "{message}");
}

#[test]
fn root_parameters_are_checked() {
    for (name, value) in [
        ("_source", json!({"enabled": true, "excludes": ["secret.*"]})),
        ("_source", json!({"mode": "stored"})),
        ("_routing", json!({"required": true})),
        (
            "dynamic_templates",
            json!([{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}]),
        ),
        ("dynamic_date_formats", json!(["yyyy-MM-dd", "strict_date_time"])),
        ("runtime", json!({"day": {"type": "keyword", "script": "emit('x')"}})),
        ("_meta", json!({"anything": [1, 2]})),
        ("dynamic", json!("strict")),
    ] {
        assert_eq!(root_parameter(name).unwrap().check(&value), Ok(()), "{name} = {value}");
    }
    for (name, value) in [
        ("dynamic_date_formats", json!(["yyyy-MM-dd", "epoch_millis"])),
        ("_source", json!({"excludes": "secret.*"})),
        ("_source", json!(false)),
        ("_source", json!({"exclude": ["x"]})),
        ("_routing", json!({"required": "always"})),
        ("dynamic_templates", json!({"strings": {}})),
        ("dynamic_templates", json!([{"strings": {"matches": "*", "mapping": {}}}])),
        ("dynamic_templates", json!([{"a": {"mapping": {}}, "b": {"mapping": {}}}])),
        ("dynamic_templates", json!([{"strings": {"match": "*"}}])),
        ("runtime", json!({"day": {"script": "emit('x')"}})),
        ("date_detection", json!("no")),
    ] {
        assert!(root_parameter(name).unwrap().check(&value).is_err(), "{name} = {value}");
    }
}
