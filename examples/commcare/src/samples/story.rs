//! A story: what is saved and deleted, in order, and what a correct index holds of each document
//! after it.

use std::collections::BTreeMap;

use serde_json::Value;

/// One thing that happens in the database.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// A document is created or replaced. It has an `_id` and no `_rev`: whoever saves it knows
    /// that of the version before.
    Save(Value),
    /// The document of this id is deleted.
    Delete(String),
}

/// What a pillow has to make of the version of a document that a step brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in the index.
    Indexed,
    /// It is not: deleted, filtered, or dropped by the transform.
    Absent,
    /// It decodes, passes filter and transform, and no server can index it: a dead letter.
    Rejected,
    /// It does not decode: a dead letter.
    Undecodable,
}

/// A step, with what the pillows of its document make of it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) step: Step,
    /// Each pillow and the outcome; none for a document of no pillow.
    pub(super) outcomes: Vec<(&'static str, Outcome)>,
}

impl Event {
    pub(super) fn id(&self) -> &str {
        match &self.step {
            Step::Save(document) => document.get("_id").and_then(Value::as_str).unwrap_or_default(),
            Step::Delete(id) => id,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Story {
    events: Vec<Event>,
}

impl Story {
    /// Saves a document that one pillow follows.
    pub(super) fn save(&mut self, pillow: &'static str, outcome: Outcome, document: Value) {
        self.save_each(&[(pillow, outcome)], document);
    }

    /// Saves a document that several pillows follow, or none.
    pub(super) fn save_each(&mut self, outcomes: &[(&'static str, Outcome)], document: Value) {
        self.events.push(Event { step: Step::Save(document), outcomes: outcomes.to_vec() });
    }

    pub(super) fn delete(&mut self, id: &str) {
        self.events.push(Event { step: Step::Delete(id.to_owned()), outcomes: Vec::new() });
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The last event of each document, by its id.
    pub(super) fn endings(&self) -> BTreeMap<&str, &Event> {
        self.events.iter().map(|event| (event.id(), event)).collect()
    }
}
