//! What each Rust type becomes without an attribute, and with parameters alone.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use pillowtop::definition::field_mapping;
use pillowtop::{CouchDocument, IndexField};
use serde::Serialize;
use serde_json::{Value, json};

fn check<Type: IndexField + ?Sized>(expected: &Value) {
    assert_eq!(field_mapping(&Type::FIELD), *expected, "{}", std::any::type_name::<Type>());
}

fn keyword() -> Value {
    json!({"type": "keyword", "ignore_above": 8191})
}

#[derive(Serialize, CouchDocument)]
enum Kind {
    Person,
    Household,
}

#[derive(Serialize, CouchDocument)]
struct Place {
    name: String,
}

#[test]
fn strings_are_keywords_of_bounded_length() {
    check::<String>(&keyword());
    check::<&str>(&keyword());
    check::<Cow<'static, str>>(&keyword());
    check::<Box<str>>(&keyword());
    check::<Arc<str>>(&keyword());
    check::<char>(&keyword());
    check::<uuid::Uuid>(&keyword());
    check::<Kind>(&keyword());
    let all = [Kind::Person, Kind::Household];
    assert_eq!(serde_json::to_value(all).unwrap(), json!(["Person", "Household"]));
}

#[test]
fn numbers_are_of_the_smallest_type_that_holds_them() {
    check::<bool>(&json!({"type": "boolean"}));
    check::<i8>(&json!({"type": "byte"}));
    check::<i16>(&json!({"type": "short"}));
    check::<u8>(&json!({"type": "short"}));
    check::<i32>(&json!({"type": "integer"}));
    check::<u16>(&json!({"type": "integer"}));
    check::<i64>(&json!({"type": "long"}));
    check::<u32>(&json!({"type": "long"}));
    check::<u64>(&json!({"type": "unsigned_long"}));
    check::<f32>(&json!({"type": "float"}));
    check::<f64>(&json!({"type": "double"}));
    check::<IpAddr>(&json!({"type": "ip"}));
    check::<Ipv4Addr>(&json!({"type": "ip"}));
}

#[test]
fn dates_have_the_format_that_serde_writes() {
    let instant = json!({"type": "date", "format": "strict_date_optional_time_nanos"});
    check::<chrono::DateTime<chrono::Utc>>(&instant);
    check::<chrono::NaiveDateTime>(&instant);
    check::<chrono::NaiveDate>(&json!({"type": "date", "format": "strict_date"}));
}

#[cfg(feature = "jiff")]
#[test]
fn jiffs_dates_have_the_same_formats() {
    let instant = json!({"type": "date", "format": "strict_date_optional_time_nanos"});
    check::<jiff::Timestamp>(&instant);
    check::<jiff::civil::DateTime>(&instant);
    check::<jiff::civil::Date>(&json!({"type": "date", "format": "strict_date"}));
}

#[test]
fn containers_are_mapped_as_what_they_hold() {
    check::<Option<Vec<i64>>>(&json!({"type": "long"}));
    check::<[f32; 3]>(&json!({"type": "float"}));
    check::<Option<Box<bool>>>(&json!({"type": "boolean"}));
    check::<HashSet<String>>(&keyword());
    check::<Option<BTreeSet<Arc<str>>>>(&keyword());
    check::<Vec<Place>>(&json!({"type": "object", "properties": {"name": keyword()}}));
}

/// With parameters alone the macro takes the default from a type's name, so both must say the same.
#[derive(Serialize, CouchDocument)]
struct ParametersAlone<'a> {
    #[es(store = true)]
    text: Option<String>,
    #[es(store = true)]
    cow: Cow<'a, str>,
    #[es(store = true)]
    truth: bool,
    #[es(store = true)]
    byte: i8,
    #[es(store = true)]
    short: Vec<u8>,
    #[es(store = true)]
    integer: u16,
    #[es(store = true)]
    long: u32,
    #[es(store = true)]
    longer: i64,
    #[es(store = true)]
    float: f32,
    #[es(store = true)]
    double: f64,
    #[es(store = true)]
    address: IpAddr,
    #[es(store = true)]
    id: uuid::Uuid,
    #[es(store = true)]
    at: chrono::DateTime<chrono::Utc>,
    #[es(store = true)]
    day: chrono::NaiveDate,
}

#[derive(Serialize, CouchDocument)]
struct Plain<'a> {
    text: Option<String>,
    cow: Cow<'a, str>,
    truth: bool,
    byte: i8,
    short: Vec<u8>,
    integer: u16,
    long: u32,
    longer: i64,
    float: f32,
    double: f64,
    address: IpAddr,
    id: uuid::Uuid,
    at: chrono::DateTime<chrono::Utc>,
    day: chrono::NaiveDate,
}

#[test]
fn parameters_alone_add_to_the_default() {
    let mut plain = field_mapping(&Plain::FIELD);
    for property in plain["properties"].as_object_mut().unwrap().values_mut() {
        property["store"] = json!(true);
    }
    assert_eq!(field_mapping(&ParametersAlone::FIELD), plain);
}

#[test]
fn an_explicit_parameter_comes_before_its_default() {
    #[derive(Serialize, CouchDocument)]
    struct Short {
        #[es(ignore_above = 100)]
        name: String,
        #[es(keyword)]
        exact: String,
    }
    let expected = json!({"name": {"type": "keyword", "ignore_above": 100}, "exact": {"type": "keyword"}});
    assert_eq!(field_mapping(&Short::FIELD)["properties"], expected);
}
