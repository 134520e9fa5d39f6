//! The projects of the story: the clinic's own, and those that share its server.

use serde_json::{Value, json};

use super::generator::{Generator, Moment};
use super::story::{Outcome, Story};
use super::{DOMAIN, PROJECT};

/// Lets the projects begin: four that live on, one that is a published copy, one that lost its name
/// to another.
pub(super) fn begin(story: &mut Story, generator: &mut Generator) {
    let mut clinic = project(generator, DOMAIN, "Riverside Clinics");
    clinic["deployment"]["countries"] = json!(["KE", "TZ"]);
    clinic["deployment"]["city"] = json!("Kisumu Ndogo");
    clinic["project_type"] = json!("Maternal Health, Child Health , nutrition");
    clinic["internal"]["initiative"] = json!(["mothers first", "Open Source"]);
    clinic["case_sharing"] = json!(true);
    story.save(PROJECT, Outcome::Indexed, clinic);
    for (name, title, country) in [
        ("demo", "Try it out", "US"),
        ("school-meals", "Repas scolaires", "CI"),
        ("wells", "चापाकल | Handpumps", "IN"),
    ] {
        let mut document = project(generator, name, title);
        document["deployment"]["countries"] = json!([country]);
        document["is_test"] = if name == "demo" { json!(true) } else { json!("none") };
        story.save(PROJECT, Outcome::Indexed, document);
    }

    let mut snapshot = project(generator, "riverside-clinics-published", "Riverside Clinics");
    snapshot["is_snapshot"] = json!(true);
    snapshot["snapshot_time"] = json!(Moment::START.fine());
    snapshot["copy_history"] = json!([DOMAIN]);
    story.save(PROJECT, Outcome::Absent, snapshot);

    let mut duplicate = project(generator, "wells", "Wells");
    story.save(PROJECT, Outcome::Indexed, duplicate.clone());
    duplicate["doc_type"] = json!("Domain-DUPLICATE");
    story.save(PROJECT, Outcome::Absent, duplicate);
}

/// Lets one project come, be counted, and one go.
pub(super) fn change(story: &mut Story, generator: &mut Generator) {
    let mut late = project(generator, "late-comers", "Late Comers");
    story.save(PROJECT, Outcome::Indexed, late.clone());
    for (count, value) in [("cp_n_forms", 3), ("cp_n_cases", 2), ("cp_n_web_users", 1), ("cp_n_cc_users", 4)]
    {
        late[count] = json!(value);
    }
    late["cp_is_active"] = json!(true);
    late["cp_last_form"] = json!(Moment::START.plus(9_000_000).fine());
    late["cp_last_updated"] = json!(Moment::START.plus(9_050_000).fine());
    story.save(PROJECT, Outcome::Indexed, late);

    let mut gone = project(generator, "gone", "Gone");
    gone["doc_type"] = json!("Domain-Deleted");
    story.save(PROJECT, Outcome::Absent, gone);
}

/// A project as its founder leaves it.
pub(super) fn project(generator: &mut Generator, name: &str, title: &str) -> Value {
    json!({
        "_id": generator.id(), "doc_type": "Domain", "name": name, "hr_name": title, "is_active": true, "is_snapshot": false,
        "is_test": "none", "date_created": Moment::START.fine(), "last_modified": Moment::START.plus(60).fine(),
        "creating_user": "supervisor@riverside.example.org", "default_timezone": "Africa/Nairobi", "copy_history": [],
        "project_type": null, "organization": null, "case_sharing": false, "secure_submissions": true,
        "commtrack_enabled": false, "restrict_superusers": false, "hipaa_compliant": false, "yt_id": null,
        "short_description": null, "description": null, "title": title, "author": null, "license": "cc", "published": false,
        "deployment": {
            "doc_type": "Deployment", "city": null, "countries": [], "region": "East Africa", "public": false,
            "description": null,
        },
        "internal": {
            "doc_type": "InternalProperties", "area": "Health", "sub_area": "Maternal, Newborn, & Child Health",
            "initiative": [], "organization_name": "Riverside Trust", "self_started": false, "can_use_data": true,
            "commcare_edition": "standard", "goal_time_period": 30, "goal_followup_rate": "0.75", "platform": ["java", "android"],
        },
        "cda": {
            "doc_type": "LicenseAgreement", "type": "Content Distribution Agreement", "signed": true, "version": null,
            "date": Moment::START.fine(), "user_id": generator.id(), "user_ip": "192.0.2.15",
        },
        "call_center_config": {"doc_type": "CallCenterProperties", "enabled": false, "use_fixtures": true, "case_type": null},
        "case_display": {"doc_type": "CaseDisplaySettings", "case_details": {}, "form_details": {}},
        "migrations": {"doc_type": "DomainMigrations", "has_migrated_permissions": true}, "cached_properties": {},
        "location_types": [], "sms_languages": ["en", "sw"],
    })
}
