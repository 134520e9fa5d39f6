//! One document for each rule of the transforms and filters of cases, forms and users.

use pillowtop::Verdict;
use serde_json::{Value, json};

use crate::{indexed, pillow, process, with};

fn case(changes: Value) -> Value {
    with(
        json!({"_id": "c", "_rev": "1-a", "doc_type": "CommCareCase", "domain": "d", "type": "person"}),
        changes,
    )
}

fn form(changes: Value) -> Value {
    let base = json!({"_id": "f", "doc_type": "XFormInstance", "domain": "d", "xmlns": "x", "form": {"#type": "data"}});
    with(base, changes)
}

fn body(body: Value) -> Value {
    let mut document = form(json!({}));
    document["form"] = body;
    indexed(&document)["form"].take()
}

fn user(changes: Value) -> Value {
    with(json!({"_id": "u", "doc_type": "CommCareUser", "username": "ann@d.commcarehq.org"}), changes)
}

#[test]
fn a_case_without_an_owner_belongs_to_its_user() {
    for (given, owner) in [
        (json!({"owner_id": "o", "user_id": "u"}), json!("o")),
        (json!({"owner_id": "", "user_id": "u"}), json!("u")),
        (json!({"owner_id": null, "user_id": "u"}), json!("u")),
        (json!({"user_id": "u"}), json!("u")),
        (json!({}), Value::Null),
    ] {
        assert_eq!(indexed(&case(given.clone()))["owner_id"], owner, "{given}");
    }
}

#[test]
fn an_owners_type_is_what_its_id_tells() {
    for (owner, kind) in [
        ("system", json!("system")),
        ("demo_user", json!("demo")),
        ("commtrack-system", json!("supply")),
        ("", json!("unknown")),
        ("8c20fba6b49940888f1949cf64f53bec", Value::Null),
    ] {
        assert_eq!(indexed(&case(json!({ "owner_id": owner })))["owner_type"], kind, "{owner}");
        assert_eq!(body_user_type(owner), kind, "{owner}");
    }
}

fn body_user_type(user: &str) -> Value {
    indexed(&form(json!({"form": {"meta": {"userID": user}}})))["user_type"].take()
}

#[test]
fn a_case_is_kept_in_couch_by_default() {
    assert_eq!(indexed(&case(json!({})))["backend_id"], "couch");
    assert_eq!(indexed(&case(json!({"backend_id": "sql"})))["backend_id"], "sql");
}

#[test]
fn demo_cases_and_those_without_a_type_are_filtered() {
    for (changes, verdict) in [
        (json!({}), Verdict::Index),
        (json!({"domain": "demo"}), Verdict::Filtered),
        (json!({"type": null}), Verdict::Filtered),
        (json!({"domain": "demonstration"}), Verdict::Index),
    ] {
        assert_eq!(process(&case(changes.clone())).unwrap().0, verdict, "{changes}");
    }
}

#[test]
fn a_projects_own_properties_go_along_as_they_are_written() {
    let text = r#"{"_id":"c","_rev":"1-a","doc_type":"CommCareCase","domain":"d","type":"t","serial":12345678901234567890123,
        "actions":[{"updated_unknown_properties":{"weight": 6.50}}],"computed_":{"n":1e3},"ملاحظة":["a", 0.10]}"#;
    let mut source = Vec::new();
    let case = pillow("case");
    case.process(text, &crate::meta(&json!({"_id": "c", "_rev": "1-a"})), &mut source).unwrap();
    let source = String::from_utf8(source).unwrap();
    for kept in [
        r#""serial":12345678901234567890123"#,
        r#"{"weight": 6.50}"#,
        r#""computed_":{"n":1e3}"#,
        r#""ملاحظة":["a", 0.10]"#,
    ] {
        assert!(source.contains(kept), "{kept} in {source}");
    }
    assert!(source.ends_with(r#""pillowtop":{"id":"c","rev":"1-a","db":"commcarehq"}}"#), "{source}");
    assert!(!source.contains("_rev"), "{source}");
}

#[test]
fn a_form_is_dropped_without_a_project_or_a_body_and_when_it_is_a_phones_log() {
    for (changes, verdict) in [
        (json!({}), Verdict::Index),
        (json!({"domain": null}), Verdict::Dropped),
        (json!({"form": null}), Verdict::Dropped),
        (json!({"xmlns": "http://code.javarosa.org/devicereport"}), Verdict::Dropped),
        (json!({"xmlns": null}), Verdict::Index),
    ] {
        assert_eq!(process(&form(changes.clone())).unwrap().0, verdict, "{changes}");
    }
}

#[test]
fn a_forms_times_are_valid_or_null() {
    for (given, kept) in [
        (json!("2013-07-20T00:02:27.493000Z"), json!("2013-07-20T00:02:27.493000Z")),
        (json!("2013-07-20T00:02:27.4930001Z"), json!("2013-07-20T00:02:27.493000Z")),
        (json!("%(bp3_done)sT11:44:53Z"), Value::Null),
        (json!(""), Value::Null),
        (json!(1_374_278_547), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let meta = body(json!({"meta": {"timeStart": given, "timeEnd": given}}))["meta"].take();
        assert_eq!((&meta["timeStart"], &meta["timeEnd"]), (&kept, &kept), "{given}");
    }
    let received = indexed(&form(json!({"received_on": "2026-01-02T03:04:05.12345678Z"})));
    assert_eq!(received["received_on"], "2026-01-02T03:04:05.123456Z");
}

#[test]
fn the_version_of_an_application_is_its_text() {
    for (given, kept) in [
        (json!("2.0"), json!("2.0")),
        (json!({"@xmlns": "x", "#text": "2.0"}), json!("2.0")),
        (json!({"@xmlns": "x"}), Value::Null),
    ] {
        assert_eq!(body(json!({"meta": {"appVersion": given}}))["meta"]["appVersion"], kept, "{given}");
    }
}

#[test]
fn a_place_is_a_point_when_it_is_on_earth() {
    for (given, point) in [
        (json!("-1.2921 36.8219 1650 10"), json!("-1.2921,36.8219")),
        (json!({"#text": "1 2 0 0", "@xmlns": "x"}), json!("1,2")),
        (json!("91 0 0 0"), Value::Null),
        (json!("0 NaN"), Value::Null),
        (json!("here"), Value::Null),
        (json!(""), Value::Null),
    ] {
        let meta = body(json!({"meta": {"location": given}}))["meta"].take();
        assert_eq!(meta["geo_point"], point, "{given}");
        assert_eq!(meta["location"], given);
    }
}

#[test]
fn case_blocks_are_cleaned_wherever_they_stand() {
    let block = json!({
        "@case_id": "a", "@date_modified": "", "date_modified": "2013-07-20", "create": "", "update": {"x": "1"},
        "index": [], "other": "kept",
    });
    let clean = json!({
        "@case_id": "a", "@date_modified": null, "date_modified": "2013-07-20", "create": null, "update": {"x": "1"},
        "index": null, "other": "kept",
    });
    let source = body(
        json!({"case": block, "group": {"repeat": [{"case": [block, ""]}, {"case": {"case_id": "b", "date_modified": "soon"}}]}}),
    );
    assert_eq!(source["case"], json!([clean]));
    assert_eq!(source["group"]["repeat"], json!([{"case": [clean, ""]}, {"case": {"case_id": "b"}}]));
}

#[test]
fn the_cases_of_a_form_are_collected_once_each() {
    let tree = json!({
        "case": [{"@case_id": "b"}, {"@case_id": "a"}, {"case_type": "none"}],
        "child": {"case": {"case_id": "c", "nested": {"case": {"@case_id": "b"}}}}, "question": {"@case_id": "no"},
    });
    assert_eq!(indexed(&form(json!({ "form": tree })))["__retrieved_case_ids"], json!(["b", "a", "c"]));
}

#[test]
fn a_form_without_case_blocks_has_none() {
    for given in [json!({}), json!({"case": ""}), json!({"case": null}), json!({"case": ["", null]})] {
        assert_eq!(body(given.clone())["case"], json!([]), "{given}");
    }
}

#[test]
fn a_phone_users_short_name_is_what_stands_before_the_project() {
    for (changes, base) in [
        (json!({}), "ann"),
        (json!({"username": "ann"}), "ann"),
        (json!({"doc_type": "WebUser", "username": "ann@example.org"}), "ann@example.org"),
    ] {
        assert_eq!(indexed(&user(changes.clone()))["base_username"], base, "{changes}");
    }
}

#[test]
fn user_data_becomes_a_list_of_strings() {
    let source = indexed(&user(
        json!({"password": "secret", "user_data": {"a": "x", "b": 2.5, "c": null, "d": [1, true]}}),
    ));
    let expected = json!([{"key": "a", "value": "x"}, {"key": "b", "value": "2.5"}, {"key": "c", "value": ""}, {"key": "d", "value": "[1,true]"}]);
    assert_eq!(source["user_data_es"], expected);
    assert_eq!((source.get("user_data"), source.get("password")), (None, None));
    assert_eq!(indexed(&user(json!({})))["user_data_es"], json!([]));
}
