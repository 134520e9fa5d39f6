//! What becomes of a value beside its own field: the fields that it is copied to.

use super::check::takes_objects;
use super::finding::Effect;
use super::json::Json;
use super::plan::{Dynamic, LeafPlan, Node, text};
use super::walk::Walk;
use pillowtop_core::field_types::{Product, Version};

impl Walk<'_> {
    /// Whether a server notices with the first value alone what it cannot make of the field.
    pub(super) fn rejects_values_of_search_as_you_type(&self, leaf: &LeafPlan) -> bool {
        let has_positions =
            text(&leaf.mapping, "term_vector").is_some_and(|vector| vector.starts_with("with_"));
        let is_old = self.target.product == Product::Elasticsearch && !self.is_since_7_17();
        (!leaf.index && !self.is_since_7_17()) || (has_positions && is_old)
    }

    /// A copy goes to the place itself, not to where that one is copied to.
    pub(super) fn copy(&mut self, leaf: &LeafPlan, value: &Json<'_>) {
        if self.copies || leaf.copy_to.is_empty() {
            return;
        }
        if matches!(value, Json::List(_)) {
            let reason = "what is copied of a list that is one value is not checked";
            return self.find(&leaf.path, Effect::NotChecked, reason, value, "");
        }
        if leaf.copy_to.contains(&leaf.path) {
            let reason = "what is copied to the field itself is not checked";
            self.find(&leaf.path, Effect::NotChecked, reason, value, "");
        }
        let is_object = matches!(value, Json::Object(_));
        if is_object && self.refuses_object(leaf, value) {
            return;
        }
        self.copies = true;
        let plan = self.plan;
        for path in leaf.copy_to.iter().filter(|path| **path != leaf.path) {
            match plan.leaf(path) {
                Some(target) => self.values(target, value, false, false),
                None if is_object => self.copy_to_no_field(leaf, path, value),
                None => self.copy_to_unmapped(path, value),
            }
        }
        self.copies = false;
    }

    /// Whether what becomes of an object depends on how far `OpenSearch` reads it: it is left out,
    /// and then copied.
    pub(super) fn leaves_object_half_read(&self, leaf: &LeafPlan, value: &Json<'_>) -> bool {
        self.target.product == Product::OpenSearch
            && matches!(value, Json::Object(_))
            && leaf.ignore_malformed
            && !leaf.copy_to.is_empty()
            && !takes_objects(&leaf.kind)
    }

    /// Whether an object is rejected for the places that it is copied to: `OpenSearch` 3 alone reads
    /// it anew for each.
    fn refuses_object(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> bool {
        let is_mapped = leaf.copy_to.iter().any(|path| self.plan.leaf(path).is_some());
        let reads_anew = self.target.product == Product::OpenSearch && self.target.version.major >= 3;
        let refuses = self.is_since_7_17() || (is_mapped && !reads_anew);
        if refuses {
            let reason = "`copy_to` copies values, not objects";
            let hint = "leave `copy_to` out, or copy in the transform";
            self.find(&leaf.path, Effect::Rejected, reason, value, hint);
        }
        refuses
    }

    /// Elasticsearch before 7.17 and `OpenSearch` try to make a field of a null that is copied to
    /// where none is.
    pub(super) fn copy_null(&mut self, leaf: &LeafPlan, value: &Json<'_>) {
        if self.copies {
            return;
        }
        let plan = self.plan;
        let is_newer = self.is_since_7_17();
        let unmapped = leaf.copy_to.iter().filter(|path| plan.leaf(path).is_none());
        let is_looked_at = |path: &&String| !is_newer || self.dynamic_at(path) == Dynamic::Strict;
        let unmapped: Vec<&String> = unmapped.filter(is_looked_at).collect();
        unmapped.into_iter().for_each(|path| self.copy_to_no_field(leaf, path, value));
    }

    /// A value of which no field can be made, copied to a path that no mapping names.
    pub(super) fn copy_to_no_field(&mut self, leaf: &LeafPlan, path: &str, value: &Json<'_>) {
        match self.dynamic_at(path) {
            Dynamic::Ignore => {}
            Dynamic::Add | Dynamic::Runtime => {
                let reason = format!("{} is copied to `{path}`, and makes no field there", value.kind());
                self.find(&leaf.path, Effect::Rejected, &reason, value, "map the target of `copy_to`");
            }
            _ => {
                let reason = format!("{} is copied to `{path}`, which is not mapped", value.kind());
                self.find(&leaf.path, Effect::NotChecked, &reason, value, "");
            }
        }
    }

    pub(super) fn is_since_7_17(&self) -> bool {
        self.target.product == Product::Elasticsearch && self.target.version >= Version::new(7, 17)
    }

    /// What becomes of members of the deepest object above a path that is mapped.
    pub(super) fn dynamic_at(&self, path: &str) -> Dynamic {
        let mut object = &self.plan.root;
        for part in path.split('.') {
            let Some(Node::Object(inner)) = object.children.get(part) else { break };
            object = inner;
        }
        object.dynamic
    }
}
