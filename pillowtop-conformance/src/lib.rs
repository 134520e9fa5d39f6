//! What an index with a mapping does to a document: refuse it, leave values out, or take it whole, told before a server does.
//!
//! The rules are those of the servers' own code, per product and version where they differ, and are compared with real servers
//! by `tests/tests/audit`. What is not decided here is reported as [`Effect::NotChecked`], never as fine.

mod finding;
mod json;

mod numeric;
mod regex;

mod patterns;

mod plan;

mod value;

mod dynamic;
mod flattened;
mod geo;
mod metrics;
mod range;
mod shape;
mod special;

mod check;

mod additions;
mod hint;

mod walk;

mod added;
mod lists;

mod growth;

use serde_json::Value;

use dynamic::Dynamics;
use pillowtop_core::creation::{self, Problem};
use pillowtop_core::field_types::{Target, field_type};
use pillowtop_core::settings::boolean;
use plan::Plan;

pub use finding::{Effect, Finding, Report};
pub use growth::Rehearsal;
pub use value::{exceeds, ip_address};

/// A mapping, ready for documents.
#[derive(Debug)]
pub struct Conformance {
    plan: Plan,
    /// How members become fields, which no document changes.
    dynamics: Dynamics,
    mappings: Value,
    settings: Value,
    /// What is wrong with the index, whatever its documents are.
    problems: Vec<Problem>,
    /// Whether every document needs a routing value.
    requires_routing: bool,
}

impl Conformance {
    /// Reads a root mapping, product-neutral, and settings in their normal form ([`pillowtop_core::settings::normalize`]).
    #[must_use]
    pub fn new(mappings: &Value, settings: &Value) -> Self {
        Self {
            plan: Plan::new(mappings, settings),
            dynamics: mappings.as_object().map(Dynamics::new).unwrap_or_default(),
            mappings: mappings.clone(),
            settings: settings.clone(),
            problems: creation::problems(mappings, settings),
            requires_routing: mappings.pointer("/_routing/required").and_then(boolean) == Some(true),
        }
    }

    /// What is wrong with the index itself, for which a target does not create it or rejects every document.
    #[must_use]
    pub fn problem(&self, target: Target) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.rejects_all(target))
    }

    /// New indices of these targets, to which documents are given one after the other.
    #[must_use]
    pub fn rehearse(&self, targets: &[Target]) -> Rehearsal<'_> {
        Rehearsal::new(self, targets)
    }

    /// What a new index of a target does to a document under an id; `source` is the text that is sent.
    #[must_use]
    pub fn check(&self, id: &str, source: &str, target: Target) -> Report {
        self.check_each(id, source, &[target]).pop().unwrap_or_default()
    }

    /// What a new index of each target does to it; the document is read once.
    #[must_use]
    pub fn check_each(&self, id: &str, source: &str, targets: &[Target]) -> Vec<Report> {
        self.rehearse(targets).index(id, source)
    }

    /// Whether a target has all the types of the mapping.
    #[must_use]
    pub fn is_for(&self, target: Target) -> bool {
        let mut types = Vec::new();
        types_of(&self.plan.root, &mut types);
        types.iter().all(|name| field_type(name).is_none_or(|found| found.is_available(target).is_ok()))
    }

    /// The paths of the mapping that a document can have a value at, in order.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        collect(&self.plan.root, &mut paths);
        paths
    }
}

fn collect<'a>(object: &'a plan::ObjectPlan, paths: &mut Vec<&'a str>) {
    for node in object.children.values() {
        match node {
            plan::Node::Object(inner) if inner.enabled && !inner.children.is_empty() => collect(inner, paths),
            plan::Node::Object(inner) => paths.push(&inner.path),
            plan::Node::Leaf(leaf) if matches!(leaf.kind, plan::Kind::Alias) => {}
            plan::Node::Leaf(leaf) => paths.push(&leaf.path),
        }
    }
}

fn types_of<'a>(object: &'a plan::ObjectPlan, types: &mut Vec<&'a str>) {
    for node in object.children.values() {
        match node {
            plan::Node::Object(inner) => types_of(inner, types),
            plan::Node::Leaf(leaf) => {
                types.push(&leaf.type_name);
                types.extend(leaf.fields.iter().map(|field| field.type_name.as_str()));
            }
        }
    }
}

fn refuse(reason: String) -> Finding {
    Finding {
        path: String::new(),
        effect: Effect::Rejected,
        reason,
        value: String::new(),
        hint: String::new(),
    }
}
