//! One document for each rule by which a case can be searched.

use pillowtop::Verdict;
use serde_json::{Value, json};

use crate::{pillow, process_by, with};

fn case(changes: Value) -> Value {
    let base = json!({
        "_id": "c", "_rev": "1-a", "doc_type": "CommCareCase", "domain": "riverside-clinics", "type": "person", "name": "Ann",
        "opened_on": "2024-01-08T08:00:00Z", "server_modified_on": "2024-01-09T08:00:00Z",
    });
    with(base, changes)
}

fn searched(changes: Value) -> (Verdict, Value) {
    process_by(pillow("case_search").as_ref(), &case(changes)).unwrap()
}

fn properties(changes: Value) -> Vec<Value> {
    let (verdict, mut source) = searched(changes);
    assert_eq!(verdict, Verdict::Index);
    source["case_properties"].as_array_mut().unwrap().drain(..).collect()
}

fn property(changes: Value, key: &str) -> Option<Value> {
    properties(changes).into_iter().find(|property| property["key"] == key)
}

#[test]
fn only_the_projects_that_asked_for_it_are_searched() {
    for (changes, verdict) in [
        (json!({}), Verdict::Index),
        (json!({"domain": "care-bihar"}), Verdict::Index),
        (json!({"domain": "wells"}), Verdict::Filtered),
        // No condition of the pillow `case` holds here.
        (json!({"type": null}), Verdict::Index),
    ] {
        assert_eq!(searched(changes.clone()).0, verdict, "{changes}");
    }
}

#[test]
fn every_case_has_the_special_properties() {
    let expected = json!([
        {"key": "@case_id", "value": "c"}, {"key": "@case_type", "value": "person"}, {"key": "@owner_id", "value": null},
        {"key": "@status", "value": "open"}, {"key": "name", "value": "Ann"}, {"key": "case_name", "value": "Ann"},
        {"key": "external_id", "value": null}, {"key": "date_opened", "value": "2024-01-08T08:00:00Z"},
        {"key": "closed_on", "value": null}, {"key": "last_modified", "value": null},
    ]);
    assert_eq!(Value::from(properties(json!({}))), expected);
    assert_eq!(property(json!({"closed": true}), "@status").unwrap()["value"], "closed");
}

#[test]
fn values_that_are_not_strings_become_strings() {
    for (given, kept) in [
        (json!("12"), "12"),
        (json!(12.5), "12.5"),
        (json!(true), "true"),
        (json!(null), ""),
        (json!(["a", 1]), r#"["a",1]"#),
        (json!({"a": {}}), r#"{"a":{}}"#),
    ] {
        assert_eq!(property(json!({"weight": given}), "weight").unwrap()["value"], kept, "{given}");
    }
}

#[test]
fn what_commcare_writes_itself_is_not_a_property() {
    let given = json!({
        "actions": [], "xform_ids": ["f"], "computed_": {}, "#export_tag": ["type"], "_attachments": {}, "location_id": "l",
        "contact_phone_number": "254",
    });
    let made_up = properties(given).split_off(10);
    assert_eq!(made_up, [json!({"key": "contact_phone_number", "value": "254"})]);
}

#[test]
fn a_place_is_a_point_too() {
    for (key, given, point) in [
        ("gps_point", "-1.2921 36.8219 1650 10", json!("-1.2921,36.8219")),
        ("gps_point", "here", Value::Null),
        ("gps_point", "", Value::Null),
        ("elsewhere", "1 2 0 0", Value::Null),
    ] {
        let property = property(json!({ key: given }), key).unwrap();
        assert_eq!(property.get("geopoint_value").cloned().unwrap_or_default(), point, "{key}: {given}");
        assert_eq!(property["value"], given);
    }
}

#[test]
fn a_reference_says_how_the_cases_belong_together() {
    let reference = json!({
        "doc_type": "CommCareCaseIndex", "identifier": "parent", "referenced_type": "mother", "referenced_id": "m",
        "relationship": "child",
    });
    assert_eq!(searched(json!({"indices": [reference]})).1["indices"], json!([reference]));
}

#[test]
fn the_time_of_indexing_is_that_of_the_change() {
    assert_eq!(searched(json!({})).1["@indexed_on"], "2024-01-09T08:00:00Z");
    assert_eq!(searched(json!({})), searched(json!({})));
}
