//! The applications of the story: what the clinic's phones run, and the builds of it.

use serde_json::{Value, json};

use super::generator::{Generator, Moment};
use super::story::{Outcome, Story};
use super::{APP, DOMAIN};

/// Lets the clinic's application be written and built twice, and one come from elsewhere.
pub(super) fn build(story: &mut Story, generator: &mut Generator) -> Value {
    let mut application = application(generator);
    application["_id"] = json!("riverside-mother-and-child");
    story.save(APP, Outcome::Indexed, application.clone());
    for version in [20, 24] {
        application["version"] = json!(version);
        story.save(APP, Outcome::Indexed, application.clone());
        story.save(APP, Outcome::Indexed, copy(&application, version));
    }
    let remote = json!({
        "_id": generator.id(), "doc_type": "RemoteApp", "domain": DOMAIN, "name": "Vaccine stock", "version": 3,
        "profile_url": "https://apps.example.org/stock/profile.xml", "langs": ["en"], "build_langs": ["en"], "copy_of": null,
        "secure_submissions": false, "admin_password": "sha1$never$indexed",
    });
    story.save(APP, Outcome::Indexed, remote);
    application
}

/// Lets a draft be thrown away, and one that is not an application at all.
pub(super) fn change(story: &mut Story, generator: &mut Generator, mut application: Value) {
    application["description"] = json!("मातृ एवं शिशु स्वास्थ्य");
    application["version"] = json!(25);
    story.save(APP, Outcome::Indexed, application.clone());

    application["_id"] = json!(generator.id());
    application["name"] = json!("Draft");
    story.save(APP, Outcome::Indexed, application.clone());
    application["doc_type"] = json!("Application-Deleted");
    story.save(APP, Outcome::Absent, application.clone());

    application["_id"] = json!(generator.id());
    application["doc_type"] = json!("Application");
    application["modules"] = json!("none yet");
    story.save(APP, Outcome::Undecodable, application);
}

/// A build: the application as it was, by another id.
fn copy(application: &Value, version: u32) -> Value {
    let built = Moment::START.plus(version * 3_600);
    let mut build = application.clone();
    build["_id"] = json!(format!("build-{version}"));
    build["copy_of"] = application["_id"].clone();
    build["built_on"] = json!(built.fine());
    build["is_released"] = json!(version == 24);
    build["build_comment"] = json!("with the form that closes a case");
    build["built_with"] = json!({
        "doc_type": "BuildRecord", "version": "2.53.1", "build_number": version, "latest": true, "signed": true,
        "datetime": built.fine(),
    });
    build
}

fn application(generator: &mut Generator) -> Value {
    let registration = form(
        generator,
        &json!({"en": "Registration", "hin": "पंजीकरण", "ara": "تسجيل"}),
        "http://openrosa.org/formdesigner/riverside-registration",
        &json!({
            "doc_type": "FormActions",
            "open_case": {
                "doc_type": "OpenCaseAction", "condition": always(), "name_path": "/data/name", "external_id": null,
            },
            "update_case": {
                "doc_type": "UpdateCaseAction", "condition": always(),
                "update": {"village": "/data/village", "edd": "/data/edd"},
            },
            "subcases": [{
                "doc_type": "OpenSubCaseAction", "case_type": "child", "case_name": "/data/child/name",
                "condition": when("/data/has_child", "yes"), "reference_id": "parent", "relationship": "child",
                "repeat_context": "/data/child", "case_properties": {"dob": "/data/child/dob"}, "close_condition": never(),
            }],
        }),
    );
    let visit = form(
        generator,
        &json!({"en": "Home visit", "hin": "गृह भेंट", "ara": "زيارة منزلية"}),
        "http://openrosa.org/formdesigner/riverside-visit",
        &json!({
            "doc_type": "FormActions",
            "case_preload": {"doc_type": "PreloadAction", "condition": always(), "preload": {"/data/edd": "edd"}},
            "close_case": {"doc_type": "FormAction", "condition": when("/data/moved_away", "yes")},
        }),
    );
    json!({
        "doc_type": "Application", "domain": DOMAIN, "name": "Mother and Child", "version": 1, "copy_of": null,
        "copy_history": [], "langs": ["en", "hin", "ara"], "build_langs": ["en", "hin", "ara"],
        "application_version": "2.0", "platform": "nokia/s40", "cloudcare_enabled": true, "case_sharing": true,
        "secure_submissions": true, "admin_password": "sha1$never$indexed", "date_created": Moment::START.fine(),
        "deployment_date": null, "minimum_use_threshold": "15", "amplifies_workers": "yes", "amplifies_project": "not_set",
        "build_spec": {"doc_type": "BuildSpec", "version": "2.53.1", "build_number": null, "latest": true},
        "profile": {"properties": {"cc-send-procedure": "cc-send-http", "purge-freq": "0"}, "features": {"users": "true"}},
        "translations": {"en": {"home.start": "Start"}, "hin": {"home.start": "शुरू"}}, "multimedia_map": {},
        "modules": [{
            "doc_type": "Module", "unique_id": generator.id(), "name": {"en": "Mothers", "hin": "माताएँ"},
            "case_type": "pregnancy", "module_type": "basic", "put_in_root": false, "forms": [registration, visit],
            "case_label": {"en": "Pregnancies"}, "case_details": {
                "doc_type": "DetailPair", "short": detail("short", "name"), "long": detail("long", "edd"),
            },
            "case_list": {"doc_type": "CaseList", "show": true, "label": {"en": "All mothers"}},
            "parent_select": {"doc_type": "ParentSelect", "active": false, "relationship": "parent", "module_id": null},
        }],
    })
}

fn form(generator: &mut Generator, name: &Value, xmlns: &str, actions: &Value) -> Value {
    json!({
        "doc_type": "Form", "unique_id": generator.id(), "name": name, "xmlns": xmlns, "version": null, "requires": "case",
        "form_type": "module_form", "post_form_workflow": "default", "show_count": false, "actions": actions,
    })
}

fn detail(display: &str, field: &str) -> Value {
    json!({
        "doc_type": "Detail", "display": display, "sort_elements": [
            {"doc_type": "SortElement", "field": field, "type": "plain", "direction": "ascending"},
        ],
        "columns": [{
            "doc_type": "DetailColumn", "header": {"en": "Name", "hin": "नाम"}, "model": "case", "field": field,
            "format": "plain", "late_flag": 30, "time_ago_interval": 365.25, "calc_xpath": ".", "filter_xpath": "",
            "enum": [{"doc_type": "MappingItem", "key": "yes", "value": {"en": "Yes", "hin": "हाँ"}}],
        }],
    })
}

fn always() -> Value {
    json!({"doc_type": "FormActionCondition", "type": "always", "question": null, "answer": null, "operator": null})
}

fn never() -> Value {
    json!({"doc_type": "FormActionCondition", "type": "never", "question": null, "answer": null, "operator": "="})
}

fn when(question: &str, answer: &str) -> Value {
    json!({"doc_type": "FormActionCondition", "type": "if", "question": question, "answer": answer, "operator": "="})
}
