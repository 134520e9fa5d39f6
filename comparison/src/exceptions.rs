//! What the table does not say of itself: which parameters need others, what stands for a name or a
//! script, and where a server is more lenient than the table.

use pillowtop_core::field_types::{FieldType, IGNORED_PARAMETERS, Parameter, Product, Target, Version};
use serde_json::{Map, Value, json};

use crate::samples;
use crate::server::Server;

/// Of which an index can have one field only, or whose fields must differ from each other.
pub fn is_only_field(of_type: &str, parameter: &str) -> bool {
    of_type == "join" || of_type == "passthrough" || parameter == "passthrough"
}

/// Types that a server without a paid licence refuses.
pub fn needs_licence(of_type: &str) -> bool {
    of_type == "rank_vectors"
}

/// The smallest mapping of a type: its required parameters, and those that only some versions
/// require.
pub fn minimal(field_type: &FieldType, target: Target) -> Map<String, Value> {
    let mut mapping = Map::new();
    mapping.insert("type".to_owned(), json!(field_type.name));
    for parameter in field_type.parameters() {
        if parameter.required && parameter.availability.includes(target) {
            let value = samples::fitting(field_type.name, parameter, target).remove(0);
            mapping.insert(parameter.name.to_owned(), value);
        }
    }
    let extra = match field_type.name {
        "constant_keyword" => json!({"value": "text"}),
        "dense_vector" => json!({"dims": 64}),
        "knn_vector" => json!({"dimension": 8}),
        "aggregate_metric_double" => {
            json!({"metrics": ["min", "max", "sum", "value_count"], "default_metric": "max"})
        }
        _ => json!({}),
    };
    mapping.extend(object(&extra));
    mapping
}

/// What a parameter requires beside it, or beside the member of one.
pub fn companions(of_type: &str, path: &str) -> Map<String, Value> {
    let extra = match (of_type, path) {
        (_, "search_analyzer" | "search_quote_analyzer") => {
            json!({"analyzer": "standard", "search_analyzer": "standard"})
        }
        (_, "on_script_error") => json!({"script": "int x = 1"}),
        (_, "index_prefixes.min_chars") => json!({"max_chars": 19}),
        (_, "index_prefixes.max_chars") => json!({"min_chars": 1}),
        (_, "contexts.precision") => json!({"type": "geo"}),
        (_, "index_options.pruning_config") => json!({"prune": true}),
        ("flattened", "passthrough") => json!({"properties": {"inner": {"type": "keyword"}}}),
        ("root", "composite") => {
            json!({"properties": {"other": {"type": "keyword"}, "count": {"type": "integer"}}})
        }
        ("dense_vector", "index_options.confidence_interval" | "index_options.rescore_vector") => {
            json!({"type": "int8_hnsw"})
        }
        (
            "dense_vector",
            "index_options.cluster_size"
            | "index_options.default_visit_percentage"
            | "index_options.bits"
            | "index_options.precondition"
            | "index_options.on_disk_rescore",
        ) => json!({"type": "bbq_disk"}),
        ("root", "_data_stream_timestamp") => json!({"properties": {"@timestamp": {"type": "date"}}}),
        ("root", "dynamic_templates.runtime") => json!({"match": "x*"}),
        ("root", "dynamic_templates.mapping") => json!({"match_mapping_type": "string"}),
        ("root", "dynamic_templates.match_pattern") => {
            json!({"match": "x", "mapping": {"type": "keyword"}})
        }
        ("root", path) if path.starts_with("dynamic_templates.") => {
            json!({"match_mapping_type": "string", "mapping": {"type": "keyword"}})
        }
        _ => json!({}),
    };
    object(&extra)
}

fn object(object: &Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}

/// Values of a parameter that its kind does not tell.
pub fn fitting(of_type: &str, path: &str) -> Option<Vec<Value>> {
    let values = match (of_type, path) {
        (_, "locale") => json!(["de-DE", "en"]),
        (_, "print_format") => json!(["yyyy-MM-dd", "strict_date_time"]),
        (_, "contexts.precision") => json!([4, "5km"]),
        // The servers differ in how deep their prefix trees may be.
        ("geo_shape", "tree_levels") => json!([1, 24]),
        ("geo_shape", "precision") => json!(["50m"]),
        ("dense_vector", "index_options.confidence_interval") => json!([0, 0.9, 1]),
        ("semantic_text", "model_settings") => json!([{"task_type": "sparse_embedding", "service": "elser"}]),
        ("semantic_text", "index_options") => json!([{"sparse_vector": {"prune": true}}]),
        ("semantic_text", "chunking_settings") => {
            json!([{"strategy": "word", "max_chunk_size": 100, "overlap": 10}])
        }
        ("root", "match_mapping_type" | "unmatch_mapping_type") => json!(["string", "long"]),
        ("root", "match" | "unmatch" | "path_match" | "path_unmatch") => json!(["x*"]),
        ("root", "mapping" | "runtime") if path == "mapping" => json!([{"type": "keyword"}]),
        ("root", "dynamic_templates.runtime") => json!([{"type": "keyword"}]),
        ("root", "context_aware_grouping") => json!([{"fields": ["exact"]}]),
        ("root", "composite") => {
            let dimensions = json!([{"name": "exact"}, {"name": "other"}]);
            json!([{"one": {"type": "star_tree", "config": {
                "ordered_dimensions": dimensions, "metrics": [{"name": "count", "stats": ["sum"]}]}}}])
        }
        ("root", "derived") => {
            json!([{"one": {"type": "keyword", "script": {"source": "emit(params._source['exact'])"}}}])
        }
        _ => return None,
    };
    values.as_array().cloned()
}

/// Whether the object may have none of its optional members.
pub fn may_be_bare(path: &str) -> bool {
    !["dynamic_templates", "pruning_config", "_field_names"].contains(&path)
}

/// Whether the server takes and ignores the parameter, whatever the type.
pub fn is_ignored(name: &str, target: Target) -> bool {
    is_lenient_server(target) && IGNORED_PARAMETERS.contains(&name)
}

/// Those that go back to Elasticsearch 7, which reads much of a mapping late or not at all.
fn is_lenient_server(target: Target) -> bool {
    target.product == Product::OpenSearch || target.version < Version::new(8, 0)
}

/// Whether the server accepts values that the table refuses, as no mapping should have it: each is
/// one that does nothing, or that fails when the first document comes.
pub fn is_lenient(of_type: &str, parameter: &Parameter, value: &Value, target: Target) -> bool {
    let before_9 = is_lenient_server(target) || target.version < Version::new(9, 0);
    match (of_type, parameter.name) {
        // The members are read as numbers only when terms are loaded, and a null stands for the default.
        (_, "fielddata_frequency_filter") => {
            value["min"].is_null()
                && value["max"].is_null()
                && !value["no_such_member"].is_number()
                && value.is_object()
        }
        (_, "index_prefixes") => {
            ["min_chars", "max_chars"].iter().any(|name| value.get(name).is_some_and(Value::is_null))
        }
        // Lucene has these limits, when the first vector comes.
        ("dense_vector", "index_options") => {
            value["type"].is_string() && value.as_object().is_some_and(|options| options.len() == 2)
        }
        // -1 stands for the default.
        (_, "position_increment_gap") => is_lenient_server(target) && *value == json!(-1),
        (_, "ignore_above") => before_9 && *value == json!(-1),
        // Numbers have no boost any more; it is taken and ignored.
        (_, "boost") => is_lenient_server(target),
        // Read when the first null comes, or with a warning.
        ("geo_point", "null_value") => value.is_array(),
        (_, "null_value") => {
            is_lenient_server(target)
                && (value.is_string() || matches!(of_type, "ip" | "date" | "date_nanos"))
        }
        (_, "normalizer") => {
            value.is_null()
                && target.product == Product::Elasticsearch
                && target.version >= Version::new(8, 0)
                || of_type == "wildcard" && value == ""
        }
        (_, "print_format" | "subobjects" | "passthrough" | "composite" | "context_aware_grouping") => {
            value.is_null()
        }
        // Prefix trees are checked when the first shape comes.
        ("geo_shape", "strategy" | "tree_levels" | "distance_error_pct") => true,
        _ => false,
    }
}

/// Whether the server takes a type without a parameter that the table requires.
pub fn is_taken_without(of_type: &str) -> bool {
    // A join without relations has no use.
    of_type == "join"
}

/// Whether a root parameter lives in a plugin that this server has not.
pub fn root_parameter_is_absent(server: &Server, name: &str) -> bool {
    match name {
        "_size" => !server.has_module("mapper-size"),
        "_data_stream_timestamp" => {
            let target = server.target();
            target.product == Product::Elasticsearch
                && target.version < Version::new(8, 0)
                && !server.has_module("x-pack-data-streams")
        }
        _ => false,
    }
}

/// Whether a value of a setting lives in a plugin that this server has not.
pub fn setting_is_absent(server: &Server, name: &str, value: &Value) -> bool {
    let is_of_plugin = value.as_str().is_some_and(|codec| codec.starts_with("zstd"));
    name == "codec"
        && is_of_plugin
        && server.target().product == Product::OpenSearch
        && !server.has_module("opensearch-custom-codecs")
}

/// The index settings that a root parameter needs.
pub fn settings(mapping: &Value) -> Map<String, Value> {
    let settings = if mapping.get("composite").is_some() {
        json!({"composite_index": true, "append_only.enabled": true})
    } else {
        json!({})
    };
    object(&settings)
}
