//! What is added, taken away or made something else, and the root of a mapping.

use pillowtop_core::diff::ChangeClass::{self, Additive, Breaking, NeedsReindex};
use serde_json::{Value, json};

use crate::classes::class_of;
use crate::server::Server;

/// A change, its class, and whether the live index takes it.
type Row = (Value, Value, ChangeClass, bool);

fn fields(before: &Value, after: &Value, class: ChangeClass, accepted: bool) -> Row {
    (json!({"properties": {"field": before}}), json!({"properties": {"field": after}}), class, accepted)
}

fn rows() -> Vec<Row> {
    let object = |inner: Value| json!({"type": "object", "properties": inner});
    let nested = |inner: Value| json!({"type": "nested", "properties": inner});
    let text = json!({"type": "text"});
    let keyword = json!({"type": "keyword"});
    let with = |fields: Value| json!({"type": "text", "fields": fields});
    let mut rows = vec![
        (json!({"properties": {}}), json!({"properties": {"field": text}}), Additive, true),
        // Merged, so accepted, and yet what was searched is gone from the struct.
        (json!({"properties": {"field": text}}), json!({"properties": {}}), Breaking, true),
        fields(&text, &with(json!({"exact": keyword})), Additive, true),
        fields(&with(json!({"exact": keyword})), &text, Breaking, true),
        fields(&with(json!({"exact": keyword})), &with(json!({"exact": text})), Breaking, false),
        fields(
            &with(json!({"exact": keyword})),
            &with(json!({"exact": {"type": "keyword", "ignore_above": 9}})),
            Additive,
            true,
        ),
        fields(&object(json!({"a": text})), &object(json!({"a": text, "b": keyword})), Additive, true),
        fields(&object(json!({"a": text, "b": keyword})), &object(json!({"a": text})), Breaking, true),
        fields(&object(json!({"a": text})), &object(json!({"a": keyword})), Breaking, false),
        fields(&nested(json!({"a": text})), &nested(json!({"a": text, "b": keyword})), Additive, true),
        fields(&object(json!({"a": text})), &nested(json!({"a": text})), Breaking, false),
        fields(&nested(json!({"a": text})), &object(json!({"a": text})), Breaking, false),
        fields(&object(json!({"a": text})), &text, Breaking, false),
        fields(&text, &object(json!({"a": text})), Breaking, false),
        fields(
            &object(json!({"a": object(json!({}))})),
            &object(json!({"a": object(json!({"b": text}))})),
            Additive,
            true,
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
        types.map(|(one, other, class)| fields(&json!({"type": one}), &json!({"type": other}), class, false)),
    );
    let at_root = [
        (json!({"dynamic": false}), json!({"dynamic": "strict"}), Additive, true),
        (json!({"dynamic": true}), json!({"dynamic": false}), Additive, true),
        (json!({"date_detection": true}), json!({"date_detection": false}), Additive, true),
        (json!({"numeric_detection": true}), json!({"numeric_detection": false}), Additive, true),
        (
            json!({"dynamic_date_formats": ["yyyy"]}),
            json!({"dynamic_date_formats": ["MM/yyyy"]}),
            Additive,
            true,
        ),
        (
            json!({}),
            json!({"dynamic_templates": [{"all": {"match": "*", "mapping": {"type": "keyword"}}}]}),
            Additive,
            true,
        ),
        (json!({"_meta": {"a": 1}}), json!({"_meta": {"a": 2}}), Additive, true),
        // The server takes what says less, and keeps what it had.
        (json!({"date_detection": false}), json!({}), NeedsReindex, true),
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
    ];
    rows.extend(at_root);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_has_its_class_and_the_server_agrees() {
    let server = Server::connect().await;
    let mut wrong = Vec::new();
    for (number, (before, after, class, accepted)) in rows().into_iter().enumerate() {
        let found = class_of(&before, &after);
        let index = server.create(&format!("structure{number}"), &before).await.unwrap();
        index.index(&json!({})).await;
        let answer = index.put(&after).await;
        index.delete().await;
        if found != Some(class) || answer.is_ok() != accepted {
            wrong.push(format!("{before} -> {after}: {found:?}, expected {class:?}; the server: {answer:?}"));
        }
        assert!(class != Additive || accepted, "additive means accepted");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
