//! What changed between two committed files, path by path, and what each change asks of a live index.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::canonical::to_canonical;
use crate::committed::CommittedFile;
use crate::settings::hashed_part;

/// What a change asks of a live index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeClass {
    /// The live index takes it; documents get it as they are indexed again.
    Additive,
    /// A new index must be built; searches that work go on working.
    NeedsReindex,
    /// A new index must be built, and searches that relied on what is gone find nothing or fail.
    Breaking,
}

impl fmt::Display for ChangeClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Additive => "additive",
            Self::NeedsReindex => "needs a reindex",
            Self::Breaking => "breaking",
        })
    }
}

/// One changed path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathChange {
    /// The path in a reader's form: `actions.date format`, `settings analysis.analyzer.comma`, `filter`.
    pub path: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
    /// What it asks of a live index.
    pub class: ChangeClass,
    /// Why.
    pub reason: &'static str,
}

impl fmt::Display for PathChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(formatter, "+ {}: {}", self.path, to_canonical(after))?,
            (Some(before), None) => write!(formatter, "- {}: {}", self.path, to_canonical(before))?,
            (before, after) => {
                let text = |value: &Option<Value>| value.as_ref().map(to_canonical).unwrap_or_default();
                write!(formatter, "~ {}: {} -> {}", self.path, text(before), text(after))?;
            }
        }
        write!(formatter, "  ({}: {})", self.class, self.reason)
    }
}

/// Parameters that a server changes on a live field (the products' "put mapping" references).
const UPDATEABLE: [&str; 12] = [
    "boost",
    "coerce",
    "copy_to",
    "dynamic",
    "eager_global_ordinals",
    "fielddata",
    "fielddata_frequency_filter",
    "ignore_above",
    "ignore_malformed",
    "meta",
    "search_analyzer",
    "search_quote_analyzer",
];

/// Each path that differs, in order of paths.
#[must_use]
pub fn diff(before: &CommittedFile, after: &CommittedFile) -> Vec<PathChange> {
    let mut changes = Vec::new();
    let mut compare = |path: &str, before: &Value, after: &Value, class, reason| {
        push(&mut changes, path, Some(before), Some(after), class, reason);
    };
    compare(
        "alias",
        &json!(before.alias),
        &json!(after.alias),
        ChangeClass::Breaking,
        "searches use the old name until they are changed",
    );
    let reindex = ChangeClass::NeedsReindex;
    compare("document", &before.document, &after.document, reindex, "other documents belong in the index");
    compare(
        "filter",
        &before.filter["text"],
        &after.filter["text"],
        reindex,
        "other documents belong in the index",
    );
    compare(
        "transform_version",
        &json!(before.transform_version),
        &json!(after.transform_version),
        reindex,
        "documents are transformed otherwise",
    );
    settings(&before.settings, &after.settings, &mut changes);
    mapping(&before.mappings, &after.mappings, &mut changes);
    changes
}

fn push(
    changes: &mut Vec<PathChange>,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    class: ChangeClass,
    reason: &'static str,
) {
    if before.map(to_canonical) != after.map(to_canonical) {
        let path = path.to_owned();
        changes.push(PathChange { path, before: before.cloned(), after: after.cloned(), class, reason });
    }
}

fn settings(before: &Value, after: &Value, changes: &mut Vec<PathChange>) {
    let (before_hashed, after_hashed) = (hashed_part(before), hashed_part(after));
    for name in names([before, after]) {
        let path = format!("settings {name}");
        let (old, new) = (before.get(&name), after.get(&name));
        let static_differs =
            before_hashed.get(&name).map(to_canonical) != after_hashed.get(&name).map(to_canonical);
        if static_differs {
            let reason = "a static setting is fixed when an index is created";
            push(changes, &path, old, new, ChangeClass::NeedsReindex, reason);
        } else {
            push(
                changes,
                &path,
                old,
                new,
                ChangeClass::Additive,
                "it does not decide the contents of the index",
            );
        }
    }
}

/// The root of a mapping, then its properties.
fn mapping(before: &Value, after: &Value, changes: &mut Vec<PathChange>) {
    for name in names([before, after]).into_iter().filter(|name| name != "properties" && name != "_meta") {
        let (class, reason) = match name.as_str() {
            "dynamic"
            | "dynamic_templates"
            | "date_detection"
            | "numeric_detection"
            | "dynamic_date_formats"
            | "runtime" => (ChangeClass::Additive, "the live index takes it"),
            _ => (ChangeClass::NeedsReindex, "it is fixed when an index is created"),
        };
        push(changes, &format!("root {name}"), before.get(&name), after.get(&name), class, reason);
    }
    properties("", before.get("properties"), after.get("properties"), changes);
}

fn properties(prefix: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<PathChange>) {
    let empty = Value::Object(Map::new());
    let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    for name in names([before, after]) {
        let path = format!("{prefix}{name}");
        match (before.get(&name), after.get(&name)) {
            (Some(old), None) => {
                push(
                    changes,
                    &path,
                    Some(old),
                    None,
                    ChangeClass::Breaking,
                    "nothing can be found by it any more",
                );
            }
            (None, Some(new)) => {
                push(changes, &path, None, Some(new), ChangeClass::Additive, "a field is added");
            }
            (Some(old), Some(new)) => field(&path, old, new, changes),
            (None, None) => {}
        }
    }
}

fn field(path: &str, before: &Value, after: &Value, changes: &mut Vec<PathChange>) {
    if before.get("type") != after.get("type") {
        let (old, new) = (before.get("type"), after.get("type"));
        push(changes, path, old, new, ChangeClass::Breaking, "a field's type is fixed when it is created");
        return;
    }
    for name in names([before, after]) {
        let (old, new) = (before.get(&name), after.get(&name));
        match name.as_str() {
            "properties" | "fields" => properties(&format!("{path}."), old, new, changes),
            _ if UPDATEABLE.contains(&name.as_str()) => {
                push(
                    changes,
                    &format!("{path} {name}"),
                    old,
                    new,
                    ChangeClass::Additive,
                    "the live index takes it",
                );
            }
            _ => {
                let reason = "it is fixed when the field is created";
                push(changes, &format!("{path} {name}"), old, new, ChangeClass::NeedsReindex, reason);
            }
        }
    }
}

fn names<'a>(values: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    values.into_iter().filter_map(Value::as_object).flat_map(|members| members.keys().cloned()).collect()
}
