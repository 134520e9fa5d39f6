//! Every parameter of every type that the server has: what the diff says of a change, and what `PUT _mapping` does.

use pillowtop_core::diff::ChangeClass;
use pillowtop_core::field_types::{FieldType, Parameter, field_types};
use serde_json::{Map, Value, json};

use crate::classes::class_of;
use crate::samples::{least, values};
use crate::server::{Index, Server};

/// What is not additive and yet no change of it is refused by every server: an object keeps a `dynamic` that is left out, sorting
/// fails without `fielddata`, and Elasticsearch 8 refuses what the others take of a point's `null_value`.
const ACCEPTED_HERE: [(&str, &str); 6] = [
    ("object", "dynamic"),
    ("nested", "dynamic"),
    ("passthrough", "dynamic"),
    ("text", "fielddata"),
    ("match_only_text", "fielddata"),
    ("geo_point", "null_value"),
];

/// A field before and after one parameter of it has changed.
struct Change {
    field: String,
    before: Value,
    after: Value,
    class: ChangeClass,
}

/// All changes of one parameter.
struct Case {
    parameter: &'static str,
    changes: Vec<Change>,
}

#[tokio::test(flavor = "multi_thread")]
async fn additive_is_accepted_and_fixed_is_refused() {
    let server = Server::connect().await;
    let (mut compared, mut wrong) = (0, Vec::new());
    let known = field_types().filter(|known| known.is_available(server.target).is_ok());
    for field_type in known {
        let cases: Vec<Case> =
            field_type.parameters().filter_map(|parameter| case(field_type, parameter, &server)).collect();
        let all: Vec<&Case> = cases.iter().collect();
        // An index cannot have two of them.
        if field_type.name != "join"
            && let Ok(index) = server.create("all", &mapping(&all)).await
        {
            compared += compare(&index, field_type, &all, &mut wrong).await;
            index.delete().await;
            continue;
        }
        // Whether a server has a type and a parameter at all is the table's own test.
        for case in &all {
            if let Ok(index) = server.create("one", &mapping(&[case])).await {
                compared += compare(&index, field_type, &[case], &mut wrong).await;
                index.delete().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 200, "only {compared} parameters were compared");
}

/// The changes between two values of a parameter, and of those the live index takes also between one and none.
fn case(field_type: &FieldType, parameter: &'static Parameter, server: &Server) -> Option<Case> {
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
        Some(Change { field: format!("{}{number}", parameter.name), before, after, class })
    });
    Some(Case { parameter: parameter.name, changes: changes.collect() })
}

/// An index that has the fields of all changes as they were.
fn mapping(cases: &[&Case]) -> Value {
    let changes = cases.iter().flat_map(|case| &case.changes);
    let mut fields: Map<String, Value> =
        changes.map(|change| (change.field.clone(), change.before.clone())).collect();
    fields.insert("target_a".to_owned(), json!({"type": "text"}));
    fields.insert("target_b".to_owned(), json!({"type": "text"}));
    json!({"dynamic": false, "properties": fields})
}

/// How many parameters were compared.
async fn compare(
    index: &Index<'_>,
    field_type: &FieldType,
    cases: &[&Case],
    wrong: &mut Vec<String>,
) -> usize {
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
                wrong.push(format!(
                    "{} {}: refused: {} -> {}: {why}",
                    field_type.name, change.field, change.before, change.after
                ));
            }
        }
    }
    for case in cases {
        // A change to what is the default anyway is none to a server, so one refusal shows that the parameter is fixed.
        let mut refused = case.changes.iter().all(|change| change.class == ChangeClass::Additive);
        for change in &case.changes {
            refused = refused || (change.class != ChangeClass::Additive && put(&[change]).await.is_err());
        }
        if !refused && !ACCEPTED_HERE.contains(&(field_type.name, case.parameter)) {
            wrong
                .push(format!("{} {}: the server takes all of its changes", field_type.name, case.parameter));
        }
    }
    cases.len()
}
