//! What the products' references of mappings show can be written in attributes.

use std::collections::HashMap;

use pillowtop::CouchDocument;
use pillowtop::definition::root_mapping;
use serde::Serialize;
use serde_json::{Value, json};

/// The whole mapping without what the runtime adds.
fn root<Type: CouchDocument>() -> Value {
    let mut root = root_mapping(Type::MAPPING);
    root["properties"].as_object_mut().map(|members| members.remove("pillowtop"));
    root
}

fn properties<Type: CouchDocument>() -> Value {
    root::<Type>()["properties"].take()
}

#[derive(Serialize, CouchDocument)]
#[es(subobjects = false)]
struct Dotted {
    #[serde(rename = "host.name")]
    #[es(keyword)]
    host: String,
    #[serde(rename = "host.port")]
    port: i32,
}

#[test]
fn names_may_have_dots_where_they_make_no_objects() {
    let mut properties = properties::<Dotted>();
    // The runtime's own fields stand by their paths too.
    let reserved: Vec<Value> = ["pillowtop.db", "pillowtop.id", "pillowtop.rev"]
        .iter()
        .filter_map(|name| properties.as_object_mut()?.remove(*name))
        .collect();
    assert_eq!(reserved.len(), 3);
    let expected = json!({"host.name": {"type": "keyword"}, "host.port": {"type": "integer"}});
    assert_eq!(properties, expected);
    assert_eq!(root::<Dotted>()["subobjects"], json!(false));
}

#[derive(Serialize, CouchDocument)]
struct Values {
    #[es(ip, null_value = "::1", ignore_malformed = true)]
    address: String,
    #[es(keyword, normalizer = "lower", ignore_above = 256, copy_to = "all")]
    code: String,
    #[es(
        text,
        analyzer = "comma",
        search_analyzer = "standard",
        search_quote_analyzer = "english",
        index_prefixes(min_chars = 1, max_chars = 10),
        fielddata_frequency_filter(min = 0.001, max = 0.1, min_segment_size = 500),
        term_vector = with_positions_offsets
    )]
    words: String,
    #[es(join, relations(question = ["answer", "comment"], answer = "vote"))]
    thread: String,
    #[es(completion, contexts = [(name = "place", type = "geo", precision = 4)])]
    wrapped: String,
    #[es(flattened, depth_limit = 5)]
    labels: HashMap<String, String>,
    #[es(knn_vector, dimension = 3, method(name = "hnsw", engine = "faiss", parameters(m = 16)))]
    nearest: [f32; 3],
    #[es(date, format = "yyyy-MM-dd", locale = "de-DE", meta(unit = "day"))]
    day: String,
    #[es(geo_point, null_value(lat = 41.5, lon = -71.5))]
    place: String,
    #[es(long, script(source = "emit(1)"), on_script_error = continue)]
    computed: i64,
    #[es(object, enabled = false)]
    raw: Value,
    #[es(nested, include_in_root = true, properties(at(date), who(object, dynamic = strict, properties(id(keyword)))))]
    history: Vec<HashMap<String, String>>,
}

#[test]
fn parameters_of_every_shape_are_written() {
    assert_eq!(
        properties::<Values>(),
        json!({
            "address": {"type": "ip", "null_value": "::1", "ignore_malformed": true},
            "code": {"type": "keyword", "normalizer": "lower", "ignore_above": 256, "copy_to": "all"},
            "words": {"type": "text", "analyzer": "comma", "search_analyzer": "standard",
                "search_quote_analyzer": "english", "index_prefixes": {"min_chars": 1, "max_chars": 10},
                "fielddata_frequency_filter": {"min": 0.001, "max": 0.1, "min_segment_size": 500},
                "term_vector": "with_positions_offsets"},
            "thread": {"type": "join", "relations": {"question": ["answer", "comment"], "answer": "vote"}},
            "wrapped": {"type": "completion",
                "contexts": [{"name": "place", "type": "geo", "precision": 4}]},
            "labels": {"type": "flattened", "depth_limit": 5},
            "nearest": {"type": "knn_vector", "dimension": 3,
                "method": {"name": "hnsw", "engine": "faiss", "parameters": {"m": 16}}},
            "day": {"type": "date", "format": "yyyy-MM-dd", "locale": "de-DE", "meta": {"unit": "day"}},
            "place": {"type": "geo_point", "null_value": {"lat": 41.5, "lon": -71.5}},
            "computed": {"type": "long", "script": {"source": "emit(1)"}, "on_script_error": "continue"},
            "raw": {"type": "object", "enabled": false},
            "history": {"type": "nested", "include_in_root": true, "properties": {
                "at": {"type": "date"},
                "who": {"type": "object", "dynamic": "strict", "properties": {"id": {"type": "keyword"}}},
            }},
        })
    );
}

#[derive(Serialize, CouchDocument)]
#[es(
    dynamic = strict,
    numeric_detection = false,
    dynamic_date_formats = ["yyyy-MM-dd"],
    dynamic_templates = [
        strings(match_mapping_type = "string", unmatch = "*_text", mapping(type = "keyword")),
        numbers(path_match = "numbers.*", match_pattern = "simple", runtime(type = "long")),
    ],
    runtime(hour(type = "long", script(source = "emit(1)")), name(type = "keyword")),
    derived(day(type = "keyword", script(source = "emit('x')"))),
    _source(includes = ["a.*"], excludes = ["secret"]),
    _routing(required = false),
    _meta(owner = "search", versions = [1, 2]),
    _size(enabled = true),
    _data_stream_timestamp(enabled = true)
)]
struct Everything {
    #[serde(rename = "@timestamp")]
    #[es(date)]
    at: String,
}

#[test]
fn the_root_says_all_that_a_root_can() {
    assert_eq!(
        root::<Everything>(),
        json!({
            "dynamic": "strict",
            "date_detection": false,
            "numeric_detection": false,
            "dynamic_date_formats": ["yyyy-MM-dd"],
            "dynamic_templates": [
                {"strings": {"match_mapping_type": "string", "unmatch": "*_text", "mapping": {"type": "keyword"}}},
                {"numbers": {"path_match": "numbers.*", "match_pattern": "simple", "runtime": {"type": "long"}}},
            ],
            "runtime": {"hour": {"type": "long", "script": {"source": "emit(1)"}}, "name": {"type": "keyword"}},
            "derived": {"day": {"type": "keyword", "script": {"source": "emit('x')"}}},
            "_source": {"includes": ["a.*"], "excludes": ["secret"]},
            "_routing": {"required": false},
            "_meta": {"owner": "search", "versions": [1, 2]},
            "_size": {"enabled": true},
            "_data_stream_timestamp": {"enabled": true},
            "properties": {"@timestamp": {"type": "date"}},
        })
    );
}
