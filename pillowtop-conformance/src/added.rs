//! Members that no mapping names: refused, ignored, or made fields of, as `dynamic` and the dynamic
//! templates say.

use serde_json::{Map, Value, json};

use super::dynamic::Made;
use super::finding::{Effect, Fault};
use super::json::Json;
use super::plan::{Dynamic, Kind, Node, ObjectPlan, text};
use super::special;
use super::walk::{Walk, is_absent, joined};
use pillowtop_core::creation;
use pillowtop_core::field_types::{Product, Version};

/// Lists of this many fractions become a vector on Elasticsearch 8.11 and newer.
const VECTOR: std::ops::RangeInclusive<usize> = 128..=4096;

impl Walk<'_> {
    /// A member that the mapping of its object does not name; the name may have dots.
    pub(super) fn unmapped(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) {
        let is_null = *value == Json::Null;
        let levels = self.lists + value.list_depth();
        if self.refuses_lists(levels, &joined(&object.path, name), value) {
            return;
        }
        match object.dynamic {
            Dynamic::Strict => self.refuse_unmapped(object, name, value),
            Dynamic::StrictTemplates if is_null => self.refuse_unmapped(object, name, value),
            Dynamic::Ignore => self.ignore_unmapped(object, name, value),
            // Before Elasticsearch 8 null does not even make the objects above it.
            _ if is_null && !(name.contains('.') && self.is_newer_elastic()) => {}
            _ if object.keeps_dots && matches!(value, Json::Object(_)) => {
                let reason = "objects where `subobjects` is false are not checked";
                self.find(&joined(&object.path, name), Effect::NotChecked, reason, value, "");
            }
            _ => match name.split_once('.') {
                Some((head, rest)) => self.below(object, head, rest, value),
                None => self.grow(object, name, value),
            },
        }
    }

    fn refuse_unmapped(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) {
        let (reason, hint) = match object.dynamic {
            Dynamic::StrictTemplates => (
                "no mapping names it, no dynamic template is for it, and `dynamic` is strict_allow_templates",
                "map it, leave it out, or write a dynamic template",
            ),
            _ => (
                "no mapping names it, and `dynamic` is strict",
                "map it, leave it out, or write `#[es(dynamic = false)]` on the struct",
            ),
        };
        self.find(&joined(&object.path, name), Effect::Rejected, reason, value, hint);
    }

    fn ignore_unmapped(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) {
        if !is_absent(value) {
            self.find(&joined(&object.path, name), Effect::Unmapped, "no mapping names it", value, "");
        }
    }

    /// `{"a.b": 1}` where there is no `a`: an object is made for it.
    fn below(&mut self, object: &ObjectPlan, head: &str, rest: &str, value: &Json<'_>) {
        let path = joined(&object.path, head);
        if object.dynamic == Dynamic::IgnoreTemplates {
            let reason = "names with dots are not checked where `dynamic` is false_allow_templates";
            return self.find(&joined(&path, rest), Effect::NotChecked, reason, value, "");
        }
        let Some(made) = self.made_of_object(object, head, value) else { return };
        if made.is_runtime {
            return self.add_runtime(&path, &made.mapping, value);
        }
        if text(&made.mapping, "type") == Some("nested") && (self.copies || !self.is_newer_elastic()) {
            let reason = "a nested object is not made for a dot in a name, nor for a copy";
            let effect = if self.is_newer_elastic() { Effect::NotChecked } else { Effect::Rejected };
            return self.find(&path, effect, reason, value, "write an object");
        }
        match self.record(object, &path, &made, value) {
            Some(Node::Object(inner)) => self.member(&inner, rest, value),
            Some(Node::Leaf(leaf)) => {
                let reason = format!(
                    "a dynamic template makes a `{}` of it, and here it is an object",
                    leaf.type_name
                );
                self.find(&path, Effect::Rejected, &reason, value, "write `match_mapping_type`");
            }
            None => {}
        }
    }

    fn grow(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) {
        match value {
            Json::Null => {}
            Json::List(items) => self.grow_list(object, name, value, items),
            Json::Object(_) => {
                if let Some(made) = self.made_of_object(object, name, value) {
                    self.use_made(object, name, &made, value);
                }
            }
            scalar => {
                if let Some(made) = self.made_of_scalar(object, name, scalar) {
                    self.use_made(object, name, &made, scalar);
                }
            }
        }
    }

    fn grow_list(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>, items: &[Json<'_>]) {
        let path = joined(&object.path, name);
        let by_template = match self.dynamics.object_by_template(&path, name, self.target) {
            Ok(by_template) => by_template,
            Err(fault) => return self.unsure(&path, fault, value),
        };
        match (by_template, object.dynamic) {
            (None, Dynamic::StrictTemplates) => return self.refuse_unmapped(object, name, value),
            (None, Dynamic::IgnoreTemplates) => return self.ignore_unmapped(object, name, value),
            // A field that walks lists itself takes the list.
            (Some(made), _) if !made.is_runtime => {
                let node = self.plan.node(&made.mapping, &path, object.dynamic);
                let takes = matches!(&node, Node::Leaf(leaf)
                    if matches!(leaf.kind, Kind::GeoPoint) || special::walks_lists(leaf));
                if takes {
                    return self.use_made(object, name, &made, value);
                }
            }
            _ => {}
        }
        if let Some(made) = self.vector(object, name, items) {
            // It is a vector only after the list was read.
            return self.refusing_late(|walk| walk.use_made(object, name, &made, value));
        }
        self.within_list(&path, value, |walk| {
            items.iter().for_each(|item| walk.grow(object, name, item));
        });
    }

    /// What Elasticsearch makes of a long list of fractions.
    fn vector(&self, object: &ObjectPlan, name: &str, items: &[Json<'_>]) -> Option<Made> {
        let is_fraction =
            |item: &Json<'_>| matches!(item, Json::Number(text) if text.contains(['.', 'e', 'E']));
        let makes_vectors =
            self.target.product == Product::Elasticsearch && self.target.version >= Version::new(8, 11);
        if !makes_vectors
            || object.dynamic != Dynamic::Add
            || !VECTOR.contains(&items.len())
            || !items.iter().all(is_fraction)
        {
            return None;
        }
        let path = joined(&object.path, name);
        let made = self.dynamics.scalar(&path, name, items.first()?, self.target).ok()?;
        let mapping = json!({"type": "dense_vector", "dims": items.len(), "similarity": "cosine"});
        match (made.template, mapping) {
            (None, Value::Object(mapping)) => Some(Made { mapping, template: None, is_runtime: false }),
            _ => None,
        }
    }

    fn made_of_object(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) -> Option<Made> {
        let path = joined(&object.path, name);
        match self.dynamics.object_by_template(&path, name, self.target) {
            Err(fault) => self.unsure(&path, fault, value),
            Ok(Some(made)) => return Some(made),
            Ok(None) => match object.dynamic {
                Dynamic::StrictTemplates => self.refuse_unmapped(object, name, value),
                Dynamic::IgnoreTemplates => self.ignore_unmapped(object, name, value),
                _ => {
                    let mapping = Map::from_iter([("type".to_owned(), json!("object"))]);
                    return Some(Made { mapping, template: None, is_runtime: false });
                }
            },
        }
        None
    }

    fn made_of_scalar(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) -> Option<Made> {
        let path = joined(&object.path, name);
        // Elasticsearch 9 remembers what it made of an earlier value of the document.
        if self.shares_additions()
            && let Some(mapping) = self.additions.get(&path)
        {
            return Some(Made { mapping: mapping.clone(), template: None, is_runtime: false });
        }
        let dynamics = self.dynamics;
        let made = match object.dynamic {
            Dynamic::Add => dynamics.scalar(&path, name, value, self.target).map(Some),
            _ => dynamics.scalar_by_template(&path, name, value, self.target),
        };
        match (made, object.dynamic) {
            (Err(fault), _) => self.unsure(&path, fault, value),
            (Ok(Some(made)), _) => return Some(made),
            (Ok(None), Dynamic::StrictTemplates) => self.refuse_unmapped(object, name, value),
            (Ok(None), Dynamic::IgnoreTemplates) => self.ignore_unmapped(object, name, value),
            (Ok(None), _) => self.add_runtime(&path, &Map::new(), value),
        }
        None
    }

    fn shares_additions(&self) -> bool {
        self.target.product == Product::Elasticsearch && self.target.version.major >= 9
    }

    fn add_runtime(&mut self, path: &str, mapping: &Map<String, Value>, value: &Json<'_>) {
        if let Some(problem) = creation::of_runtime(&Value::Object(mapping.clone())) {
            let reason = format!("a dynamic template makes no runtime field of it: {problem}");
            return self.find(path, Effect::Rejected, &reason, value, &problem.help);
        }
        self.find(path, Effect::MappedDynamically, "the server adds a runtime field", value, "");
    }

    fn unsure(&mut self, path: &str, fault: Fault, value: &Json<'_>) {
        if let Fault::Unknown(reason) = fault {
            self.find(path, Effect::NotChecked, &reason, value, "");
        }
    }

    fn use_made(&mut self, object: &ObjectPlan, name: &str, made: &Made, value: &Json<'_>) {
        let path = joined(&object.path, name);
        if made.is_runtime {
            return self.add_runtime(&path, &made.mapping, value);
        }
        if let Some(node) = self.record(object, &path, made, value) {
            self.node(&node, value);
        }
    }

    /// Notes a field that a document adds; `None` where the server refuses it.
    fn record(&mut self, object: &ObjectPlan, path: &str, made: &Made, value: &Json<'_>) -> Option<Node> {
        let node = self.plan.node(&made.mapping, path, object.dynamic);
        let type_name = text(&made.mapping, "type").unwrap_or("object");
        let is_plain_object = type_name == "object" && made.template.is_none();
        if object.dynamic == Dynamic::Runtime {
            // There a server makes no objects, and then misses them.
            if is_plain_object {
                return Some(node);
            }
            if !object.path.is_empty() && !self.has_object(&object.path) {
                let reason = format!(
                    "a dynamic template maps it, but `{}` above it is in no mapping where `dynamic` is runtime",
                    object.path
                );
                self.find(path, Effect::Rejected, &reason, value, "map the object");
                return None;
            }
        }
        match self.additions.get(path) {
            Some(known) if *known == made.mapping => return Some(node),
            Some(known) => {
                let known_type = text(known, "type").unwrap_or("object");
                let is_other =
                    known_type != type_name || text(known, "format") != text(&made.mapping, "format");
                let (effect, reason) = if is_other {
                    let reason = format!(
                        "the document makes `{known_type}` and `{type_name}` of it, or two formats of a date"
                    );
                    (Effect::Rejected, reason)
                } else {
                    let reason = "two dynamic templates map it in one document, which is not checked";
                    (Effect::NotChecked, reason.to_owned())
                };
                self.find(path, effect, &reason, value, "map it, and write values of one type");
                return None;
            }
            None => {}
        }
        self.additions.add(path, &made.mapping);
        let by = made.template.as_ref().map(|name| format!(" by the template `{name}`")).unwrap_or_default();
        let reason = format!("the server adds a field of type `{type_name}`{by}");
        self.find(path, Effect::MappedDynamically, &reason, value, "");
        Some(node)
    }

    fn has_object(&self, path: &str) -> bool {
        self.additions.get(path).is_some() || self.plan.object(path).is_some()
    }

    /// A copy to a path that no mapping names.
    pub(super) fn copy_to_unmapped(&mut self, path: &str, value: &Json<'_>) {
        let plan = self.plan;
        let mut object = &plan.root;
        let mut rest = path;
        while let Some((head, after)) = rest.split_once('.') {
            match object.children.get(head) {
                Some(Node::Object(inner)) => (object, rest) = (inner, after),
                Some(Node::Leaf(_)) => {
                    let reason = "a copy goes below a field that holds values";
                    return self.find(path, Effect::NotChecked, reason, value, "");
                }
                None => break,
            }
        }
        self.unmapped(object, rest, value);
    }
}
