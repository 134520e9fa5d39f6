//! One document for each rule of the transforms and filters of projects, groups and applications.

use pillowtop::Verdict;
use serde_json::{Value, json};

use crate::{indexed, process, with};

fn project(changes: Value) -> Value {
    with(json!({"_id": "p", "doc_type": "Domain", "name": "riverside"}), changes)
}

fn application(changes: Value) -> Value {
    with(json!({"_id": "a", "doc_type": "Application", "domain": "riverside"}), changes)
}

#[test]
fn countries_are_indexed_by_their_names() {
    for (codes, names) in [
        (json!(["KE", "IN"]), json!(["KENYA", "INDIA"])),
        (json!(["CI"]), json!(["CÔTE D'IVOIRE"])),
        (json!(["TZ"]), json!(["TANZANIA (UNITED REPUBLIC OF)"])),
        (json!(["Zanzibar"]), json!(["ZANZIBAR"])),
        (json!([]), json!([])),
    ] {
        let source = indexed(&project(json!({"deployment": {"city": "c", "countries": codes}})));
        assert_eq!(source["deployment"]["countries"], names, "{codes}");
        assert_eq!(source["deployment"]["city"], "c");
    }
    assert_eq!(indexed(&project(json!({"deployment": null})))["deployment"], Value::Null);
}

#[test]
fn published_copies_are_not_projects() {
    for (changes, verdict) in [
        (json!({}), Verdict::Index),
        (json!({"is_snapshot": null}), Verdict::Index),
        (json!({"is_snapshot": false}), Verdict::Index),
        (json!({"is_snapshot": true}), Verdict::Filtered),
    ] {
        assert_eq!(process(&project(changes.clone())).unwrap().0, verdict, "{changes}");
    }
}

#[test]
fn what_a_project_says_of_itself_is_kept() {
    let given = json!({"is_test": true, "cp_n_forms": 3, "internal": {"goal_followup_rate": "0.75"}, "sms_languages": ["en"]});
    let source = indexed(&project(given));
    assert_eq!((&source["is_test"], &source["cp_n_forms"]), (&json!(true), &json!(3)));
    assert_eq!(source["internal"]["goal_followup_rate"], "0.75");
    assert_eq!(source["sms_languages"], json!(["en"]), "members without a name here are carried");
}

#[test]
fn strings_in_several_languages_become_a_list() {
    let forms = json!([{"name": {"hin": "भेंट", "en": "Visit", "fra": null}}]);
    let source = indexed(&application(json!({"modules": [{"name": {"en": "Mothers"}, "forms": forms}]})));
    let module = &source["modules"][0];
    assert_eq!(module["name"], json!([{"lang": "en", "text": "Mothers"}]));
    let texts = json!([{"lang": "en", "text": "Visit"}, {"lang": "hin", "text": "भेंट"}]);
    assert_eq!(module["forms"][0]["name"], texts);
    let nameless = indexed(&application(json!({"modules": [{"name": null}, {}]})));
    assert_eq!((&nameless["modules"][0]["name"], &nameless["modules"][1]["name"]), (&json!([]), &json!([])));
}

#[test]
fn builds_of_an_application_are_indexed_beside_it() {
    let source = indexed(&application(json!({"copy_of": "riverside-app", "is_released": true})));
    assert_eq!((&source["copy_of"], &source["is_released"]), (&json!("riverside-app"), &json!(true)));
}

#[test]
fn a_password_of_an_application_stays_where_it_is() {
    let source =
        indexed(&application(json!({"admin_password": "secret", "profile": {"properties": {"a-b": "1"}}})));
    assert_eq!(source.get("admin_password"), None);
    assert_eq!(source["profile"], json!({"properties": {"a-b": "1"}}));
}
