//! A document from its root to its values, with what each path's mapping does there.

use std::collections::BTreeMap;

use super::additions::Additions;
use super::dynamic::Dynamics;
use super::earlier::{Before, FirstRead};
use super::finding::{Effect, Fault, Fit, Report, is_taken};
use super::json::Json;
use super::numeric::cut;
use super::plan::{Kind, LeafPlan, Node, ObjectPlan, Plan};
use super::{check, geo, range, special};
use pillowtop_core::field_types::{Product, Target, Version};

/// Names that a document cannot have at its root: the servers' own.
pub(crate) const METADATA: [&str; 10] = [
    "_doc_count",
    "_field_names",
    "_id",
    "_ignored",
    "_index",
    "_nested_path",
    "_routing",
    "_seq_no",
    "_source",
    "_type",
];

/// Walks a document; gives the fields that it adds, too. `routing` is the routing value that it
/// comes with.
pub(super) fn walk(
    plan: &Plan,
    dynamics: &Dynamics,
    target: Target,
    document: &Json<'_>,
    routing: Option<&str>,
) -> (Report, Additions) {
    let mut walk = Walk {
        plan,
        dynamics,
        target,
        routing,
        report: Report::default(),
        nested: 0,
        additions: Additions::default(),
        copies: false,
        late: false,
        early: false,
        lists: 0,
        first_read: FirstRead::None,
        before: BTreeMap::new(),
    };
    match document {
        Json::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| METADATA.contains(&name.as_str())) {
                walk.find(name, Effect::Rejected, "the name is the server's own", value, "rename the member");
            }
            walk.members(&plan.root, members);
        }
        other => walk.find("", Effect::Rejected, &format!("{} is not a document", other.kind()), other, ""),
    }
    if walk.nested > plan.nested_limit {
        let reason = format!("it has {} nested objects, more than {}", walk.nested, plan.nested_limit);
        walk.find("", Effect::Rejected, &reason, &Json::Null, "raise `index.mapping.nested_objects.limit`");
    }
    walk.additions.stay = !walk.early;
    (walk.report, walk.additions)
}

pub(super) struct Walk<'a> {
    pub(super) plan: &'a Plan,
    /// How members become fields.
    pub(super) dynamics: &'a Dynamics,
    pub(super) target: Target,
    /// The routing value that the document comes with.
    routing: Option<&'a str>,
    pub(super) report: Report,
    /// Nested objects so far.
    nested: usize,
    /// The fields that the document adds.
    pub(super) additions: Additions,
    /// What is checked now is a copy, which is copied no further.
    pub(super) copies: bool,
    /// What is refused now is refused only after the mapping has the document's fields.
    pub(super) late: bool,
    /// Something was refused before.
    pub(super) early: bool,
    /// The lists around what is checked now.
    pub(super) lists: usize,
    /// How the number that is checked now was read first.
    pub(super) first_read: FirstRead,
    /// What the document has had so far of fields whose later values depend on it.
    pub(super) before: BTreeMap<String, Before>,
}

impl Walk<'_> {
    pub(super) fn is_newer_elastic(&self) -> bool {
        self.target.product == Product::Elasticsearch && self.target.version.major >= 8
    }

    fn members(&mut self, object: &ObjectPlan, members: &[(String, Json<'_>)]) {
        if !object.enabled {
            return;
        }
        for (name, value) in members {
            let path = joined(&object.path, name);
            if METADATA.contains(&name.as_str()) && object.path.is_empty() {
                continue;
            }
            if let Some(reason) = self.name_problem(name) {
                self.find(&path, Effect::Rejected, reason, value, "rename the member");
            } else if object.keeps_dots && name.contains('.') {
                self.find(&path, Effect::NotChecked, "names with dots are not checked here", value, "");
            } else {
                self.member(object, name.trim_end_matches('.'), value);
            }
        }
    }

    /// Why no server takes the name of a member.
    fn name_problem(&self, name: &str) -> Option<&'static str> {
        let elastic = (self.target.product == Product::Elasticsearch).then_some(self.target.version.major);
        if name.is_empty() {
            return Some("a name cannot be empty");
        }
        if !name.contains('.') {
            let is_blank = name.chars().all(|character| character <= ' ');
            return (is_blank && elastic.is_some_and(|major| major >= 8)).then_some("a name cannot be blank");
        }
        // Java's `split` leaves empty parts at the end away.
        let parts: Vec<&str> = name.trim_end_matches('.').split('.').collect();
        match parts.as_slice() {
            [""] => Some("a name cannot consist of dots"),
            parts if parts.iter().any(|part| part.is_empty()) => {
                Some("a name cannot have a dot without a name before it")
            }
            parts if parts.iter().any(|part| part.chars().all(|character| character <= ' ')) => {
                Some("a part of a name cannot be blank")
            }
            _ => None,
        }
    }

    pub(super) fn member(&mut self, object: &ObjectPlan, name: &str, value: &Json<'_>) {
        if let Some(node) = object.children.get(name) {
            if object.keeps_dots && matches!((node, value), (Node::Leaf(_), Json::Object(_))) {
                let reason = "objects where `subobjects` is false are not checked";
                return self.find(&joined(&object.path, name), Effect::NotChecked, reason, value, "");
            }
            return self.node(node, value);
        }
        // `{"a.b": 1}` is `{"a": {"b": 1}}`.
        if let Some((head, rest)) = name.split_once('.') {
            match object.children.get(head) {
                Some(Node::Object(inner)) if !inner.enabled => {
                    return self.node(&object.children[head], value);
                }
                Some(Node::Object(inner)) if inner.nested && !self.is_newer_elastic() => {
                    let reason = format!("a dot leads into the nested `{}`", inner.path);
                    let hint = "write an object";
                    return self.find(&joined(&object.path, name), Effect::Rejected, &reason, value, hint);
                }
                Some(Node::Object(inner)) => return self.member(inner, rest, value),
                // Before Elasticsearch 8 null leads nowhere.
                Some(Node::Leaf(_)) if *value == Json::Null && !self.is_newer_elastic() => return,
                Some(Node::Leaf(leaf)) if self.is_newer_elastic() && check::takes_objects(&leaf.kind) => {
                    return self.leaf(leaf, &Json::Object(vec![(rest.to_owned(), value.clone())]));
                }
                Some(Node::Leaf(leaf)) => {
                    let reason = format!("`{}` holds values, so nothing can be below it", leaf.path);
                    return self.find(
                        &joined(&object.path, name),
                        Effect::Rejected,
                        &reason,
                        value,
                        "rename one of the two",
                    );
                }
                None => {}
            }
        }
        // Before Elasticsearch 8, null is refused only by an object that says itself that it is strict.
        if *value == Json::Null && !object.says_dynamic && !self.is_newer_elastic() {
            return;
        }
        self.unmapped(object, name, value);
    }

    pub(super) fn node(&mut self, node: &Node, value: &Json<'_>) {
        match (node, value) {
            (Node::Leaf(leaf), _) => self.leaf(leaf, value),
            (Node::Object(_), Json::Null) => {}
            (Node::Object(object), _) if !object.enabled => {
                let levels = self.lists + value.list_depth();
                if self.refuses_lists(levels, &object.path, value) {
                    return;
                }
                self.find(&object.path, Effect::Disabled, "the object has `enabled: false`", value, "");
            }
            (Node::Object(object), Json::Object(members)) => {
                self.nested += usize::from(object.nested);
                self.report.seen.insert(object.path.clone());
                self.members(object, members);
            }
            (Node::Object(object), Json::List(items)) => {
                self.within_list(&object.path, value, |walk| {
                    items.iter().for_each(|item| walk.node(node, item));
                });
            }
            (Node::Object(object), _) => {
                let reason = format!("{} found where an object is expected", value.kind());
                self.find(
                    &object.path,
                    Effect::Rejected,
                    &reason,
                    value,
                    "write an object, or map it as a value",
                );
            }
        }
    }

    fn leaf(&mut self, leaf: &LeafPlan, value: &Json<'_>) {
        if leaf.has_script {
            return self.find(&leaf.path, Effect::NotChecked, "a script computes it", value, "");
        }
        if !is_absent(value) {
            self.report.seen.insert(leaf.path.clone());
            if !leaf.index && !leaf.doc_values.unwrap_or(!matches!(leaf.kind, Kind::Text)) && !leaf.store {
                let reason = "`index` is false and there are no doc values";
                self.find(&leaf.path, Effect::NotIndexed, reason, value, "");
            }
        }
        if matches!(leaf.kind, Kind::Join) {
            let mut names = 0;
            count_values(value, &mut names);
            if names > 1 {
                let reason = "a document has one relation at most";
                return self.find(&leaf.path, Effect::Rejected, reason, value, "write one relation");
            }
        }
        let keeps_one = matches!(leaf.kind, Kind::Shape)
            && self.target.product == Product::OpenSearch
            && leaf.doc_values != Some(false);
        if keeps_one && self.count_shapes(leaf, value) > 1 {
            let reason = "a document has one shape at most in a field with doc values";
            let hint = "write one collection of shapes, or `doc_values = false`";
            self.refusing_late(|walk| walk.find(&leaf.path, Effect::Rejected, reason, value, hint));
        }
        self.values(leaf, value, false, true);
    }

    fn count_shapes(&self, leaf: &LeafPlan, value: &Json<'_>) -> usize {
        match value {
            Json::Null => 0,
            Json::List(items) => items.iter().map(|item| self.count_shapes(leaf, item)).sum(),
            value => {
                usize::from(check::check(leaf, value, self.target, false, self.routing.is_some()).is_ok())
            }
        }
    }

    /// Each value by the rules of the leaf, its multi-fields and where it is copied to.
    pub(super) fn values(&mut self, leaf: &LeafPlan, value: &Json<'_>, in_list: bool, copies: bool) {
        match value {
            Json::Null => {
                self.record_fit(leaf, value, special::absent(leaf, value, in_list, self.target));
                self.scripted_fields(leaf, value);
                self.fields_of_null(leaf, in_list);
                // OpenSearch gives a null to the multi-fields, too.
                let is_open = self.target.product == Product::OpenSearch && self.gives_value(leaf);
                for field in leaf.fields.iter().filter(|_| is_open) {
                    self.record_fit(field, value, special::absent(field, value, in_list, self.target));
                }
                if copies {
                    self.copy_null(leaf, value);
                }
            }
            Json::List(items) if items.is_empty() => {
                let fit = special::absent(leaf, value, in_list, self.target);
                self.record_fit(leaf, value, fit);
                let is_one_value = special::walks_lists(leaf) || matches!(leaf.kind, Kind::GeoPoint);
                if copies && is_one_value && !leaf.copy_to.is_empty() {
                    let reason = "what is copied of an empty list that is one value is not checked";
                    self.find(&leaf.path, Effect::NotChecked, reason, value, "");
                }
            }
            Json::List(_)
                if matches!(leaf.kind, Kind::RankFeatures | Kind::SparseVector) && is_absent(value) =>
            {
                let fit = Err(Fault::Unknown("a list of nothing is not checked".to_owned()));
                self.record_fit(leaf, value, fit);
            }
            Json::List(_) if special::walks_lists(leaf) => {
                let fit = check::check(leaf, value, self.target, false, self.routing.is_some());
                let fit = fit.and_then(|()| self.is_only_value(leaf, value));
                self.multi_fields(leaf, value, (&fit, in_list, true));
                self.record_fit(leaf, value, fit);
                if copies {
                    self.copy(leaf, value);
                }
            }
            Json::List(items) if matches!(leaf.kind, Kind::GeoPoint) && geo::is_point(items) => {
                self.point_list(leaf, value, items, true);
                if copies {
                    self.copy(leaf, value);
                }
            }
            Json::List(items) => {
                let has_points = matches!(leaf.kind, Kind::GeoPoint);
                if copies && (has_points || matches!(leaf.kind, Kind::CountedKeyword)) {
                    self.copy(leaf, value);
                }
                self.within_list(&leaf.path, value, |walk| {
                    for item in items {
                        match item {
                            // A list in a list of points is a point.
                            Json::List(inner) if has_points => walk.point_list(leaf, item, inner, false),
                            item => walk.values(leaf, item, true, copies),
                        }
                    }
                });
            }
            value if copies && self.leaves_object_half_read(leaf, value) => {
                let reason = "what is copied of an object that is left out is not checked";
                self.find(&leaf.path, Effect::NotChecked, reason, value, "");
            }
            value => {
                if copies && !self.copies {
                    self.first_read = FirstRead::None;
                }
                let fit = self.fit(leaf, value);
                let is_read = matches!(leaf.kind, Kind::Completion)
                    || (is_taken(&fit) && matches!(value, Json::Object(_)));
                self.record_fit(leaf, value, fit.clone());
                self.multi_fields(leaf, value, (&fit, in_list, is_read));
                if copies {
                    self.copy(leaf, value);
                }
            }
        }
    }

    /// Whether one value fits a field, where the document has other values, too.
    fn fit(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
        if leaf.type_name == "search_as_you_type" && self.rejects_values_of_search_as_you_type(leaf) {
            let reason = "a `search_as_you_type` that is not indexed, or has positions, takes no value";
            return Err(Fault::Refused(reason.to_owned()));
        }
        let has_default = self.plan.has_default_analyzer;
        let fit = check::check(leaf, value, self.target, has_default, self.routing.is_some());
        match fit {
            Err(Fault::Refused(reason) | Fault::Malformed(reason))
                if reason == range::UPSIDE_DOWN && !leaf.index =>
            {
                Ok(())
            }
            Ok(()) => self.fits_after_others(leaf, value),
            fit => fit,
        }
    }

    fn point_list(&mut self, leaf: &LeafPlan, value: &Json<'_>, items: &[Json<'_>], is_alone: bool) {
        let mut fit = geo::point(leaf, value, self.target);
        // Newer Elasticsearch does not get over a torn point.
        let is_newer =
            self.target.product == Product::Elasticsearch && self.target.version >= Version::new(7, 17);
        if is_newer
            && (is_alone || items.len() < 2)
            && let Err(Fault::Malformed(reason)) = fit
        {
            fit = Err(Fault::Refused(reason));
        }
        self.multi_fields(leaf, value, (&fit, true, true));
        self.record_fit(leaf, value, fit);
    }
}

pub(super) fn joined(parent: &str, name: &str) -> String {
    let name = cut(name);
    if parent.is_empty() { name } else { format!("{parent}.{name}") }
}

/// Whether a value counts as missing: `null`, or a list of nothing else.
pub(super) fn is_absent(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::List(items) => items.iter().all(is_absent),
        _ => false,
    }
}

fn count_values(value: &Json<'_>, count: &mut usize) {
    match value {
        Json::Null => {}
        Json::List(items) => items.iter().for_each(|item| count_values(item, count)),
        _ => *count += 1,
    }
}
