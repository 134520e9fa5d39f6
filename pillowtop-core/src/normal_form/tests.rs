//! Two spellings of a mapping have one normal form; what is old is reported.

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(mapping: &Value, expected: &Value) -> Vec<String> {
    let form = normal_form(mapping).unwrap();
    let mut root = form.mappings;
    for default in ["dynamic", "date_detection"] {
        if mapping.get(default).is_none() {
            assert_eq!(root.as_object_mut().unwrap().remove(default), Some(json!(true)));
        }
    }
    assert_eq!(&root, expected, "{mapping}");
    form.notes.iter().map(ToString::to_string).collect()
}

#[test]
fn spellings_are_one() {
    let mapping = json!({
        "dynamic": "false", "date_detection": "true", "_meta": {"pillowtop": {"hash": "x"}},
        "properties": {
            "inner": {"dynamic": "true", "properties": {"a": {"type": "keyword", "ignore_above": "256", "copy_to": ["all"]}}},
            "empty": {"type": "object", "properties": {}},
            "long": {"type": "keyword", "ignore_above": 256.0},
            "inner.b": {"type": "long", "null_value": null},
            "pillowtop": crate::definition::reserved_properties(&Map::new())["pillowtop"],
            "kin": {"type": "join", "relations": {"parent": ["child"]}},
        },
    });
    let notes = check(
        &mapping,
        &json!({"dynamic": false, "date_detection": true, "properties": {
            "inner": {"type": "object", "dynamic": true, "properties": {
                "a": {"type": "keyword", "ignore_above": 256, "copy_to": ["all"]}, "b": {"type": "long"}}},
            "empty": {"type": "object"},
            "long": {"type": "keyword", "ignore_above": 256},
            "kin": {"type": "join", "relations": {"parent": ["child"]}},
        }}),
    );
    assert!(notes.is_empty(), "{notes:?}");
    assert!(normal_form(&json!({"properties": {"a": {"type": "long"}, "a.b": {"type": "long"}}})).is_err());
    assert!(normal_form(&json!({"properties": {"a": 1}})).unwrap_err().contains("`a`"));
    let flat = json!({"subobjects": false, "properties": {"a.b": {"type": "long"}, "a": {"type": "long"}}});
    check(&flat, &flat);
    let mut with_reserved = flat.clone();
    let reserved = crate::definition::reserved_properties(flat.as_object().unwrap());
    with_reserved["properties"].as_object_mut().unwrap().extend(reserved);
    assert_eq!(with_reserved["properties"]["pillowtop.id"], json!({"type": "keyword"}));
    assert_eq!(check(&with_reserved, &flat), Vec::<String>::new());
    with_reserved["properties"]["pillowtop.id"] = json!({"type": "long"});
    assert_eq!(check(&with_reserved, &flat).len(), 1);
}

#[test]
fn the_old_is_reported() {
    let notes = check(
        &json!({"_all": {"enabled": false}, "_routing": {"required": true, "path": "a"}, "properties": {
            "name": {"type": "string", "index": "not_analyzed", "include_in_all": false, "norms": {"enabled": false}},
            "both": {"type": "multi_field", "fields": {
                "both": {"type": "string", "index_analyzer": "comma"}, "exact": {"type": "string", "index": "not_analyzed"}}},
            "kept": {"type": "integer", "index": "no", "store": "yes"},
            "file": {"type": "attachment"},
        }}),
        &json!({"_routing": {"required": true}, "properties": {
            "name": {"type": "keyword", "norms": false},
            "both": {"type": "text", "analyzer": "comma", "fields": {"exact": {"type": "keyword"}}},
            "kept": {"type": "integer", "index": false, "store": true},
        }}),
    );
    let all = notes.join("\n");
    for expected in [
        "`_all`: left out",
        "`path` of `_routing`: left out",
        "name: `include_in_all`: left out",
        "file: the type `attachment`",
        "kept: `index: no`",
    ] {
        assert!(all.contains(expected), "{expected}: {all}");
    }
}

#[test]
fn a_server_may_drop_and_add_defaults() {
    let wanted = json!({"dynamic": "strict", "properties": {
        "a": {"type": "text", "norms": true}, "b": {"type": "flattened"}, "c": {"type": "scaled_float", "scaling_factor": 100}}});
    let live = json!({"dynamic": "strict", "properties": {
        "a": {"type": "text"}, "b": {"type": "flat_object"}, "c": {"type": "scaled_float", "scaling_factor": 100.0}}});
    assert_eq!(differences(&wanted, &live), Ok(Vec::new()));
    let script = |script: Value| {
        json!({"runtime": {"day": {"type": "keyword", "script": script}}, "properties": {
        "hour": {"type": "long", "script": script}}})
    };
    let whole = script(json!({"lang": "painless", "source": "emit(1)"}));
    assert_eq!(differences(&script(json!("emit(1)")), &whole), Ok(Vec::new()));
    assert_eq!(differences(&script(json!("emit(2)")), &whole).unwrap().len(), 2);
    let other = json!({"properties": {"a": {"type": "text", "norms": false}, "d": {"type": "long"}}});
    let all = differences(&wanted, &other).unwrap();
    assert_eq!(all.len(), 5, "{all:#?}");
}

#[test]
fn only_missing_fields_and_other_types_are_missing() {
    let wanted = json!({"properties": {
        "name": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
        "inner": {"type": "object", "properties": {"at": {"type": "date", "format": "x"}}},
        "gone": {"type": "long"},
    }});
    let live = json!({"properties": {
        "name": {"type": "text", "fields": {"exact": {"type": "wildcard"}}},
        "inner": {"properties": {"at": {"type": "date"}, "more": {"type": "long"}}},
    }});
    let mut paths = missing_fields(&wanted, &live);
    paths.sort();
    assert_eq!(paths, ["gone", "name.exact"]);
    assert!(missing_fields(&wanted, &wanted).is_empty());
}
