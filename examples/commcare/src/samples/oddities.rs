//! What a real database also holds: documents that leave, that are dropped, that no index takes,
//! and that no struct fits.

use serde_json::{Value, json};

use super::cases::{Record, save_case};
use super::generator::{Generator, Moment};
use super::people::Worker;
use super::projects;
use super::story::{Outcome, Story};
use super::submission::Submission;
use super::{CASE, CASE_SEARCH, FORM, GROUP, PROJECT, USER};

/// Deletions of both kinds, and cases that leave the filter. `records` has at least six, of which
/// each is indexed.
pub(super) fn leave(story: &mut Story, records: &[Record]) {
    let [stub, by_type, again, untyped, demo, returned, ..] = records else { return };
    story.delete(&stub.id);

    let mut deleted = by_type.document();
    deleted["doc_type"] = json!("CommCareCase-Deleted");
    save_case(story, Outcome::Absent, deleted);

    // Deleted by mistake, and restored from the forms.
    story.delete(&again.id);
    save_case(story, Outcome::Indexed, again.document());

    let mut without_type = untyped.document();
    without_type["type"] = Value::Null;
    // It can be searched for all the same.
    story.save_each(&[(CASE, Outcome::Absent), (CASE_SEARCH, Outcome::Indexed)], without_type);

    let mut moved = demo.document();
    moved["domain"] = json!("demo");
    save_case(story, Outcome::Absent, moved.clone());

    // One goes to the demo project and comes back.
    moved = returned.document();
    moved["domain"] = json!("demo");
    save_case(story, Outcome::Absent, moved);
    save_case(story, Outcome::Indexed, returned.document());
}

/// Forms that are archived, deleted, or become another type. `forms` has at least four, of which
/// each is indexed.
pub(super) fn withdraw(story: &mut Story, forms: &[Value]) {
    let [archived, by_type, duplicate, stub, ..] = forms else { return };
    for (form, doc_type) in [(archived, "XFormArchived"), (by_type, "XFormInstance-Deleted")] {
        let mut form = form.clone();
        form["doc_type"] = json!(doc_type);
        story.save(FORM, Outcome::Absent, form);
    }
    // No deleted type, and yet no longer a form of the pillow's.
    let mut foreign = duplicate.clone();
    foreign["doc_type"] = json!("XFormDuplicate");
    story.save_each(&[], foreign);
    if let Some(id) = stub["_id"].as_str() {
        story.delete(id);
    }
}

/// Documents that the transform drops.
pub(super) fn drop_out(story: &mut Story, generator: &mut Generator, worker: &Worker, now: Moment) {
    for (member, value) in [
        ("xmlns", json!("http://code.javarosa.org/devicereport")),
        ("domain", Value::Null),
        ("form", Value::Null),
    ] {
        let submission = Submission::visit(generator, worker, now);
        let mut form = submission.document(generator, json!({"log_subreport": {"log": [{"msg": "sync"}]}}));
        form[member] = value;
        story.save(FORM, Outcome::Absent, form);
    }
}

/// Documents in every script, with an id that needs care in a path, and forms at the edge of what
/// is valid.
pub(super) fn puzzle(
    story: &mut Story,
    generator: &mut Generator,
    worker: &Worker,
    record: &Record,
    now: Moment,
) {
    let mut case = record.document();
    case["_id"] = json!("case/ünïcode ৪২?#%+&=🦉");
    case["name"] = json!("مريم 👩🏽‍⚕️ \u{202b}שלום\u{202c} नमस्ते 你好 ᠮᠣᠩᠭᠣᠯ \t\"quoted\" \\ 𝒻𝒾𝓃");
    case["वज़न_किलो"] = json!("५२");
    case["ملاحظة"] = json!({"nested": [1, 2.50, "ثلاثة", null, true], "empty": {}});
    // The largest whole number that every implementation of JSON keeps to the digit.
    case["serial"] = json!(9_007_199_254_740_991_u64);
    save_case(story, Outcome::Indexed, case);

    let submission = Submission::visit(generator, worker, now);
    let mut form = submission.document(generator, json!({"datum": "统一码 ✓ Ωμέγα", "case": ""}));
    form["received_on"] = json!(format!("{}.1234567Z", now.instant().trim_end_matches('Z')));
    form["form"]["meta"]["timeEnd"] = json!("");
    form["form"]["meta"]["location"] = json!("91.0 200.0 0 0");
    story.save(FORM, Outcome::Indexed, form);

    // The system's own submission, with a case block without a time.
    let submission = Submission::visit(generator, worker, now);
    let block = json!({"@case_id": record.id, "@date_modified": "", "update": "", "index": ""});
    let mut form = submission.document(generator, json!({"case": [block, "", null]}));
    form["form"]["meta"]["userID"] = json!("system");
    story.save(FORM, Outcome::Indexed, form);
}

/// Dead letters: what decodes and no server indexes, and what does not decode.
pub(super) fn die(
    story: &mut Story,
    generator: &mut Generator,
    worker: &Worker,
    record: &Record,
    now: Moment,
) {
    let mut case = record.document();
    case["_id"] = json!(generator.uuid());
    case["opened_on"] = json!("the third of May");
    save_case(story, Outcome::Rejected, case);

    let mut case = record.document();
    case["_id"] = json!(generator.uuid());
    case["closed"] = json!("perhaps");
    save_case(story, Outcome::Undecodable, case);

    let submission = Submission::visit(generator, worker, now);
    let mut form = submission.document(generator, json!({}));
    form["submit_ip"] = json!("behind a proxy");
    story.save(FORM, Outcome::Rejected, form);

    story.save(
        USER,
        Outcome::Undecodable,
        json!({"_id": generator.id(), "doc_type": "CommCareUser", "username": "torn", "devices": "none"}),
    );

    story.save(
        GROUP,
        Outcome::Undecodable,
        json!({"_id": generator.id(), "doc_type": "Group", "name": "torn", "users": "all of them"}),
    );

    let mut project = projects::project(generator, "half-said", "A project with a share that is none");
    project["internal"]["goal_followup_rate"] = json!("most");
    story.save(PROJECT, Outcome::Rejected, project);
}
