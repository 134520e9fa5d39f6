//! What is added, taken away or made something else, and the root of a mapping.

use pillowtop_core::diff::ChangeClass::{self, Additive, Breaking, NeedsReindex};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::classes::class_of;
use crate::server::Server;

/// A change, its class, and whether the live index takes it.
type Row = (Value, Value, ChangeClass, bool);

/// Fields, their parameters, multi-fields and what is below them.
fn fields() -> Vec<Row> {
    let object = |inner: Value| json!({"type": "object", "properties": inner});
    let nested = |inner: Value| json!({"type": "nested", "properties": inner});
    let text = json!({"type": "text"});
    let keyword = json!({"type": "keyword"});
    let with = |fields: Value| json!({"type": "text", "fields": fields});
    let exact = |name: &str, value: Value| json!({"type": "keyword", name: value});
    let mut rows = vec![
        (text.clone(), with(json!({"exact": keyword})), Additive, true),
        // Merged, so accepted, and yet what was searched is gone from the struct.
        (with(json!({"exact": keyword})), text.clone(), Breaking, true),
        (with(json!({"exact": keyword})), with(json!({"exact": text})), Breaking, false),
        (
            with(json!({"exact": exact("ignore_above", json!(8))})),
            with(json!({"exact": exact("ignore_above", json!(9))})),
            Additive,
            true,
        ),
        // Taken by the live field, which then finds less.
        (exact("ignore_above", json!(9)), exact("ignore_above", json!(8)), Breaking, true),
        (exact("copy_to", json!(["a", "b"])), exact("copy_to", json!("a")), Breaking, true),
        (exact("copy_to", json!("a")), exact("copy_to", json!(["a", "b"])), Additive, true),
        (keyword.clone(), exact("null_value", json!("a")), NeedsReindex, false),
        (exact("null_value", json!("a")), keyword.clone(), Breaking, false),
        (json!({"type": "text", "fielddata": true}), text.clone(), Breaking, true),
        (object(json!({"a": text})), object(json!({"a": text, "b": keyword})), Additive, true),
        (object(json!({"a": text, "b": keyword})), object(json!({"a": text})), Breaking, true),
        (object(json!({"a": text})), object(json!({"a": keyword})), Breaking, false),
        (nested(json!({"a": text})), nested(json!({"a": text, "b": keyword})), Additive, true),
        (nested(json!({"a": text})), nested(json!({"a": text, "b": nested(json!({}))})), Additive, true),
        (object(json!({"a": text})), nested(json!({"a": text})), Breaking, false),
        (nested(json!({"a": text})), object(json!({"a": text})), Breaking, false),
        (object(json!({"a": text})), text.clone(), Breaking, false),
        (text.clone(), object(json!({"a": text})), Breaking, false),
        (
            object(json!({"a": object(json!({}))})),
            object(json!({"a": object(json!({"b": text}))})),
            Additive,
            true,
        ),
        (
            json!({"type": "object", "dynamic": true}),
            json!({"type": "object", "dynamic": false}),
            Breaking,
            true,
        ),
        (
            json!({"type": "nested", "dynamic": false}),
            json!({"type": "nested", "dynamic": "strict"}),
            Additive,
            true,
        ),
        (
            json!({"type": "object", "enabled": false}),
            json!({"type": "object", "enabled": true}),
            NeedsReindex,
            false,
        ),
        (
            json!({"type": "object", "enabled": true}),
            json!({"type": "object", "enabled": false}),
            Breaking,
            false,
        ),
    ];
    let types = [
        ("keyword", "text", Breaking),
        ("text", "keyword", Breaking),
        ("date", "keyword", Breaking),
        ("boolean", "keyword", Breaking),
        ("long", "date", Breaking),
        ("geo_point", "keyword", Breaking),
        ("ip", "keyword", Breaking),
        ("integer", "long", NeedsReindex),
        ("long", "integer", NeedsReindex),
        ("float", "double", NeedsReindex),
        ("date", "date_nanos", NeedsReindex),
        ("integer_range", "long_range", NeedsReindex),
    ];
    rows.extend(
        types.map(|(one, other, class)| (json!({"type": one}), json!({"type": other}), class, false)),
    );
    rows
}

/// Whole mappings: fields that come and go, and what only the root has.
fn roots() -> Vec<Row> {
    let field = |field: Value| json!({"properties": {"field": field}});
    let template = |name: &str| json!({name: {"match": format!("{name}*"), "mapping": {"type": "keyword"}}});
    vec![
        (json!({"properties": {}}), field(json!({"type": "text"})), Additive, true),
        (json!({"properties": {}}), field(json!({"type": "nested"})), Additive, true),
        (field(json!({"type": "text"})), json!({"properties": {}}), Breaking, true),
        (json!({"dynamic": false}), json!({"dynamic": "strict"}), Additive, true),
        (json!({"dynamic": false}), json!({"dynamic": true}), Additive, true),
        (json!({"dynamic": true}), json!({"dynamic": false}), Breaking, true),
        (json!({"date_detection": true}), json!({"date_detection": false}), Additive, true),
        (json!({"numeric_detection": true}), json!({"numeric_detection": false}), Additive, true),
        (
            json!({"dynamic_date_formats": ["yyyy"]}),
            json!({"dynamic_date_formats": ["MM/yyyy"]}),
            Additive,
            true,
        ),
        (json!({}), json!({"dynamic_templates": [template("a")]}), Additive, true),
        (
            json!({"dynamic_templates": [template("a"), template("b")]}),
            json!({"dynamic_templates": [template("b"), template("a")]}),
            Additive,
            true,
        ),
        (json!({"_meta": {"a": 1}}), json!({"_meta": {"a": 2}}), Additive, true),
        (json!({"_meta": {"a": 1}}), json!({}), Additive, true),
        // The server takes what says less, and keeps what it had.
        (json!({"date_detection": false}), json!({}), NeedsReindex, true),
        (json!({"dynamic_templates": [template("a")]}), json!({}), NeedsReindex, true),
        (
            json!({"_source": {"excludes": ["a"]}}),
            json!({"_source": {"excludes": ["b"]}}),
            NeedsReindex,
            false,
        ),
        (
            json!({"_routing": {"required": false}}),
            json!({"_routing": {"required": true}}),
            NeedsReindex,
            false,
        ),
        (json!({}), json!({"enabled": false}), Breaking, false),
    ]
}

/// One index has all fields as they were, each under a name of its own.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_field_has_its_class_and_the_server_agrees() {
    let server = Server::connect().await;
    let rows = fields();
    let named = |number: usize, field: &Value| json!({"properties": {format!("field{number}"): field}});
    let all: Map<String, Value> =
        rows.iter().enumerate().map(|(number, row)| (format!("field{number}"), row.0.clone())).collect();
    let index = server.create("fields", &json!({"dynamic": false, "properties": all})).await.unwrap();
    index.index(&json!({})).await;
    let mut wrong = Vec::new();
    for (number, (before, after, class, is_accepted)) in rows.iter().enumerate() {
        let found = class_of(&named(number, before), &named(number, after));
        let response = index.put(&named(number, after)).await;
        wrong.extend(judge(before, after, (*class, *is_accepted), found, &response));
    }
    index.delete().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each in an index of its own, side by side.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_root_has_its_class_and_the_server_agrees() {
    let server = Server::connect().await;
    let mut changes = JoinSet::new();
    for (number, (before, after, class, is_accepted)) in roots().into_iter().enumerate() {
        let server = server.clone();
        changes.spawn(async move {
            let found = class_of(&before, &after);
            let index = server.create(&format!("root{number}"), &before).await.unwrap();
            index.index(&json!({})).await;
            let response = index.put(&after).await;
            index.delete().await;
            judge(&before, &after, (class, is_accepted), found, &response)
        });
    }
    let wrong: Vec<String> = changes.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a change's class, or with what the server made of it.
fn judge(
    before: &Value,
    after: &Value,
    (class, is_accepted): (ChangeClass, bool),
    found: Option<ChangeClass>,
    response: &Result<(), String>,
) -> Option<String> {
    assert!(class != Additive || is_accepted, "additive means accepted");
    (found != Some(class) || response.is_ok() != is_accepted)
        .then(|| format!("{before} -> {after}: {found:?}, expected {class:?}; the server: {response:?}"))
}
