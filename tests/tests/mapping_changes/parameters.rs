//! Every parameter of every type that the server has: what the diff says of a change, and what `PUT
//! _mapping` does.

use pillowtop_core::diff::ChangeClass;
use pillowtop_core::field_types::{FieldType, Parameter, field_types};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::classes::class_of;
use crate::samples::{least, values};
use crate::server::{Index, Server};

/// What is declared to need a reindex and yet no change of it is refused by every server: an object
/// keeps a `dynamic` that is left out, and Elasticsearch 8 refuses what the others take of a
/// point's `null_value`.
const ACCEPTED_HERE: [(&str, &str); 4] =
    [("object", "dynamic"), ("nested", "dynamic"), ("passthrough", "dynamic"), ("geo_point", "null_value")];
/// How many types have an index together. Indices are slow to make, and a long mapping is slow to
/// change.
const TOGETHER: usize = 6;

/// A field before and after one parameter of it has changed.
struct Change {
    field: String,
    before: Value,
    after: Value,
    class: ChangeClass,
}

/// All changes of one parameter of a type.
struct Case {
    field_type: &'static str,
    parameter: &'static str,
    changes: Vec<Change>,
}

/// What was found.
#[derive(Default)]
struct Found {
    compared: usize,
    wrong: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn additive_is_accepted_and_fixed_is_refused() {
    let server = Server::connect().await;
    let known = field_types().filter(|known| known.is_available(server.target).is_ok());
    let of_types: Vec<Vec<Case>> = known
        .map(|known| known.parameters().filter_map(|parameter| case(known, parameter, &server)).collect())
        .collect();
    let mut parts = JoinSet::new();
    for (number, part) in split(of_types).into_iter().enumerate() {
        let server = server.clone();
        parts.spawn(async move { compare_all(&server, &format!("part{number}"), part).await });
    }
    let (mut compared, mut wrong) = (0, Vec::new());
    for found in parts.join_all().await {
        compared += found.compared;
        wrong.extend(found.wrong);
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 200, "only {compared} parameters were compared");
}

/// The cases that are tried in one index. An index cannot have two joins, so each case of those is
/// alone.
fn split(of_types: Vec<Vec<Case>>) -> Vec<Vec<Case>> {
    let (mut parts, mut together) = (Vec::new(), Vec::new());
    let is_join = |cases: &[Case]| cases.first().is_some_and(|case| case.field_type == "join");
    for cases in of_types {
        if is_join(&cases) {
            parts.extend(cases.into_iter().map(|case| vec![case]));
        } else {
            together.push(cases);
        }
    }
    while !together.is_empty() {
        let rest = together.split_off(together.len().min(TOGETHER));
        parts.push(together.into_iter().flatten().collect());
        together = rest;
    }
    parts
}

/// Compares cases in one index, or in two halves if the server does not make an index of them all.
/// Whether a server has a type and a parameter at all is the table's own test.
async fn compare_all(server: &Server, name: &str, cases: Vec<Case>) -> Found {
    let mut found = Found::default();
    let mut waiting = vec![cases];
    while let Some(mut cases) = waiting.pop() {
        if let Ok(index) = server.create(name, &mapping(&cases)).await {
            compare(&index, &cases, &mut found).await;
            index.delete().await;
        } else if cases.len() > 1 {
            let half = cases.split_off(cases.len() / 2);
            waiting.extend([cases, half]);
        }
    }
    found
}

/// The changes between two values of a parameter, and of those the live index takes also between
/// one and none.
fn case(field_type: &'static FieldType, parameter: &'static Parameter, server: &Server) -> Option<Case> {
    field_type.parameter_is_available(parameter.name, server.target).ok()?;
    let [first, second] = values(field_type, parameter, server.target)?;
    let none = least(field_type, parameter.name, server.target)?;
    let with = |value: &Value| {
        let mut field = none.clone();
        field.insert(parameter.name.to_owned(), value.clone());
        Value::Object(field)
    };
    let (one, two, none) = (with(&first), with(&second), Value::Object(none.clone()));
    let mut pairs = vec![(one.clone(), two.clone())];
    if field_type.name != "join" {
        pairs.push((two.clone(), one.clone()));
        if !parameter.required {
            pairs.extend([
                (none.clone(), one.clone()),
                (none.clone(), two.clone()),
                (one, none.clone()),
                (two, none),
            ]);
        }
    }
    let changes = pairs.into_iter().enumerate().filter_map(|(number, (before, after))| {
        let fields = |field: &Value| json!({"properties": {"field": field}});
        let class = class_of(&fields(&before), &fields(&after))?;
        let field = format!("{}-{}-{number}", field_type.name, parameter.name);
        Some(Change { field, before, after, class })
    });
    Some(Case { field_type: field_type.name, parameter: parameter.name, changes: changes.collect() })
}

/// An index that has the fields of all changes as they were.
fn mapping(cases: &[Case]) -> Value {
    let changes = cases.iter().flat_map(|case| &case.changes);
    let mut fields: Map<String, Value> =
        changes.map(|change| (change.field.clone(), change.before.clone())).collect();
    fields.insert("target_a".to_owned(), json!({"type": "text"}));
    fields.insert("target_b".to_owned(), json!({"type": "text"}));
    json!({"dynamic": false, "properties": fields})
}

/// Puts the changes to a live index: all that are additive at once, then the others, case by case.
async fn compare(index: &Index, cases: &[Case], found: &mut Found) {
    index.index(&json!({"target_a": "text"})).await;
    let put = async |changes: &[&Change]| {
        let fields: Map<String, Value> =
            changes.iter().map(|change| (change.field.clone(), change.after.clone())).collect();
        index.put(&json!({"properties": fields})).await
    };
    let changes = cases.iter().flat_map(|case| &case.changes);
    let additive: Vec<&Change> = changes.filter(|change| change.class == ChangeClass::Additive).collect();
    if put(&additive).await.is_err() {
        for change in additive {
            if let Err(why) = put(&[change]).await {
                let Change { field, before, after, .. } = change;
                found.wrong.push(format!("{field}: refused: {before} -> {after}: {why}"));
            }
        }
    }
    for case in cases {
        found.compared += 1;
        // A change to what is the default anyway is none to a server, so one refusal shows that the
        // parameter is fixed. What is breaking alone may be taken, and searches lose by it.
        let mut refused = case.changes.iter().all(|change| change.class != ChangeClass::NeedsReindex);
        for change in &case.changes {
            refused = refused || (change.class != ChangeClass::Additive && put(&[change]).await.is_err());
        }
        if !refused && !ACCEPTED_HERE.contains(&(case.field_type, case.parameter)) {
            let Case { field_type, parameter, .. } = case;
            found.wrong.push(format!("{field_type} {parameter}: the server takes all of its changes"));
        }
    }
}
