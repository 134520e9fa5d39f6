//! The forms of the story: what phones send after each visit, with question trees of several
//! shapes.

use serde_json::{Map, Value, json};

use super::DOMAIN;
use super::cases::{Kind, Record};
use super::generator::Generator;
use super::submission::Submission;

impl Submission<'_> {
    /// The form's document, with these members in its body.
    pub(super) fn document(&self, generator: &mut Generator, questions: Value) -> Value {
        let mut body = match questions {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let build = 20 + generator.below(9);
        let version =
            format!("CommCare Android, version \"2.53.1\"(464694). App v{build}. CommCare Version 2.53");
        let app_version = if generator.chance(50) {
            json!({"@xmlns": "http://commcarehq.org/xforms", "#text": version})
        } else {
            json!(version)
        };
        // Some phones send no place, and one in ten has a clock that nobody ever set.
        let location = if generator.chance(60) {
            json!(format!("-1.{:04} 36.{:04} 1650.0 12.5", generator.below(9999), generator.below(9999)))
        } else {
            Value::Null
        };
        let started = if generator.chance(10) { "never set".to_owned() } else { self.now.fine() };
        body.insert("@name".to_owned(), json!(self.name));
        body.insert("@xmlns".to_owned(), json!(self.xmlns));
        body.insert("@uiVersion".to_owned(), json!("1"));
        body.insert("@version".to_owned(), json!(build.to_string()));
        body.insert("#type".to_owned(), json!("data"));
        body.insert(
            "meta".to_owned(),
            json!({
                "@xmlns": "http://openrosa.org/jr/xforms", "deviceID": "358510043913306", "instanceID": self.id,
                "userID": self.worker.id, "username": self.worker.username, "timeStart": started,
                "timeEnd": self.now.plus(240).fine(), "appVersion": app_version, "location": location,
            }),
        );
        json!({
            "_id": self.id, "doc_type": "XFormInstance", "domain": DOMAIN, "xmlns": self.xmlns,
            "app_id": "riverside-mother-and-child", "build_id": format!("build-{build}"),
            "received_on": self.now.plus(90).fine(), "server_modified_on": self.now.plus(95).instant(),
            "submit_ip": format!("192.0.2.{}", generator.below(256)),
            "path": format!("/a/{DOMAIN}/receiver/riverside-mother-and-child/"), "partial_submission": false,
            "initial_processing_complete": true, "#export_tag": ["domain", "xmlns"], "computed_": {}, "history": [],
            "openrosa_headers": {"HTTP_X_OPENROSA_VERSION": "2.0"}, "last_sync_token": null, "form": body,
        })
    }

    /// What the form does to a case.
    fn block(&self, record: &Record, members: Value) -> Value {
        let mut block = Map::from_iter([
            ("@xmlns".to_owned(), json!("http://commcarehq.org/case/transaction/v2")),
            ("@case_id".to_owned(), json!(record.id)),
            ("@user_id".to_owned(), json!(self.worker.id)),
            ("@date_modified".to_owned(), json!(self.now.fine())),
        ]);
        if let Value::Object(members) = members {
            block.extend(members);
        }
        Value::Object(block)
    }
}

/// The questions of a registration. With a mother, the child's block stands in a group and hers at
/// the root.
pub(super) fn registration_questions(
    submission: &Submission<'_>,
    record: &Record,
    mother: Option<&Record>,
) -> Value {
    let create =
        json!({"case_type": record.kind.name(), "case_name": record.name, "owner_id": submission.worker.id});
    let case = submission.block(record, json!({"create": create, "update": ""}));
    let name = json!({"#text": record.name, "@concept_id": "CIEL:1593"});
    match mother {
        Some(mother) => json!({
            "child": {"name": name, "case": case, "order": 1},
            "case": submission.block(mother, json!({"update": {"has_child": "yes"}})),
        }),
        None => json!({"name": name, "village": submission.worker.village, "case": case}),
    }
}

/// The questions of a visit, and the properties that it sets.
pub(super) fn visit_questions(
    generator: &mut Generator,
    submission: &Submission<'_>,
    record: &Record,
) -> (Value, Vec<(&'static str, Value)>) {
    let visited = json!(submission.now.date());
    let (mut questions, mut properties) = match record.kind {
        Kind::Household => {
            let nets = generator.below(5).to_string();
            let members: Vec<Value> = (0..2 + generator.below(3))
                .map(|age| json!({"age": (age * 11).to_string(), "sleeps_under_net": if age % 2 == 0 { "yes" } else { "no" }}))
                .collect();
            (json!({"nets": nets, "member": members, "water": "well 🚰"}), vec![("nets", json!(nets))])
        }
        Kind::Pregnancy => {
            let signs = *generator.pick(&["none", "bleeding fever", "swelling", "headache blurred_vision"]);
            let weight = format!("{}.{}", 48 + generator.below(25), generator.below(10));
            let tree = json!({
                "danger": {"signs": signs, "referred": if signs == "none" { "" } else { "yes" }},
                "weight": {"#text": weight, "@concept_id": "5089"}, "iron": {"tablets": generator.below(90)},
            });
            (tree, vec![("danger_signs", json!(signs)), ("weight", json!(weight))])
        }
        Kind::Child => {
            let arm = 118 + generator.below(40);
            let given = ["bcg", "opv0", "penta1", "measles"];
            let vaccines = given[..=usize::from(arm > 130)].join(" ");
            let tree = json!({"arm_mm": arm, "vaccines": {"given": vaccines, "card_seen": true}, "note": "بخير الحمد لله"});
            (tree, vec![("arm_mm", json!(arm.to_string())), ("vaccines", json!(vaccines))])
        }
    };
    properties.push(("last_visit", visited));
    let update: Map<String, Value> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    questions["case"] = json!([submission.block(record, json!({"update": update}))]);
    (questions, properties)
}

/// The questions of a form that closes a case.
pub(super) fn closing_questions(submission: &Submission<'_>, record: &Record, reason: &str) -> Value {
    json!({"reason": reason, "case": submission.block(record, json!({"close": "", "update": {"closing_reason": reason}}))})
}
