//! The cases of the story, as the server keeps them: each form adds actions and sets properties.

use serde_json::{Map, Value, json};

use super::generator::{Generator, Moment};
use super::people::Worker;
use super::story::{Outcome, Story};
use super::submission::Submission;
use super::{CASE, CASE_SEARCH, DOMAIN};

/// What a case stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Household,
    Pregnancy,
    Child,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Pregnancy => "pregnancy",
            Self::Child => "child",
        }
    }
}

/// A case while the story continues.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    owner: String,
    opened_on: Moment,
    modified_on: Moment,
    closed_on: Option<Moment>,
    parent: Option<String>,
    actions: Vec<Value>,
    form_ids: Vec<String>,
    properties: Map<String, Value>,
}

const NAMES: [&str; 24] = [
    "Atieno Odhiambo",
    "Wanjirũ Kamau",
    "सुनीता देवी",
    "गीता कुमारी",
    "عائشة حسن",
    "مريم عبد الله",
    "ሰላም በቀለ",
    "হাসিনা বেগম",
    "রহিমা খাতুন",
    "Lucía Íñiguez",
    "Ixchel Chávez",
    "Fatou Diop",
    "Aïssatou Bâ",
    "Nomvula Dlamini",
    "Lê Thị Hồng",
    "Phạm Minh",
    "王秀英",
    "李娜",
    "Олена Шевченко",
    "Даринка",
    "Conceição d'Ávila",
    "Zoë O'Brien",
    "Ngozi \"Ngo\" Okafor",
    "José\u{a0}María",
];

/// Saves a case of the project, of which both pillows of cases make the same.
pub(super) fn save_case(story: &mut Story, outcome: Outcome, document: Value) {
    story.save_each(&[(CASE, outcome), (CASE_SEARCH, outcome)], document);
}

impl Record {
    /// A case that nothing has been done to.
    pub(super) fn new(generator: &mut Generator, kind: Kind, owner: &Worker, now: Moment) -> Self {
        Self {
            id: generator.uuid(),
            kind,
            name: (*generator.pick(&NAMES)).to_owned(),
            owner: owner.id.clone(),
            opened_on: now,
            modified_on: now,
            closed_on: None,
            parent: None,
            actions: Vec::new(),
            form_ids: Vec::new(),
            properties: Map::new(),
        }
    }

    /// The form that registers the case. A child is registered as its mother's.
    pub(super) fn register(&mut self, submission: &Submission<'_>, village: &str, mother: Option<&Self>) {
        let known = json!({"type": self.kind.name(), "name": self.name, "owner_id": self.owner});
        self.act(submission, "create", known, json!({}), &json!([]));
        self.set(submission, &[("village", json!(village)), ("registered_on", json!(submission.now.date()))]);
        if let Some(mother) = mother {
            self.parent = Some(mother.id.clone());
            let references = self.references();
            self.act(submission, "index", json!({}), json!({}), &references);
        }
    }

    /// Sets properties of the project's own.
    pub(super) fn set(&mut self, submission: &Submission<'_>, properties: &[(&str, Value)]) {
        let set: Map<String, Value> =
            properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.properties.extend(set.clone());
        self.act(submission, "update", json!({}), Value::Object(set), &json!([]));
    }

    pub(super) fn close(&mut self, submission: &Submission<'_>, reason: &str) {
        self.set(submission, &[("closing_reason", json!(reason))]);
        self.act(submission, "close", json!({}), json!({}), &json!([]));
        self.closed_on = Some(submission.now);
    }

    fn act(
        &mut self,
        submission: &Submission<'_>,
        action: &str,
        known: Value,
        unknown: Value,
        references: &Value,
    ) {
        self.modified_on = submission.now;
        if !self.form_ids.contains(&submission.id) {
            self.form_ids.push(submission.id.clone());
        }
        let mut fields = Map::from_iter([
            ("updated_known_properties".to_owned(), known),
            ("updated_unknown_properties".to_owned(), unknown),
        ]);
        if let Value::Object(rest) = json!({
            "doc_type": "CommCareCaseAction", "action_type": action, "date": submission.now.fine(),
            "server_date": submission.now.plus(95).instant(), "user_id": submission.worker.id,
            "xform_id": submission.id, "xform_name": submission.name, "xform_xmlns": submission.xmlns,
            "sync_log_id": null, "indices": references, "attachments": {},
        }) {
            fields.extend(rest);
        }
        self.actions.push(Value::Object(fields));
    }

    fn references(&self) -> Value {
        self.parent.as_ref().map_or_else(
            || json!([]),
            |parent| {
                json!([{
                    "doc_type": "CommCareCaseIndex", "identifier": "parent", "referenced_type": "pregnancy",
                    "referenced_id": parent, "relationship": "child",
                }])
            },
        )
    }

    /// The case's document.
    pub(super) fn document(&self) -> Value {
        let mut document = self.properties.clone();
        if let Value::Object(members) = json!({
            "_id": self.id, "doc_type": "CommCareCase", "domain": DOMAIN, "type": self.kind.name(), "name": self.name,
            "external_id": null, "owner_id": self.owner, "user_id": self.owner, "opened_by": self.owner,
            "closed_by": self.closed_on.map(|_| self.owner.as_str()), "opened_on": self.opened_on.fine(),
            "modified_on": self.modified_on.fine(), "server_modified_on": self.modified_on.plus(95).instant(),
            "closed": self.closed_on.is_some(), "closed_on": self.closed_on.map(Moment::fine),
            "actions": self.actions, "indices": self.references(), "xform_ids": self.form_ids,
            "location_": [], "referrals": [], "computed_": {}, "computed_modified_on_": null,
            "initial_processing_complete": true, "version": "2.0", "export_tag": [], "#export_tag": ["domain", "type"],
        }) {
            document.extend(members);
        }
        Value::Object(document)
    }
}
