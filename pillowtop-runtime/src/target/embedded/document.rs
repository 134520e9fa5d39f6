//! A document by its plan: each value checked and added where it is searched, or the reason why the document is rejected, by the
//! names that Elasticsearch has for it.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_core::conformance::{LONGEST_TERM, METADATA};
use serde_json::{Map, Value};
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;

use super::json;
use super::mapping::{Dynamic, Kind, LeafPlan, Node, ObjectPlan, Plan};
use super::value::{Typed, check, geo_numbers};

/// Why a document is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Elasticsearch's name of the error.
    pub error_type: &'static str,
    /// What does not fit.
    pub reason: String,
}

/// Makes the document of the search library.
pub(crate) fn convert(plan: &Plan, id: &str, source: &[u8]) -> Result<TantivyDocument, Refusal> {
    let value = json::parse(source)
        .map_err(|error| mapper_parsing(format!("failed to parse document with id '{id}': {error}")))?;
    let Value::Object(members) = &value else {
        return Err(mapper_parsing(format!("failed to parse document with id '{id}': it is not an object")));
    };
    if let Some(name) = METADATA.iter().find(|name| members.contains_key(**name)) {
        return Err(mapper_parsing(format!(
            "Field [{name}] is a metadata field and cannot be added inside a document."
        )));
    }
    let mut walk = Walk { plan, id, document: TantivyDocument::new(), present: BTreeSet::new() };
    walk.document.add_text(plan.id, id);
    walk.document.add_bytes(plan.source, source);
    walk.present.insert(super::mapping::ID.to_owned());
    walk.members(&plan.root, members)?;
    for path in std::mem::take(&mut walk.present) {
        walk.document.add_text(plan.field_names, path);
    }
    Ok(walk.document)
}

fn mapper_parsing(reason: String) -> Refusal {
    Refusal { error_type: "mapper_parsing_exception", reason }
}

struct Walk<'a> {
    plan: &'a Plan,
    id: &'a str,
    document: TantivyDocument,
    /// Paths with a value that is searched.
    present: BTreeSet<String>,
}

impl Walk<'_> {
    fn members(&mut self, object: &ObjectPlan, members: &Map<String, Value>) -> Result<(), Refusal> {
        if !object.enabled {
            return Ok(());
        }
        members.iter().try_for_each(|(name, value)| self.member(object, name, value))
    }

    fn member(&mut self, object: &ObjectPlan, name: &str, value: &Value) -> Result<(), Refusal> {
        if let Some(node) = object.children.get(name) {
            return self.node(node, value);
        }
        // `{"a.b": 1}` is `{"a": {"b": 1}}`.
        if let Some((head, rest)) = name.split_once('.')
            && let Some(Node::Object(inner)) = object.children.get(head)
        {
            return if inner.enabled { self.member(inner, rest, value) } else { Ok(()) };
        }
        match object.dynamic {
            Dynamic::Keep => Ok(()),
            Dynamic::Strict => Err(Refusal {
                error_type: "strict_dynamic_mapping_exception",
                reason: format!(
                    "mapping set to strict, dynamic introduction of [{name}] within [{}] is not allowed",
                    if object.path.is_empty() { "_doc" } else { &object.path }
                ),
            }),
        }
    }

    fn node(&mut self, node: &Node, value: &Value) -> Result<(), Refusal> {
        match (node, value) {
            (Node::Leaf(leaf), _) => self.leaf(leaf, value),
            (Node::Object(object), _) if !object.enabled => Ok(()),
            (Node::Object(_), Value::Null) => Ok(()),
            (Node::Object(object), Value::Object(members)) => self.members(object, members),
            (Node::Object(_), Value::Array(items)) => items.iter().try_for_each(|item| self.node(node, item)),
            (Node::Object(object), _) => Err(mapper_parsing(format!(
                "object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value",
                path = object.path
            ))),
        }
    }

    fn leaf(&mut self, leaf: &LeafPlan, value: &Value) -> Result<(), Refusal> {
        match (value, &leaf.kind) {
            (_, Kind::Kept) => return Ok(()),
            (Value::Null, _) => {
                return match &leaf.null_value {
                    Some(stands_for) => self.one(leaf, stands_for),
                    None => Ok(()),
                };
            }
            (Value::Array(items), Kind::GeoPoint) if items.first().is_some_and(Value::is_number) => {
                return match geo_numbers(items) {
                    Ok(()) => Ok(()),
                    Err(_) if leaf.ignore_malformed => Ok(()),
                    Err(cause) => Err(self.failed(leaf, value, &cause)),
                };
            }
            (Value::Array(items), _) => return items.iter().try_for_each(|item| self.leaf(leaf, item)),
            _ => {}
        }
        self.one(leaf, value)?;
        for path in &leaf.copy_to {
            // A copy goes to the path itself, not to where that one is copied to.
            if let Some(target) = self.plan.leaf(path) {
                self.one(target, value)?;
            }
        }
        Ok(())
    }

    /// One value, by the rules of the leaf and of its multi-fields.
    fn one(&mut self, leaf: &LeafPlan, value: &Value) -> Result<(), Refusal> {
        if matches!(leaf.kind, Kind::Flattened) {
            return self.flattened(leaf, value);
        }
        match check(leaf, value) {
            Ok(Some(typed)) => self.add(leaf, typed)?,
            Ok(None) => {}
            // Objects are malformed in no type, except for points.
            Err(_) if leaf.ignore_malformed && may_be_ignored(leaf, value) => {}
            Err(cause) => return Err(self.failed(leaf, value, &cause)),
        }
        leaf.fields.iter().try_for_each(|field| self.one(field, value))
    }

    fn add(&mut self, leaf: &LeafPlan, typed: Typed) -> Result<(), Refusal> {
        let Some(field) = leaf.field else { return Ok(()) };
        match typed {
            Typed::Text(text) => {
                if matches!(leaf.kind, Kind::Keyword) {
                    immense(leaf, &text)?;
                }
                self.document.add_text(field, text);
            }
            Typed::Whole(number) => self.document.add_i64(field, number),
            Typed::Unsigned(number) => self.document.add_u64(field, number),
            Typed::Floating(number) => self.document.add_f64(field, number),
            Typed::Boolean(truth) => self.document.add_bool(field, truth),
            Typed::Ip(address) => self.document.add_ip_addr(field, address),
        }
        self.present.insert(leaf.path.clone());
        Ok(())
    }

    /// All values of the object are keywords.
    fn flattened(&mut self, leaf: &LeafPlan, value: &Value) -> Result<(), Refusal> {
        let Value::Object(members) = value else {
            return Err(self.failed(leaf, value, "expected an object"));
        };
        let flat = flat_object(leaf, members)?;
        if let (Some(field), false) = (leaf.field, flat.is_empty()) {
            self.document.add_object(field, flat);
            self.present.insert(leaf.path.clone());
        }
        Ok(())
    }

    fn failed(&self, leaf: &LeafPlan, value: &Value, cause: &str) -> Refusal {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let preview: String = shown.chars().take(100).collect();
        mapper_parsing(format!(
            "failed to parse field [{}] of type [{}] in document with id '{}'. Preview of field's value: '{preview}': {cause}",
            leaf.path, leaf.type_name, self.id
        ))
    }
}

fn may_be_ignored(leaf: &LeafPlan, value: &Value) -> bool {
    match leaf.kind {
        Kind::GeoPoint => true,
        Kind::Text | Kind::Keyword | Kind::Alias => false,
        _ => !value.is_object(),
    }
}

fn immense(leaf: &LeafPlan, text: &str) -> Result<(), Refusal> {
    if text.len() <= LONGEST_TERM {
        return Ok(());
    }
    Err(Refusal {
        error_type: "illegal_argument_exception",
        reason: format!(
            "Document contains at least one immense term in field=\"{}\" (whose UTF8 encoding is longer than the max length \
             {LONGEST_TERM})",
            leaf.path
        ),
    })
}

fn flat_object(
    leaf: &LeafPlan,
    members: &Map<String, Value>,
) -> Result<BTreeMap<String, OwnedValue>, Refusal> {
    let mut flat = BTreeMap::new();
    for (name, value) in members {
        if let Some(value) = flat_value(leaf, value)? {
            flat.insert(name.clone(), value);
        }
    }
    Ok(flat)
}

fn flat_value(leaf: &LeafPlan, value: &Value) -> Result<Option<OwnedValue>, Refusal> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Object(members) => {
            return flat_object(leaf, members)
                .map(|members| Some(OwnedValue::Object(members.into_iter().collect())));
        }
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| flat_value(leaf, item)).collect();
            return items.map(|items| Some(OwnedValue::Array(items.into_iter().flatten().collect())));
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    immense(leaf, &text)?;
    Ok(match super::value::within(leaf, text) {
        Some(Typed::Text(text)) => Some(OwnedValue::Str(text)),
        _ => None,
    })
}
