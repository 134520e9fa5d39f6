//! Rules: which of them holds for a field, what an attribute changes of it, and that they reach
//! other crates' structs.
#![allow(dead_code, reason = "the structs are mapped, not made")]

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use pillowtop::definition::{field_mapping, root_mapping};
use pillowtop::{CouchDocument, IndexField};
use serde_json::{Value, json};

pillowtop::rules! {
    /// Every kind of rule.
    pub(crate) rules {
        type Price | money::Amount => double;
        type HashMap<String, u8> => flattened;
        type Vec<u8> => binary;
        type (f64, f64) => geo_point;
        type Secret => skip;
        type Tagged => json = r#"{"type": "newer", "depth": 2}"#;
        named "actions" => nested, dynamic = false;
        named "computed_" | "referrals" => object, enabled = false;
        strings named "*_id" | "id" => keyword, ignore_above = 100;
        strings named "short_*" => ignore_above = 10;
        strings => text, analyzer = "english", fields(exact(keyword, ignore_above = 8191));
        dates => date, format = "yyyy-MM-dd||strict_date_optional_time";
        numbers named "*_count" => long;
        booleans => null_value = false;
        objects => dynamic = strict, enabled = true;
        root => dynamic = true, numeric_detection = true;
    }
}

struct Price;
struct Secret;
struct Tagged;

mod money {
    pub(crate) struct Amount;
}

struct Other;

impl IndexField for Other {
    const FIELD: pillowtop::Field = pillowtop::Field::leaf("version", &[]);
}

#[derive(CouchDocument)]
struct Action {
    date: NaiveDate,
}

#[derive(CouchDocument)]
#[es(dynamic = true)]
struct Open {
    a: bool,
}

fn properties<T: CouchDocument>() -> Value {
    root_mapping(T::MAPPING)["properties"].clone()
}

/// The mapping of one field, by its JSON name.
#[track_caller]
fn check<T: CouchDocument>(name: &str, expected: &Value) {
    assert_eq!(&properties::<T>()[name], expected, "{name}");
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct ByType<'a> {
    price: Option<Box<Price>>,
    amount: Vec<money::Amount>,
    bytes: Option<Vec<u8>>,
    map: HashMap<String, u8>,
    place: (f64, f64),
    secret: Vec<Secret>,
    tagged: Tagged,
    other: Other,
    nothing: (),
    text: &'a str,
    day: Option<NaiveDate>,
    at: DateTime<Utc>,
    number: u8,
}

#[test]
fn a_rule_for_a_type_holds_inside_what_holds_it() {
    let text = json!({"type": "text", "analyzer": "english",
        "fields": {"exact": {"type": "keyword", "ignore_above": 8191}}});
    let date = json!({"type": "date", "format": "yyyy-MM-dd||strict_date_optional_time"});
    for (name, expected) in [
        ("price", json!({"type": "double"})),
        ("amount", json!({"type": "double"})),
        ("bytes", json!({"type": "binary"})),
        ("map", json!({"type": "flattened"})),
        ("place", json!({"type": "geo_point"})),
        ("secret", Value::Null),
        ("tagged", json!({"type": "newer", "depth": 2})),
        ("other", json!({"type": "version"})),
        ("nothing", Value::Null),
        ("text", text),
        ("day", date.clone()),
        ("at", date),
        ("number", json!({"type": "short"})),
    ] {
        check::<ByType<'_>>(name, &expected);
    }
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct ByName {
    #[es(ignore_above = 5)]
    case_id: String,
    id: Option<String>,
    #[serde(rename = "user_id")]
    renamed: String,
    short_name: char,
    #[es(doc_values = false)]
    short_word: String,
    #[es(keyword)]
    said_id: String,
    visit_count: u8,
    actions: Vec<Action>,
    referrals: HashMap<u8, u8>,
    #[es(skip)]
    left_out: String,
    is_open: bool,
    inner: Option<Action>,
    #[es(dynamic = false)]
    changed: Action,
    open: Open,
    #[serde(with = "chrono::serde::ts_seconds")]
    #[es(long)]
    seconds: DateTime<Utc>,
}

#[test]
fn an_attribute_comes_before_a_rule_and_a_rule_before_a_default() {
    let date = json!({"date": {"type": "date", "format": "strict_date"}});
    for (name, expected) in [
        ("case_id", json!({"type": "keyword", "ignore_above": 5})),
        ("id", json!({"type": "keyword", "ignore_above": 100})),
        ("user_id", json!({"type": "keyword", "ignore_above": 100})),
        ("short_name", json!({"type": "keyword", "ignore_above": 10})),
        ("short_word", json!({"type": "keyword", "ignore_above": 10, "doc_values": false})),
        ("said_id", json!({"type": "keyword"})),
        ("visit_count", json!({"type": "long"})),
        ("actions", json!({"type": "nested", "dynamic": false, "properties": date})),
        ("referrals", json!({"type": "object", "enabled": false})),
        ("left_out", Value::Null),
        ("is_open", json!({"type": "boolean", "null_value": false})),
        ("inner", json!({"type": "object", "dynamic": "strict", "enabled": true, "properties": date})),
        ("changed", json!({"type": "object", "dynamic": false, "enabled": true, "properties": date})),
        // What a struct says itself comes before a rule, too.
        (
            "open",
            json!({"type": "object", "dynamic": true, "enabled": true,
            "properties": {"a": {"type": "boolean"}}}),
        ),
        ("seconds", json!({"type": "long"})),
    ] {
        check::<ByName>(name, &expected);
    }
}

#[derive(CouchDocument)]
#[es(rules = crate::rules, dynamic = strict)]
struct Root {
    inside: ByRoot,
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct ByRoot {
    id: u8,
}

#[test]
fn a_rule_for_the_root_holds_at_the_root_alone() {
    let inside = root_mapping(ByRoot::MAPPING);
    assert_eq!(inside["dynamic"], true);
    assert_eq!(inside["numeric_detection"], true);
    assert_eq!(inside["date_detection"], false);
    let root = root_mapping(Root::MAPPING);
    assert_eq!(root["dynamic"], "strict");
    assert_eq!(root["numeric_detection"], true);
    assert_eq!(root["properties"]["inside"]["dynamic"], "strict");
    assert_eq!(root["properties"]["inside"].get("numeric_detection"), None);
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct CaseName(String);

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct Tag<T: IndexField> {
    value: T,
}

#[test]
fn newtypes_and_generic_structs_have_rules() {
    assert_eq!(field_mapping(&CaseName::FIELD)["analyzer"], "english");
    check::<Tag<u8>>("value", &json!({"type": "short"}));
    check::<Tag<Action>>(
        "value",
        &json!({"type": "object", "dynamic": "strict", "enabled": true,
        "properties": {"date": {"type": "date", "format": "strict_date"}}}),
    );
}

/// The same mapping said by attributes.
#[derive(CouchDocument)]
#[es(dynamic = true, numeric_detection = true)]
struct Said {
    #[es(keyword, ignore_above = 100)]
    id: String,
    #[es(dynamic = strict, enabled = true)]
    inner: Action,
    #[es(enabled = true)]
    open: Open,
    #[es(nested, dynamic = false)]
    actions: Vec<Action>,
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct Ruled {
    id: String,
    inner: Action,
    open: Open,
    actions: Vec<Action>,
}

#[test]
fn a_mapping_has_one_fingerprint_however_it_is_written() {
    assert_eq!(root_mapping(Said::MAPPING), root_mapping(Ruled::MAPPING));
    assert_eq!(Said::MAPPING.root_hash(), Ruled::MAPPING.root_hash());
    assert_ne!(Root::MAPPING.root_hash(), ByRoot::MAPPING.root_hash());
}

#[test]
fn rules_stand_in_any_scope() {
    pillowtop::rules! {
        here {
            named "*" => keyword;
        }
    }
    #[derive(CouchDocument)]
    #[es(rules = here)]
    struct Local {
        size: usize,
    }
    check::<Local>("size", &json!({"type": "keyword"}));
}
