//! HQ's conventions on structs of another crate, against what `dynamic.py` made of the same
//! properties.

use chrono::{DateTime, NaiveDate, Utc};
use commcare::value::HqDate;
use pillowtop::CouchDocument;
use pillowtop::definition::root_mapping;
use serde_json::{Map, Value, json};

/// Written by its crate as a string.
#[expect(dead_code, reason = "mapped, not made")]
struct Decimal(String);

#[expect(dead_code, reason = "mapped, not made")]
#[derive(CouchDocument)]
#[es(rules = commcare::rules)]
struct Sample {
    domain: String,
    name: Option<String>,
    project_type: Option<String>,
    plain: Option<String>,
    tags: Vec<String>,
    is_active: bool,
    number: Option<i32>,
    share: f64,
    price: Option<Decimal>,
    at: DateTime<Utc>,
    day: Option<NaiveDate>,
    hq_day: Option<HqDate>,
    settings: Map<String, Value>,
    any: Value,
    computed_: Option<Value>,
    actions: Vec<Part>,
    deployment: Part,
    #[es(dynamic = true)]
    profile: Part,
}

#[expect(dead_code, reason = "mapped, not made")]
#[derive(CouchDocument)]
#[es(rules = commcare::rules)]
struct Part {
    date: Option<HqDate>,
    title: String,
}

#[test]
fn they_map_what_dynamic_py_did() {
    let dual = json!({"type": "text", "fields": {"exact": {"type": "keyword", "ignore_above": 8191}}});
    let mapping = root_mapping(Sample::MAPPING);
    let date = mapping["properties"]["day"].clone();
    assert!(
        date["format"]
            .as_str()
            .is_some_and(|format| format.starts_with("yyyy-MM-dd||yyyy-MM-dd'T'HH:mm:ssZZ||"))
    );
    let keyword = json!({"type": "keyword", "ignore_above": 8191});
    let part = json!({"date": date, "title": dual});
    for (name, expected) in [
        ("domain", dual.clone()),
        ("name", dual),
        ("project_type", json!({"type": "text", "analyzer": "comma"})),
        ("plain", keyword.clone()),
        ("tags", keyword),
        ("is_active", json!({"type": "boolean"})),
        ("number", json!({"type": "long"})),
        ("share", json!({"type": "float"})),
        ("price", json!({"type": "double"})),
        ("at", date.clone()),
        ("hq_day", date),
        ("settings", json!({"type": "object", "dynamic": false})),
        ("any", json!({"type": "object", "dynamic": false})),
        ("computed_", json!({"type": "object", "enabled": false})),
        ("actions", json!({"type": "nested", "dynamic": false, "properties": part})),
        ("deployment", json!({"type": "object", "dynamic": false, "properties": part})),
        ("profile", json!({"type": "object", "dynamic": true, "properties": part})),
    ] {
        assert_eq!(mapping["properties"][name], expected, "{name}");
    }
    assert_eq!((&mapping["dynamic"], &mapping["date_detection"]), (&json!(false), &json!(false)));
}
