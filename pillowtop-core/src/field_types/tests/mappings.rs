//! Whole mappings: representative ones that stand here, and real ones where the checkout has them
//! beside it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::{FieldType, field_type, legacy_root_parameter, root_parameter};

/// What the table does not know or does not take in an index body or a template, path by path.
fn complaints(body: &Value) -> Vec<String> {
    let mappings = body.get("mappings").or_else(|| body.pointer("/template/mappings")).unwrap();
    let mut complaints = Vec::new();
    for (name, value) in mappings.as_object().unwrap() {
        match root_parameter(name) {
            _ if name == "properties" => walk_properties("", value, &mut complaints),
            Some(parameter) => {
                complaints.extend(parameter.check(value).err().map(|unfit| format!("{name} {unfit}")));
            }
            None if legacy_root_parameter(name).is_some() => {}
            None => complaints.push(format!("{name} is not a root parameter")),
        }
    }
    let templates = mappings.get("dynamic_templates").and_then(Value::as_array);
    for (name, template) in templates.into_iter().flatten().filter_map(Value::as_object).flatten() {
        if let Some(mapping) = template.get("mapping").and_then(Value::as_object) {
            walk_field(&format!("[{name}]"), mapping, true, &mut complaints);
        }
    }
    complaints
}

fn walk_properties(path: &str, properties: &Value, complaints: &mut Vec<String>) {
    for (name, mapping) in properties.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match mapping.as_object() {
            Some(mapping) => walk_field(&path, mapping, false, complaints),
            None => complaints.push(format!("{path} is not a mapping")),
        }
    }
}

fn walk_field(path: &str, mapping: &Map<String, Value>, template: bool, complaints: &mut Vec<String>) {
    let name = mapping.get("type").and_then(Value::as_str).unwrap_or("object");
    // A template may leave the type to the document.
    if template && (name.starts_with('{') || !mapping.contains_key("type")) {
        return;
    }
    let Some(known) = field_type(name) else {
        complaints.push(format!("{path} has the unknown type {name}"));
        return;
    };
    for (name, value) in mapping.iter().filter(|(name, _)| *name != "type") {
        complaints
            .extend(check_parameter(known, name, value).err().map(|unfit| format!("{path}.{name} {unfit}")));
        if name == "properties" || name == "fields" {
            walk_properties(path, value, complaints);
        }
    }
    for required in known.parameters().filter(|parameter| parameter.required) {
        if !mapping.contains_key(required.name) {
            complaints.push(format!("{path} lacks {}", required.name));
        }
    }
}

fn check_parameter(known: &FieldType, name: &str, value: &Value) -> Result<(), String> {
    known.parameter(name).ok_or_else(|| format!("is not a parameter of {}", known.name))?.check(value)
}

#[test]
fn representative_mappings_are_known() {
    for body in [search_mapping(), document_mapping(), time_series_mapping(), vector_mapping()] {
        assert_eq!(complaints(&body), Vec::<String>::new());
    }
}

#[test]
fn mistakes_are_found_wherever_they_stand() {
    let mut body = document_mapping();
    body["mappings"]["properties"]["owner"]["properties"]["name"]["fields"]["exact"]["ignore_above"] =
        json!(-5);
    body["mappings"]["properties"]["owner"]["properties"]["age"] = json!({"type": "int"});
    body["mappings"]["properties"]["price"] = json!({"type": "scaled_float", "analyzer": "english"});
    body["mappings"]["dynamics"] = json!(false);
    assert_eq!(
        complaints(&body),
        [
            "dynamics is not a root parameter",
            "owner.age has the unknown type int",
            "owner.name.exact.ignore_above expects a whole number from 0 to 2147483647, found `-5`",
            "price.analyzer is not a parameter of scaled_float",
            "price lacks scaling_factor",
        ]
    );
}

/// All that the directory of public mappings holds; a checkout without it checks the same with the
/// mappings above.
#[test]
fn public_mappings_are_known() {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/mappings"));
    let mut bodies = vec![("search".to_owned(), search_mapping())];
    if directory.is_dir() {
        let before = bodies.len();
        bodies.extend(fs_err::read_dir(directory).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            is_json.then(|| {
                (path.display().to_string(), serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap())
            })
        }));
        assert!(bodies.len() > before, "{} holds no mapping", directory.display());
    }
    for (name, body) in bodies {
        assert_eq!(complaints(&body), Vec::<String>::new(), "in {name}");
    }
}

fn search_mapping() -> Value {
    json!({"settings": {}, "mappings": {
        "dynamic": "strict",
        "_source": {"excludes": ["body.raw"]},
        "_routing": {"required": true},
        "properties": {
            "title": {
                "type": "text", "analyzer": "english", "search_quote_analyzer": "standard", "term_vector": "with_positions_offsets",
                "index_prefixes": {"min_chars": 1, "max_chars": 10}, "copy_to": ["all"], "meta": {"language": "en"},
                "fields": {
                    "exact": {"type": "keyword", "normalizer": "lowercase", "ignore_above": 8191},
                    "length": {"type": "token_count", "analyzer": "standard"},
                    "suggest": {"type": "search_as_you_type", "max_shingle_size": 3}
                }
            },
            "all": {"type": "text", "index_options": "offsets", "norms": false, "position_increment_gap": 0},
            "message": {"type": "match_only_text"},
            "line": {"type": "wildcard", "ignore_above": 1024, "null_value": "none"},
            "completion": {"type": "completion", "contexts": [{"name": "kind", "type": "category"}], "max_input_length": 50},
            "query": {"type": "percolator"},
            "version": {"type": "version"},
            "rank": {"type": "rank_feature", "positive_score_impact": false},
            "topics": {"type": "rank_features"},
            "thread": {"type": "join", "relations": {"question": ["answer"]}, "eager_global_ordinals": true},
            "heading": {"type": "alias", "path": "title"}
        }
    }})
}

fn document_mapping() -> Value {
    json!({"mappings": {
        "dynamic": false,
        "date_detection": false,
        "_meta": {"created": "2013-08-13"},
        "properties": {
            "doc_type": {"type": "keyword", "null_value": "__NULL__", "doc_values": false},
            "opened_on": {"type": "date", "format": "yyyy-MM-dd||yyyy-MM-dd'T'HH:mm:ssZZ||epoch_millis", "ignore_malformed": true},
            "modified_on": {"type": "date_nanos", "null_value": "1970-01-01"},
            "closed": {"type": "boolean", "null_value": false},
            "location": {"type": "geo_point", "ignore_z_value": true, "null_value": {"lat": 0, "lon": 0}},
            "area": {"type": "geo_shape", "orientation": "ccw", "coerce": true},
            "plan": {"type": "shape", "ignore_malformed": true},
            "address": {"type": "ip", "null_value": "::1"},
            "attachment": {"type": "binary", "store": true},
            "labels": {"type": "flattened", "depth_limit": 5},
            "other_labels": {"type": "flat_object"},
            "owner": {"properties": {
                "name": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
                "history": {"type": "nested", "dynamic": "strict", "include_in_root": true, "properties": {
                    "at": {"type": "date_range", "format": "epoch_second"},
                    "amount": {"type": "scaled_float", "scaling_factor": 100},
                    "count": {"type": "unsigned_long", "null_value": 18_446_744_073_709_551_615_u64}
                }}
            }},
            "raw": {"type": "object", "enabled": false},
            "flat": {"type": "object", "subobjects": false, "properties": {"a.b": {"type": "long"}}}
        }
    }})
}

fn time_series_mapping() -> Value {
    json!({"template": {"mappings": {
        "_data_stream_timestamp": {"enabled": true},
        "dynamic_templates": [
            {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}},
            {"any": {"path_match": "numbers.*", "mapping": {"type": "{dynamic_type}", "index": false}}}
        ],
        "runtime": {"hour": {"type": "long", "script": {"source": "emit(1)"}}},
        "properties": {
            "@timestamp": {"type": "date"},
            "host": {"type": "keyword", "time_series_dimension": true},
            "load": {"type": "half_float", "time_series_metric": "gauge"},
            "requests": {"type": "long", "time_series_metric": "counter", "coerce": false},
            "dataset": {"type": "constant_keyword", "value": "nginx"},
            "latency": {"type": "histogram"},
            "summary": {"type": "aggregate_metric_double", "metrics": ["min", "max"], "default_metric": "max"},
            "attributes": {"type": "passthrough", "priority": 10, "properties": {"zone": {"type": "keyword"}}},
            "twice": {"type": "double", "script": "emit(2)", "on_script_error": "continue"}
        }
    }}})
}

fn vector_mapping() -> Value {
    json!({"mappings": {"properties": {
        "dense": {"type": "dense_vector", "dims": 768, "similarity": "dot_product", "index": true, "element_type": "byte",
            "index_options": {"type": "hnsw", "m": 16, "ef_construction": 100}},
        "nearest": {"type": "knn_vector", "dimension": 128, "data_type": "float", "mode": "on_disk", "compression_level": "32x",
            "method": {"name": "hnsw", "engine": "faiss", "space_type": "l2", "parameters": {"m": 16}}},
        "sparse": {"type": "sparse_vector", "index_options": {"prune": true, "pruning_config": {"tokens_weight_threshold": 0.4}}},
        "text": {"type": "semantic_text", "inference_id": "my-endpoint"},
        "passage": {"type": "semantic", "model_id": "n17yX5cBsaYnPfyOzmQU"},
        "many": {"type": "rank_vectors", "dims": 128},
        "place": {"type": "xy_point", "ignore_malformed": true}
    }}})
}
