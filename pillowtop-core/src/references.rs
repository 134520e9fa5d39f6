//! What fields of a mapping say of other fields: the path of an alias, the targets of `copy_to`,
//! and that there is one `join`. A derive sees one struct and the compiler no paths, so this is
//! reported when the mapping is made.
//!
//! Servers refuse an index with a wrong one; checked against Elasticsearch 7.10 and OpenSearch 3.6.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::field_types::{Product, Target};
use crate::lenient::{boolean, strings};

/// Whether an object of a mapping has no objects in it: a dot in the name of a member is part of
/// the name.
#[must_use]
pub fn keeps_dots(object: &Map<String, Value>) -> bool {
    let says = |name: &str| object.get(name).and_then(boolean);
    says("subobjects") == Some(false) || says("disable_objects") == Some(true)
}

/// A field that refers to another one wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongReference {
    /// The path of an alias is not a field that can have one.
    #[error("the alias `{alias}` names `{path}`, {reason}")]
    Alias {
        /// The alias.
        alias: String,
        /// What it names.
        path: String,
        /// Why that cannot be.
        reason: &'static str,
    },
    /// A target of `copy_to` cannot be copied to.
    #[error("`copy_to` of `{field}` names `{target}`, {reason}")]
    CopyTo {
        /// The field.
        field: String,
        /// What it names.
        target: String,
        /// Why that cannot be.
        reason: &'static str,
    },
    /// A target of `copy_to` would lie below a field of values.
    #[error("`copy_to` of `{field}` names `{target}`, which lies below the field `{parent}`")]
    CopyBelow {
        /// The field.
        field: String,
        /// What it names.
        target: String,
        /// The field of values.
        parent: String,
    },
    /// A `join` is a field of the root.
    #[error("`{field}` is a `join` inside of another field, and one is at the root of a mapping alone")]
    JoinInside {
        /// The field.
        field: String,
    },
    /// An index has one `join` at most.
    #[error("`{second}` is a second `join` beside `{first}`: an index has one at most")]
    SecondJoin {
        /// A field.
        first: String,
        /// Another.
        second: String,
    },
}

impl WrongReference {
    /// Whether a target refuses to create the index. Elasticsearch 8 and later notice some with the
    /// first document alone.
    #[must_use]
    pub fn prevents_creation(&self, target: Target) -> bool {
        let is_late = target.product == Product::Elasticsearch && target.version.major >= 8;
        !(is_late && matches!(self, Self::CopyBelow { .. }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Field,
    Object,
    Alias,
    MultiField,
}

struct Entry<'a> {
    kind: Kind,
    /// The path of the `nested` object that it lies in, empty at the root.
    scope: String,
    mapping: &'a Value,
}

/// All that is wrong of a mapping.
#[must_use]
pub fn wrong_references(mappings: &Value) -> Vec<WrongReference> {
    let mut entries = BTreeMap::new();
    collect(mappings, "", "", &mut entries);
    let mut wrong = Vec::new();
    for (path, entry) in &entries {
        wrong.extend(wrong_alias(path, entry, &entries));
        wrong.extend(wrong_copies(path, entry, &entries));
        let is_inside = path.contains('.') || entry.kind == Kind::MultiField;
        if entry.mapping["type"] == "join" && is_inside {
            wrong.push(WrongReference::JoinInside { field: path.clone() });
        }
    }
    let mut joins = entries.iter().filter(|(_, entry)| entry.mapping["type"] == "join").map(|(path, _)| path);
    if let Some(first) = joins.next() {
        wrong.extend(
            joins.map(|second| WrongReference::SecondJoin { first: first.clone(), second: second.clone() }),
        );
    }
    wrong
}

fn collect<'a>(object: &'a Value, prefix: &str, scope: &str, entries: &mut BTreeMap<String, Entry<'a>>) {
    let keeps_dots = object.as_object().is_some_and(keeps_dots);
    for (name, mapping) in members(object, "properties") {
        // A name with dots makes objects.
        for (dot, _) in name.match_indices('.').filter(|_| !keeps_dots) {
            let above =
                if prefix.is_empty() { name[..dot].to_owned() } else { format!("{prefix}.{}", &name[..dot]) };
            let made = Entry { kind: Kind::Object, scope: scope.to_owned(), mapping: &Value::Null };
            entries.entry(above).or_insert(made);
        }
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let kind = match mapping["type"].as_str() {
            Some("alias") => Kind::Alias,
            Some("object" | "nested" | "passthrough") | None => Kind::Object,
            Some(_) => Kind::Field,
        };
        let inner = if mapping["type"] == "nested" { path.as_str() } else { scope };
        collect(mapping, &path, inner, entries);
        for (field, mapping) in members(mapping, "fields") {
            let entry = Entry { kind: Kind::MultiField, scope: scope.to_owned(), mapping };
            entries.insert(format!("{path}.{field}"), entry);
        }
        entries.insert(path, Entry { kind, scope: scope.to_owned(), mapping });
    }
}

fn members<'a>(object: &'a Value, of: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    object.get(of).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn wrong_alias(
    alias: &str,
    entry: &Entry<'_>,
    entries: &BTreeMap<String, Entry<'_>>,
) -> Option<WrongReference> {
    if entry.kind != Kind::Alias {
        return None;
    }
    let path = entry.mapping["path"].as_str()?;
    let reason = match entries.get(path) {
        None => "which is not a field of this mapping",
        Some(_) if path == alias => "which is itself",
        Some(Entry { kind: Kind::Alias, .. }) => "which is an alias too",
        Some(Entry { kind: Kind::Object, .. }) => "which is an object",
        Some(target) if target.scope != entry.scope => "which lies in another `nested` object",
        Some(_) => return None,
    };
    Some(WrongReference::Alias { alias: alias.to_owned(), path: path.to_owned(), reason })
}

/// A missing target is not wrong: under `dynamic = true` it is made.
fn wrong_copies(
    field: &str,
    entry: &Entry<'_>,
    entries: &BTreeMap<String, Entry<'_>>,
) -> Vec<WrongReference> {
    let reason = |target: &str| match entries.get(target)? {
        Entry { kind: Kind::Object, .. } => Some("which is an object"),
        Entry { kind: Kind::MultiField, .. } => Some("which is a multi-field"),
        target if !is_within(&entry.scope, &target.scope) => Some("which lies in another `nested` object"),
        _ => None,
    };
    let is_field = |parent: &str| {
        entries.get(parent).is_some_and(|entry| matches!(entry.kind, Kind::Field | Kind::Alias))
    };
    strings(entry.mapping.get("copy_to"))
        .into_iter()
        .filter_map(|target| {
            if let Some((parent, _)) = target.rsplit_once('.')
                && is_field(parent)
                && !entries.contains_key(target)
            {
                let (target, parent) = (target.to_owned(), parent.to_owned());
                return Some(WrongReference::CopyBelow { field: field.to_owned(), target, parent });
            }
            let reason = reason(target)?;
            Some(WrongReference::CopyTo { field: field.to_owned(), target: target.to_owned(), reason })
        })
        .collect()
}

/// Whether a scope is another one, or lies in it.
fn is_within(scope: &str, outer: &str) -> bool {
    outer.is_empty() || scope.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(properties: &Value, expected: &[&str]) {
        let wrong = wrong_references(&json!({ "properties": properties }));
        let found: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{properties}");
    }

    #[test]
    fn an_alias_names_a_field_beside_it() {
        let name = json!({"type": "text", "fields": {"exact": {"type": "keyword"}}});
        check(
            &json!({"name": name, "a": {"type": "alias", "path": "name"}, "b": {"type": "alias", "path": "name.exact"}}),
            &[],
        );
        check(
            &json!({"a": {"type": "alias", "path": "nam"}, "name": name}),
            &["the alias `a` names `nam`, which is not a field of this mapping"],
        );
        check(&json!({"a": {"type": "alias", "path": "a"}}), &["the alias `a` names `a`, which is itself"]);
        let inner = json!({"type": "nested", "properties": {"x": {"type": "long"}, "y": {"type": "alias", "path": "n.x"}}});
        check(&json!({ "n": inner }), &[]);
        check(
            &json!({"n": inner, "a": {"type": "alias", "path": "n.x"}, "o": {"type": "alias", "path": "n"}}),
            &[
                "the alias `a` names `n.x`, which lies in another `nested` object",
                "the alias `o` names `n`, which is an object",
            ],
        );
    }

    #[test]
    fn copies_go_to_fields_of_the_same_object_or_one_around_it() {
        let text = json!({"type": "text"});
        let copied = |to: Value| json!({"type": "keyword", "copy_to": to});
        check(&json!({"a": copied(json!(["all", "later"])), "all": text}), &[]);
        check(
            &json!({"n": {"type": "nested", "properties": {"x": copied(json!(["all", "n.y"])), "y": text}}, "all": text}),
            &[],
        );
        check(
            &json!({"a": copied(json!("n.y")), "n": {"type": "nested", "properties": {"y": text}}}),
            &["`copy_to` of `a` names `n.y`, which lies in another `nested` object"],
        );
        check(
            &json!({"a": copied(json!(["o", "b.c"])), "b": {"type": "text", "fields": {"c": text}}, "o": {"properties": {"z": text}}}),
            &[
                "`copy_to` of `a` names `o`, which is an object",
                "`copy_to` of `a` names `b.c`, which is a multi-field",
            ],
        );
    }

    #[test]
    fn a_name_with_dots_makes_objects_and_a_field_holds_none() {
        let copied = |to: &str| json!({"type": "keyword", "copy_to": to});
        check(
            &json!({"a": copied("o"), "o.f": {"type": "keyword"}}),
            &["`copy_to` of `a` names `o`, which is an object"],
        );
        check(
            &json!({"a": copied("a.b")}),
            &["`copy_to` of `a` names `a.b`, which lies below the field `a`"],
        );
        let below = &wrong_references(&json!({"properties": {"a": copied("a.b")}}))[0];
        assert!(below.prevents_creation(Target::opensearch(3, 6)));
        assert!(!below.prevents_creation(Target::elasticsearch(8, 14)));
    }

    #[test]
    fn a_join_is_at_the_root() {
        let join = json!({"type": "join", "relations": {"a": "b"}});
        let message = "is a `join` inside of another field, and one is at the root of a mapping alone";
        check(&json!({"o": {"properties": {"j": join}}}), &[&format!("`o.j` {message}")]);
        check(&json!({"o.j": join}), &[&format!("`o.j` {message}")]);
    }

    #[test]
    fn there_is_one_join() {
        let join = json!({"type": "join", "relations": {"a": "b"}});
        check(&json!({ "j": join }), &[]);
        check(
            &json!({"j": join, "k": join}),
            &["`k` is a second `join` beside `j`: an index has one at most"],
        );
    }
}
