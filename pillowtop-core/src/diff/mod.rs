//! What changed between two committed files, path by path, and what each change asks of a live
//! index.
//!
//! The classes are compared with real servers: what is called additive is accepted by `PUT
//! _mapping` on a live index, and a parameter that is called fixed is refused there.

mod reason;

mod header;
mod searches;
mod show;
mod table;
mod types;

mod mapping;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::canonical::to_canonical;
use crate::committed::CommittedFile;
use crate::normal_form::{in_words_of, normal_form};

/// What a change asks of a live index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeClass {
    /// The live index takes it; documents get it as they are indexed again.
    Additive,
    /// A new index must be built; searches that work continue to work.
    NeedsReindex,
    /// Searches that relied on what was there find nothing or fail.
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
    /// The path in a reader's form: `actions.date format`, `settings analysis.analyzer.comma.type`,
    /// `filter`.
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

/// Each path that differs: what surrounds the mapping, settings, the root, then fields in order of
/// their paths.
#[must_use]
pub fn diff(before: &CommittedFile, after: &CommittedFile) -> Vec<PathChange> {
    let mut changes = Changes::default();
    header::compare(before, after, &mut changes);
    header::settings(&before.settings, &after.settings, &mut changes);
    if table::is_table(&before.mappings, &after.mappings) {
        table::compare(&before.mappings, &after.mappings, &mut changes);
    } else {
        mapping::root(&before.mappings, &after.mappings, &mut changes);
    }
    changes.0
}

/// Each path at which a live mapping differs from the one that it is to become, and what that asks
/// of the live index. Defaults that a server added or dropped are not differences.
///
/// # Errors
///
/// A sentence that names the path, when one of them is not a mapping.
pub fn live_changes(live: &Value, wanted: &Value) -> Result<Vec<PathChange>, String> {
    let live = in_words_of(wanted, live)?;
    let mut changes = Changes::default();
    mapping::root(&live, &normal_form(wanted)?.mappings, &mut changes);
    Ok(changes.0)
}

/// How many changes there are of each class, and what is done about them. `program` is how the
/// commands are run.
#[must_use]
pub fn summary(before: &CommittedFile, after: &CommittedFile, program: &str) -> Option<String> {
    let changes = diff(before, after);
    let of = |class: ChangeClass| changes.iter().filter(|change| change.class == class).count();
    let counted: Vec<String> = [ChangeClass::Additive, ChangeClass::NeedsReindex, ChangeClass::Breaking]
        .into_iter()
        .filter(|class| of(*class) > 0)
        .map(|class| format!("{} {class}", of(class)))
        .collect();
    if counted.is_empty() {
        return None;
    }
    let name = &after.pillow;
    let is_table = table::is_table(&before.mappings, &after.mappings);
    let build = format!("`{program} fast-reindex {name}`");
    let whose = if is_table { "the views show" } else { "searches see" };
    let flip = format!(
        "`{program} es-manage flip {name}` lets {whose} it once `run` has caught up and `verify` has compared it"
    );
    let database = |file: &CommittedFile| file.document.get("database").cloned();
    let next = if is_table && before.hash != after.hash {
        format!("the content hash is another one, so {build} builds a new table, and {flip}")
    } else if is_table {
        "the content hash is the same, so the table stays".to_owned()
    } else if before.hash != after.hash && changes.iter().all(|change| change.class == ChangeClass::Additive)
    {
        format!(
            "the content hash is another one: `{program} es-manage apply` extends the live index, if `{program} es-manage plan` shows that it can; otherwise {build} builds a new index, and {flip}"
        )
    } else if before.hash != after.hash {
        format!("the content hash is another one, so {build} builds a new index, and {flip}")
    } else if before.alias != after.alias {
        format!("indices are named after the alias, so {build} builds a new index, and {flip}")
    } else if database(before) != database(after) {
        let restart = format!("`{program} fast-reindex {name} --restart`");
        format!(
            "the content hash is the same, so the index stays until {restart} builds it from the other database"
        )
    } else {
        "the content hash is the same, so the index stays".to_owned()
    };
    Some(format!("{}; {next}", counted.join(", ")))
}

/// What was found so far.
#[derive(Default)]
struct Changes(Vec<PathChange>);

impl Changes {
    /// Adds a path if its two values differ.
    fn compare(
        &mut self,
        path: &str,
        before: Option<&Value>,
        after: Option<&Value>,
        (class, reason): (ChangeClass, &'static str),
    ) {
        if before.map(to_canonical) != after.map(to_canonical) {
            let path = path.to_owned();
            self.0.push(PathChange { path, before: before.cloned(), after: after.cloned(), class, reason });
        }
    }
}

fn names<'a>(values: impl IntoIterator<Item = Option<&'a Value>>) -> BTreeSet<&'a str> {
    let objects = values.into_iter().flatten().filter_map(Value::as_object);
    objects.flat_map(|members| members.keys().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_live_mapping_is_distinguished_from_a_wanted_one_by_what_differs_alone() {
        let wanted = json!({"dynamic": false, "properties": {
            "name": {"type": "text", "norms": true, "fields": {"exact": {"type": "keyword"}}},
            "labels": {"type": "flattened"},
            "inner": {"type": "object", "properties": {"at": {"type": "date"}, "added": {"type": "long"}}},
            "added": {"type": "keyword"},
        }});
        let live = json!({"dynamic": "false", "_meta": {"pillowtop": {"hash": "0"}}, "properties": {
            "name": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
            "labels": {"type": "flat_object"},
            "inner": {"properties": {"at": {"type": "date"}}},
        }});
        let changes = |live: &Value| -> Vec<(String, ChangeClass)> {
            let changes = live_changes(live, &wanted).unwrap();
            changes.into_iter().map(|change| (change.path, change.class)).collect()
        };
        let added = |path: &str| (path.to_owned(), ChangeClass::Additive);
        assert_eq!(changes(&live), [added("added"), added("inner.added")]);
        let mut other = live;
        other["properties"]["inner"]["properties"]["at"]["format"] = json!("yyyy");
        other["properties"]["gone"] = json!({"type": "long"});
        let found = changes(&other);
        assert!(found.contains(&("gone".to_owned(), ChangeClass::Breaking)), "{found:?}");
        assert!(found.iter().any(|(path, _)| path.starts_with("inner.at")), "{found:?}");
        assert!(changes(&wanted).is_empty());
    }
}
