//! Searches: by fields, by analyzers, by dates, by existence.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{EmbeddedTarget, definition, finds, mapped, open, put};
use crate::EmbeddedError;
use pillowtop_runtime::target::Target;

async fn filled(
    directory: &Path,
    properties: &Value,
    settings: Value,
    documents: &[(&str, Value)],
) -> Arc<EmbeddedTarget> {
    let mappings = json!({"dynamic": false, "properties": properties});
    let target = open(directory, &definition(mappings, settings)).await;
    for (id, source) in documents {
        put(&target, id, source).await;
    }
    target.flush().await.unwrap();
    target
}

#[tokio::test]
async fn every_type_is_found_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let properties = json!({
        "name": {"type": "text", "fields": {"exact": {"type": "keyword"}, "low": {"type": "keyword", "normalizer": "lowercase"}}},
        "age": {"type": "integer"}, "big": {"type": "unsigned_long"}, "weight": {"type": "float"},
        "closed": {"type": "boolean"}, "address": {"type": "ip"}, "hidden": {"type": "keyword", "index": false},
        "owner": {"properties": {"name": {"type": "keyword", "ignore_above": 5}}},
        "visits": {"type": "nested", "properties": {"kind": {"type": "keyword"}}},
        "props": {"type": "flattened"}, "state": {"type": "keyword", "null_value": "none", "copy_to": "all"},
        "all": {"type": "text"}, "short": {"type": "alias", "path": "owner.name"},
    });
    let documents = [
        (
            "a",
            json!({"name": "Anna Kovač", "age": 7, "big": u64::MAX, "weight": 1.5, "closed": "true", "address": "10.0.0.1",
            "hidden": "secret", "owner": {"name": "Ben"}, "visits": [{"kind": "home"}, {"kind": "clinic"}],
            "props": {"colour": "red", "inner": {"n": 5}}, "state": "Open now", "unmapped": "ghost"}),
        ),
        (
            "b",
            json!({"name": ["Bela", "Anna-Maria"], "age": "12", "closed": false, "owner.name": "Benjamin", "state": null}),
        ),
    ];
    let target = filled(directory.path(), &properties, json!({}), &documents).await;
    for (query, expected) in [
        ("anna", &["a", "b"][..]),
        ("ghost", &[]),
        ("secret", &[]),
        ("name:ANNA", &["a", "b"]),
        ("name:\"anna kovač\"", &["a"]),
        ("+anna -kovač", &["b"]),
        ("name.exact:\"Anna Kovač\"", &["a"]),
        ("name.exact:anna", &[]),
        ("name.low:bela", &["b"]),
        ("name:kov*", &["a"]),
        ("name.exact:Anna*", &["a", "b"]),
        ("age:7", &["a"]),
        ("age:12", &["b"]),
        ("age:[7 TO 12}", &["a"]),
        ("age:{7 TO *}", &["b"]),
        ("big:18446744073709551615", &["a"]),
        ("weight:1.5", &["a"]),
        ("closed:true", &["a"]),
        ("address:10.0.0.1", &["a"]),
        ("owner.name:Ben", &["a"]),
        ("owner.name:Benjamin", &[]),
        ("short:Ben", &["a"]),
        ("visits.kind:clinic", &["a"]),
        ("props.colour:red", &["a"]),
        ("props.inner.n:5", &["a"]),
        ("state:none", &["b"]),
        ("all:open", &["a"]),
        ("owner.name:*", &["a"]),
        ("pillowtop.id:b", &["b"]),
        ("_id:b", &["b"]),
        ("*", &["a", "b"]),
    ] {
        finds(&target, query, expected);
    }
    assert_eq!(target.count(), 2);
    assert_eq!(target.get("a").unwrap(), Some(documents[0].1.clone()));
    assert_eq!(target.get("c").unwrap(), None);
    let limited = target.search("*", 1).unwrap();
    assert_eq!((limited.total, limited.hits.len()), (2, 1));
    assert_eq!(target.search("*", 0).unwrap().total, 2);
    assert_eq!(target.search("kovač", 9).unwrap().hits[0].source, documents[0].1);
}

#[tokio::test]
async fn dates_are_found_by_what_their_text_leaves_open() {
    let directory = tempfile::tempdir().unwrap();
    let properties = json!({
        "on": {"type": "date"}, "us": {"type": "date", "format": "MM/dd/yyyy"}, "exact": {"type": "date_nanos"},
    });
    let documents = [
        (
            "a",
            json!({"on": "2024-02-29T13:05:07.250Z", "us": "02/29/2024", "exact": "2024-02-29T13:05:07.000000001Z"}),
        ),
        (
            "b",
            json!({"on": 1_709_251_200_000_i64, "us": "03/01/2024", "exact": "2024-02-29T13:05:07.000000002Z"}),
        ),
        ("c", json!({"on": "9999-12-31", "us": "12/31/0001"})),
    ];
    let target = filled(directory.path(), &properties, json!({}), &documents).await;
    for (query, expected) in [
        ("on:2024-02-29", &["a"][..]),
        ("on:2024-02", &["a"]),
        ("on:2024", &["a", "b"]),
        ("on:\"2024-02-29T13:05:07\"", &["a"]),
        ("on:\"2024-02-29T13:05:07.251Z\"", &[]),
        ("on:[2024-02-29 TO 2024-03-01]", &["a", "b"]),
        ("on:[2024-02-29 TO 2024-03-01}", &["a"]),
        ("on:{2024-02-29 TO *}", &["b", "c"]),
        ("on:{* TO 2024-02-28]", &[]),
        ("on:1709251200000", &["b"]),
        ("us:\"02/29/2024\"", &["a"]),
        ("us:2024-02-29", &["a"]),
        ("us:{* TO 2000]", &["c"]),
        ("exact:\"2024-02-29T13:05:07.000000002Z\"", &["b"]),
        ("exact:*", &["a", "b"]),
    ] {
        finds(&target, query, expected);
    }
    let error = target.search("on:someday", 10).unwrap_err().to_string();
    assert!(error.contains("`someday` is not a date of field `on`"), "{error}");
}

#[tokio::test]
async fn analyzers_of_the_settings_cut_strings() {
    let directory = tempfile::tempdir().unwrap();
    let with = |analyzer: &str| json!({"type": "text", "analyzer": analyzer});
    let properties = json!({
        "plain": {"type": "text"}, "comma": with("comma"), "simple": with("simple"), "blank": with("whitespace"),
        "whole": with("keyword"), "stopped": with("stop"), "folded": with("folding"), "standard": with("standard"),
        "group": with("group"), "key": {"type": "keyword", "normalizer": "fold"}, "unknown": with("klingon"),
    });
    let settings = json!({"analysis": {
        "analyzer": {
            "default": {"type": "custom", "tokenizer": "whitespace", "filter": ["lowercase"]},
            "comma": {"type": "pattern", "pattern": "\\s*,\\s*"},
            "folding": {"tokenizer": "standard", "filter": ["lowercase", "asciifolding", "mine"]},
            "group": {"type": "custom", "tokenizer": "dashes"},
        },
        "tokenizer": {"dashes": {"type": "char_group", "tokenize_on_chars": ["whitespace", "-"]}},
        "filter": {"mine": {"type": "stop", "stopwords": ["und"]}},
        "normalizer": {"fold": {"type": "custom", "filter": ["lowercase", "asciifolding"]}},
    }});
    let text = json!("The O'Neil-case, 3.5 und Été");
    let names = [
        "plain", "comma", "simple", "blank", "whole", "stopped", "folded", "standard", "group", "key",
        "unknown",
    ];
    let source = Value::Object(names.iter().map(|name| ((*name).to_owned(), text.clone())).collect());
    let target = filled(directory.path(), &properties, settings, &[("a", source)]).await;
    let yes = [
        "plain:\"o'neil-case,\"",
        "comma:\"the o'neil-case\"",
        "comma:\"3.5 und été\"",
        "simple:neil",
        "blank:Été",
        "whole:\"The O'Neil-case, 3.5 und Été\"",
        "stopped:neil",
        "folded:ete",
        "folded:ÉTÉ",
        "standard:\"o'neil\"",
        "standard:3.5",
        "standard:the",
        "standard:und",
        "group:case,",
        "key:\"THE o'neil-case, 3.5 und ete\"",
        "unknown:\"o'neil\"",
    ];
    for query in yes {
        finds(&target, query, &["a"]);
    }
    for query in [
        "plain:neil",
        "comma:neil",
        "blank:été",
        "whole:neil",
        "stopped:the",
        "folded:und",
        "standard:neil",
        "key:neil",
    ] {
        finds(&target, query, &[]);
    }
}

#[tokio::test]
async fn words_of_other_scripts_are_words() {
    let directory = tempfile::tempdir().unwrap();
    let text = json!({"t": "हिन्दी भाषा। 中文 x_y 1,000"});
    let target = filled(directory.path(), &json!({"t": {"type": "text"}}), json!({}), &[("a", text)]).await;
    for query in ["t:हिन्दी", "t:भाषा", "t:中", "t:文", "t:x_y", "t:\"1,000\""] {
        finds(&target, query, &["a"]);
    }
    finds(&target, "t:हिन", &[]);
}

#[tokio::test]
async fn errors_about_queries_name_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"n": {"type": "long"}}))).await;
    for (query, part) in [("n:(", "cannot be read"), ("other:1", "other"), ("n:one", "int")] {
        let error = target.search(query, 10).unwrap_err();
        assert!(matches!(error, EmbeddedError::Query { .. }), "{query}: {error}");
        assert!(error.to_string().contains(part), "{query}: {error}");
    }
}
