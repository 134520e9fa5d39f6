//! The description of a table of SQL: its columns and calculators.

use serde_json::{Value, json};

use super::{ChangeClass, Changes};
use crate::table_definition::TABLE;

/// Queries work as before, and find what was not there.
const ADDED: (ChangeClass, &str) =
    (ChangeClass::Additive, "queries work as before; the table is built again with another column");
const REMOVED: (ChangeClass, &str) =
    (ChangeClass::Breaking, "queries that name the column fail once the views show the new table");
const RETYPED: (ChangeClass, &str) = (ChangeClass::Breaking, "the column means something else to queries");
const GROUPS: (ChangeClass, &str) =
    (ChangeClass::Breaking, "rows are grouped in another way, so queries count something else");
const VALUES: (ChangeClass, &str) = (ChangeClass::NeedsReindex, "values of documents may be others");
const ROWS: (ChangeClass, &str) = (ChangeClass::NeedsReindex, "other documents have rows");
const WINDOW: (ChangeClass, &str) =
    (ChangeClass::Additive, "only results without dates change; the rows stay");

/// Whether one of two descriptions is one of a table.
pub(super) fn is_table(before: &Value, after: &Value) -> bool {
    before.get(TABLE).is_some() || after.get(TABLE).is_some()
}

pub(super) fn compare(before: &Value, after: &Value, changes: &mut Changes) {
    let of = |value: &Value, member: &str| value.get(TABLE).and_then(|table| table.get(member)).cloned();
    let pair = |member: &str| (of(before, member).unwrap_or_default(), of(after, member).unwrap_or_default());
    let (old, new) = pair("groups");
    changes.compare("groups", Some(&old), Some(&new), GROUPS);
    let (old, new) = pair("flat");
    for (name, old, new) in named(&old, &new) {
        let class = class_of(old.as_ref(), new.as_ref(), &["type"]);
        changes.compare(&format!("flat {name}"), old.as_ref(), new.as_ref(), class);
    }
    let (old, new) = pair("keep_flat");
    changes.compare("keep_flat", Some(&old), Some(&new), ROWS);
    let (old, new) = pair("calculators");
    for (name, old, new) in named(&old, &new) {
        calculator(&name, old.as_ref(), new.as_ref(), changes);
    }
    let windows = |value: &Value| value.pointer("/_meta/windows").cloned().unwrap_or_else(|| json!({}));
    changes.compare("windows", Some(&windows(before)), Some(&windows(after)), WINDOW);
}

fn calculator(name: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Changes) {
    let (Some(old), Some(new)) = (old, new) else {
        changes.compare(&format!("calculator {name}"), old, new, class_of(old, new, &[]));
        return;
    };
    for (member, class) in [("version", VALUES), ("filter", ROWS)] {
        changes.compare(&format!("calculator {name} {member}"), old.get(member), new.get(member), class);
    }
    let emitters = |calculator: &Value| calculator.get("emitters").cloned().unwrap_or_default();
    for (emitter, old, new) in named(&emitters(old), &emitters(new)) {
        let class = class_of(old.as_ref(), new.as_ref(), &["type", "reduce", "dated", "values"]);
        changes.compare(&format!("{name}_{emitter}"), old.as_ref(), new.as_ref(), class);
    }
}

/// The class of something that was added, removed or changed; a change of some members breaks.
fn class_of(old: Option<&Value>, new: Option<&Value>, breaking: &[&str]) -> (ChangeClass, &'static str) {
    match (old, new) {
        (None, _) => ADDED,
        (_, None) => REMOVED,
        (Some(old), Some(new)) if breaking.iter().any(|member| old.get(member) != new.get(member)) => RETYPED,
        _ => VALUES,
    }
}

/// Both sides of each thing that has a name.
fn named(old: &Value, new: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (old, new) = (list(old), list(new));
    let added = new.iter().filter(|other| !old.iter().any(|one| name(one) == name(other)));
    let added: Vec<_> = added.map(|other| (name(other), None, Some(other.clone()))).collect();
    let kept = old.into_iter().map(|one| {
        let other = new.iter().find(|other| name(other) == name(&one)).cloned();
        (name(&one), Some(one), other)
    });
    kept.chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(emitters: &Value, version: u32, groups: &Value) -> Value {
        json!({"table": {
            "groups": groups, "flat": [], "keep_flat": false,
            "calculators": [{"name": "visits", "version": version, "filter": null, "emitters": emitters}],
        }, "_meta": {"windows": {"visits": 30}}})
    }

    #[test]
    fn each_change_has_its_class() {
        let emitter = |name: &str, reduce: &str| json!({"name": name, "reduce": reduce, "dated": true, "type": "integer", "values": "integer"});
        let base = table(&json!([emitter("total", "sum")]), 1, &json!([{"name": "domain"}]));
        let classes = |after: &Value| {
            let mut changes = Changes::default();
            compare(&base, after, &mut changes);
            changes.0.into_iter().map(|change| (change.path, change.class)).collect::<Vec<_>>()
        };
        let one = |path: &str, class| vec![(path.to_owned(), class)];
        let groups = json!([{"name": "domain"}]);
        let both = json!([emitter("total", "sum"), emitter("most", "max")]);
        assert_eq!(classes(&table(&both, 1, &groups)), one("visits_most", ChangeClass::Additive));
        assert_eq!(
            classes(&table(&json!([emitter("total", "sum")]), 2, &groups)),
            one("calculator visits version", ChangeClass::NeedsReindex)
        );
        assert_eq!(
            classes(&table(&json!([emitter("total", "max")]), 1, &groups)),
            one("visits_total", ChangeClass::Breaking)
        );
        assert_eq!(
            classes(&table(&json!([emitter("total", "sum")]), 1, &json!([]))),
            one("groups", ChangeClass::Breaking)
        );
        assert_eq!(classes(&base), []);
    }
}
