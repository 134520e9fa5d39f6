//! A document by its plan: the reason why it is rejected, or each value added where it is searched.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_conformance::Effect;
use serde_json::{Map, Value, json};
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;

use super::mapping::{ID, Kind, LeafPlan, Node, ObjectPlan, Plan};
use super::value::{Typed, scalar, typed, within};

/// Makes the document of the search library; an error says why the document is rejected.
pub(crate) fn convert(plan: &Plan, id: &str, source: &[u8]) -> Result<TantivyDocument, String> {
    let text = std::str::from_utf8(source).map_err(|error| error.to_string())?;
    let findings = plan.conformance.check(id, text, plan.target).findings;
    if let Some(rejected) = findings.iter().find(|finding| finding.effect == Effect::Rejected) {
        return Err(match rejected.path.as_str() {
            "" => rejected.reason.clone(),
            path => format!("field `{path}`: {}", rejected.reason),
        });
    }
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let malformed = findings.into_iter().filter(|finding| finding.effect == Effect::Malformed);
    let mut walk = Walk {
        plan,
        document: TantivyDocument::new(),
        present: BTreeSet::from([ID.to_owned()]),
        malformed: malformed.map(|finding| finding.path).collect(),
    };
    walk.document.add_text(plan.id, id);
    walk.document.add_bytes(plan.source, source);
    walk.members(&plan.root, &members);
    for path in std::mem::take(&mut walk.present) {
        walk.document.add_text(plan.field_names, path);
    }
    Ok(walk.document)
}

struct Walk<'a> {
    plan: &'a Plan,
    document: TantivyDocument,
    /// Paths with a value that is searched.
    present: BTreeSet<String>,
    /// Paths with a value that is left out.
    malformed: BTreeSet<String>,
}

impl Walk<'_> {
    fn members(&mut self, object: &ObjectPlan, members: &Map<String, Value>) {
        for (name, value) in members {
            self.member(object, name, value);
        }
    }

    fn member(&mut self, object: &ObjectPlan, name: &str, value: &Value) {
        if let Some(node) = object.children.get(name) {
            self.node(node, value);
        } else if let Some((head, rest)) = name.split_once('.')
            && let Some(Node::Object(inner)) = object.children.get(head)
        {
            // `{"a.b": 1}` is `{"a": {"b": 1}}`.
            self.member(inner, rest, value);
        }
    }

    fn node(&mut self, node: &Node, value: &Value) {
        match (node, value) {
            (Node::Leaf(leaf), _) => self.leaf(leaf, value),
            (Node::Object(object), Value::Object(members)) => self.members(object, members),
            (Node::Object(_), Value::Array(items)) => items.iter().for_each(|item| self.node(node, item)),
            (Node::Object(_), _) => {}
        }
    }

    fn leaf(&mut self, leaf: &LeafPlan, value: &Value) {
        match value {
            Value::Null => {
                if let Some(stands_for) = &leaf.null_value {
                    self.one(leaf, leaf, stands_for);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.leaf(leaf, item)),
            value => {
                self.one(leaf, leaf, value);
                for path in &leaf.copy_to {
                    // A copy goes to the path itself, not to where that one is copied to.
                    if let Some(target) = self.plan.leaf(path) {
                        self.one(target, target, value);
                    }
                }
            }
        }
    }

    /// One value, by the rules of the leaf and of its multi-fields. `root` is the leaf that
    /// documents name.
    fn one(&mut self, root: &LeafPlan, leaf: &LeafPlan, value: &Value) {
        if let Some(field) = leaf.field
            && !self.is_left_out(root, leaf, value)
        {
            if let (Kind::Flattened, Value::Object(members)) = (&leaf.kind, value) {
                // All values of the object are keywords.
                let flat = flat_object(leaf, members);
                if !flat.is_empty() {
                    self.document.add_object(field, flat);
                    self.present.insert(leaf.path.clone());
                }
            } else if let Some(typed) = typed(leaf, value, self.plan.target) {
                match typed {
                    Typed::Text(text) => self.document.add_text(field, text),
                    Typed::Whole(number) => self.document.add_i64(field, number),
                    Typed::Unsigned(number) => self.document.add_u64(field, number),
                    Typed::Floating(number) => self.document.add_f64(field, number),
                    Typed::Boolean(truth) => self.document.add_bool(field, truth),
                    Typed::Ip(address) => self.document.add_ip_addr(field, address),
                }
                self.present.insert(leaf.path.clone());
            }
        }
        for field in &leaf.fields {
            self.one(root, field, value);
        }
    }

    /// Whether this value is malformed. Where a path has several values, each is checked alone.
    fn is_left_out(&self, root: &LeafPlan, leaf: &LeafPlan, value: &Value) -> bool {
        self.malformed.contains(&leaf.path) && {
            let alone = json!({ root.path.clone(): value }).to_string();
            let findings = self.plan.conformance.check("", &alone, self.plan.target).findings;
            findings.iter().any(|finding| finding.path == leaf.path && finding.effect == Effect::Malformed)
        }
    }
}

fn flat_object(leaf: &LeafPlan, members: &Map<String, Value>) -> BTreeMap<String, OwnedValue> {
    let flat = members.iter().filter_map(|(name, value)| Some((name.clone(), flat_value(leaf, value)?)));
    flat.collect()
}

fn flat_value(leaf: &LeafPlan, value: &Value) -> Option<OwnedValue> {
    match value {
        Value::Object(members) => Some(OwnedValue::Object(flat_object(leaf, members).into_iter().collect())),
        Value::Array(items) => {
            Some(OwnedValue::Array(items.iter().filter_map(|item| flat_value(leaf, item)).collect()))
        }
        value => match within(leaf, scalar(value)?)? {
            Typed::Text(text) => Some(OwnedValue::Str(text)),
            _ => None,
        },
    }
}
