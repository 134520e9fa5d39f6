//! A server refuses exactly the mappings that are refused before it is asked, and gets the settings
//! of its environment.

use std::collections::BTreeMap;

use pillowtop_core::Definition;
use pillowtop_core::field_types::Product;
use pillowtop_core::limits::examine;
use pillowtop_core::references::wrong_references;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions, IndexUse, SettingsOverrides};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::{Map, Value, json};

use crate::world::{World, definition};

fn keywords(count: usize) -> Map<String, Value> {
    (0..count).map(|number| (format!("f{number}"), json!({"type": "keyword"}))).collect()
}

/// Creates an index of a mapping, and compares the server's verdict with ours. Tells whether both
/// accept it.
#[track_caller]
fn is_accepted(world: &World, properties: &Value, settings: &Value) -> bool {
    let definition = Definition { settings: settings.clone(), ..definition(properties) };
    let findings = examine(&definition.mappings, &definition.settings, &[world.cluster.target()]);
    let past: Vec<String> =
        findings.iter().filter(|finding| finding.is_past()).map(ToString::to_string).collect();
    let runtime = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runtime.block_on(world.cluster.create_index(&definition, IndexUse::Following))
    });
    match outcome {
        Ok(created) => {
            world.http("DELETE", &format!("/{}", created.name), &Value::Null, 200);
            assert!(past.is_empty(), "the server accepts {properties}, but {past:?}");
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.to_lowercase().contains("limit"), "{text}");
            assert!(!past.is_empty(), "the server refuses {properties}: {text}");
            false
        }
    }
}

/// The largest number of a thing that is accepted, by asking for it and one more.
#[track_caller]
fn boundary(world: &World, at: usize, settings: &Value, properties: impl Fn(usize) -> Value) {
    assert!(is_accepted(world, &properties(at), settings), "{at} are accepted");
    assert!(!is_accepted(world, &properties(at + 1), settings), "{} are refused", at + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fields_say_of_others_is_refused_exactly_where_the_server_refuses_it() {
    let world = World::new("references").await;
    let text = json!({"type": "text", "fields": {"exact": {"type": "keyword"}}});
    let alias = |path: &str| json!({"type": "alias", "path": path});
    let copied = |target: &str| json!({"type": "keyword", "copy_to": [target]});
    let nested = |inner: Value| json!({"type": "nested", "properties": {"t": text, "x": inner}});
    let join = json!({"type": "join", "relations": {"a": "b"}});
    let (mut accepted, mut refused) = (0, 0);
    let outer = ["t", "t.exact", "n", "n.t", "n.x", "o", "o.t", "x", "nowhere"];
    let mut cases = vec![json!({"j": join}), json!({"j": join, "k": join})];
    for path in outer {
        for printed in [alias(path), copied(path)] {
            let object = json!({"properties": {"t": text}});
            cases.push(json!({"t": text, "o": object, "n": nested(text.clone()), "x": printed}));
            cases.push(json!({"t": text, "o": object, "n": nested(printed.clone())}));
        }
    }
    for properties in cases {
        let definition = definition(&properties);
        let wrong = wrong_references(&definition.mappings);
        match world.cluster.create_index(&definition, IndexUse::Following).await {
            Ok(created) => {
                world.http("DELETE", &format!("/{}", created.name), &Value::Null, 200);
                assert!(wrong.is_empty(), "the server accepts {properties}, but {wrong:?}");
                accepted += 1;
            }
            Err(error) => {
                assert!(!wrong.is_empty(), "the server refuses {properties}: {error}");
                refused += 1;
            }
        }
    }
    assert!(accepted >= 5 && refused >= 5, "{accepted} accepted, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_counted_as_the_server_counts_them() {
    let world = World::new("countfields").await;
    boundary(&world, 1000, &json!({}), |count| Value::Object(keywords(count)));
    let settings = json!({"mapping": {"total_fields": {"limit": 20}}});
    let mut cases = vec![
        json!({"properties": {"x": {"type": "keyword"}}}),
        json!({"type": "text", "fields": {"x": {"type": "keyword"}}}),
        json!({"type": "alias", "path": "f0"}),
        json!({"type": "nested", "properties": {"x": {"type": "keyword"}}}),
        json!({"type": "text", "index_prefixes": {}}),
        json!({"type": "text", "index_phrases": true}),
        json!({"type": "join", "relations": {"a": ["b", "c"], "b": "d"}}),
        json!({"type": "completion"}),
        json!({"type": "geo_point"}),
        json!({"type": "object", "enabled": false}),
        json!({"properties": {"b.c": {"type": "keyword"}, "b.d": {"type": "keyword"}}}),
    ];
    let target = world.cluster.target();
    // Later servers of Elasticsearch may be installed without the module of this type.
    if target.product == Product::OpenSearch || target.version.major == 7 {
        cases.push(json!({"type": "search_as_you_type"}));
        cases.push(json!({"type": "search_as_you_type", "max_shingle_size": 4}));
    }
    if target.product == Product::OpenSearch && target.version.major == 3 {
        cases.push(json!({"type": "percolator"}));
    }
    for case in cases {
        let with = |count: usize| {
            let mut properties = keywords(count);
            properties.insert("o".to_owned(), case.clone());
            Value::Object(properties)
        };
        // However many the field counts for: up to the boundary and past it, the verdicts are
        // equal.
        let accepted: Vec<bool> =
            (13..21).map(|count| is_accepted(&world, &with(count), &settings)).collect();
        assert!(accepted[0] && !accepted[7], "{case}: {accepted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_nested_fields_and_names_are_counted_as_the_server_counts_them() {
    let world = World::new("countothers").await;
    boundary(&world, 20, &json!({}), |levels| {
        let mut field = json!({"type": "keyword"});
        for _ in 0..levels {
            field = json!({"properties": {"d": field}});
        }
        field["properties"].clone()
    });
    let is_elasticsearch_9 =
        world.cluster.target().product == Product::Elasticsearch && world.cluster.target().version.major == 9;
    boundary(&world, if is_elasticsearch_9 { 100 } else { 50 }, &json!({}), |count| {
        (0..count).map(|number| (format!("n{number}"), json!({"type": "nested"}))).collect()
    });
    // The servers count the names of their own fields too, so a limit is longer than those.
    let settings = json!({"mapping": {"field_name_length": {"limit": 30}}});
    for letter in ["n", "ä"] {
        boundary(&world, 30, &settings, |length| json!({letter.repeat(length): {"type": "keyword"}}));
    }
    boundary(&world, 15, &settings, |length| json!({"😀".repeat(length): {"type": "keyword"}}));
    boundary(
        &world,
        30,
        &settings,
        |length| json!({"a": {"type": "keyword", "fields": {"n".repeat(length): {"type": "text"}}}}),
    );
    boundary(
        &world,
        30,
        &settings,
        |length| json!({"a": {"properties": {"n".repeat(length): {"type": "keyword"}}}}),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_has_settings_of_its_own() {
    let world = World::new("overrides").await;
    let url = std::env::var(ELASTIC_URL_VARIABLE).unwrap();
    let settings = SettingsOverrides {
        all: Some(json!({"refresh_interval": "7s", "number_of_shards": 2})),
        by_pillow: BTreeMap::from([("case".into(), json!({"refresh_interval": "9s"}))]),
    };
    let prefix = format!("overrides2{}", std::process::id());
    let options = ClusterOptions { prefix: Some(prefix), settings, ..ClusterOptions::default() };
    let cluster = Cluster::connect(Endpoint::parse(&url, None, None).unwrap(), options).await.unwrap();
    let created = cluster.create_index(&world.definition, IndexUse::Loading).await.unwrap();
    let read = || {
        let all = world.http("GET", &format!("/{}/_settings", created.name), &Value::Null, 200);
        all[created.name.as_str()]["settings"]["index"].clone()
    };
    assert_eq!(read()["number_of_shards"], json!("2"));
    assert_eq!(read()["refresh_interval"], json!("-1"));
    cluster.restore_settings(&world.definition, &created.name).await.unwrap();
    assert_eq!(read()["refresh_interval"], json!("9s"));
    assert_eq!(read()["number_of_replicas"], json!("0"));
    world.http("DELETE", &format!("/{}", created.name), &Value::Null, 200);
}
