//! Indices that servers create and that then reject every document as the runtime sends it, with an
//! id and a version, or that stop the runtime otherwise.

use serde_json::Value;

use super::{Consequence, Problem};
use crate::lenient::{boolean, integer};
use crate::settings::setting;

const IDS: &str = "leave it out: documents are replaced and deleted by their ids";
const BLOCKED: &str = "leave it out, and block the index once nothing follows it any more";
const NO_WRITES: &str = "rejects every write";

/// Settings that are a flag, what they do, and what to do about them.
const FLAGS: [(&str, &str, &str); 6] = [
    ("append_only.enabled", "rejects documents that have an id", IDS),
    ("logsdb.route_on_sort_fields", "makes the ids of its documents itself, and rejects others", IDS),
    ("blocks.write", NO_WRITES, BLOCKED),
    ("blocks.read_only", NO_WRITES, BLOCKED),
    ("blocks.read_only_allow_delete", NO_WRITES, BLOCKED),
    ("blocks.search_only", NO_WRITES, BLOCKED),
];

/// Settings that are a flag and leave documents alone, and what they do.
const STOPPING: [(&str, &str); 2] = [
    ("blocks.metadata", "rejects the changes of settings and aliases that end a load"),
    ("blocks.read", "rejects every search"),
];

/// What the root of a mapping says.
pub(super) fn of_root(mappings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let composite = mappings.get("composite");
    if composite.is_some_and(|composite| composite.as_object().is_none_or(|all| !all.is_empty())) {
        found.push(rejecting(
            "composite",
            "`composite` needs the setting `append_only.enabled`, with which an index rejects documents that have an id",
            "leave `composite` out: documents are replaced and deleted by their ids",
        ));
    }
    found
}

/// What settings say.
pub(super) fn of_settings(settings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for (name, what, help) in FLAGS {
        if is_true(setting(settings, name)) {
            found.push(rejecting(name, format!("an index with the setting `{name}` {what}"), help));
        }
    }
    for (name, what) in STOPPING {
        if is_true(setting(settings, name)) {
            let problem = rejecting(name, format!("an index with the setting `{name}` {what}"), BLOCKED);
            found.push(Problem { consequence: Consequence::StopsRuntime, ..problem });
        }
    }
    if is_partitioned(settings) {
        let problem = rejecting(
            "routing_partition_size",
            "an index with the setting `routing_partition_size` computes shards from ids too, so that a routing value alone does not lead to the shard of a document",
            "leave it out",
        );
        found.push(Problem { consequence: Consequence::StopsRuntime, ..problem });
    }
    if mode(settings) == "time_series" {
        found.push(rejecting(
            "mode",
            "an index with the setting `mode = \"time_series\"` makes the ids of its documents itself, and rejects others",
            "leave `mode`, `routing_path` and `time_series` out: documents are replaced and deleted by their ids",
        ));
    }
    found
}

/// What the root and settings say together.
pub(super) fn of_both(mappings: &Value, settings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    if is_partitioned(settings) && !is_true(mappings.pointer("/_routing/required")) {
        let what = "the setting `routing_partition_size` requires `_routing(required = true)`";
        found.push(Problem::everywhere("routing_partition_size", what, "leave it out"));
    }
    let timestamp = mappings.pointer("/properties/@timestamp/type").and_then(Value::as_str);
    if matches!(timestamp, Some("date" | "date_nanos")) {
        return found;
    }
    if is_true(mappings.pointer("/_data_stream_timestamp/enabled")) {
        found.push(rejecting(
            "_data_stream_timestamp",
            "`_data_stream_timestamp` rejects documents without a date `@timestamp`, and the mapping has no such field",
            "leave it out: it is for the backing indices of data streams",
        ));
    }
    if mode(settings) == "logsdb" {
        found.push(rejecting(
            "mode",
            "an index with the setting `mode = \"logsdb\"` rejects documents without a date `@timestamp`, and the mapping has no such field",
            "leave `mode` out, or name a date field `@timestamp`",
        ));
    }
    found
}

fn rejecting(parameter: &str, what: impl Into<String>, help: &str) -> Problem {
    let problem = Problem::everywhere(parameter, what, help);
    Problem { consequence: Consequence::RejectsDocuments, ..problem }
}

/// Whether a routing value has several shards.
fn is_partitioned(settings: &Value) -> bool {
    setting(settings, "routing_partition_size").and_then(integer).is_some_and(|size| size > 1)
}

fn is_true(value: Option<&Value>) -> bool {
    value.and_then(boolean) == Some(true)
}

/// The mode of an index, of Elasticsearch 8 and 9.
fn mode(settings: &Value) -> String {
    setting(settings, "mode").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::normalize;

    #[track_caller]
    fn check(mappings: &Value, settings: &Value, expected: &[&str]) {
        let mut found = super::super::problems(mappings, &normalize(settings).unwrap());
        found.retain(|problem| problem.consequence == Consequence::RejectsDocuments);
        let parameters: Vec<&str> = found.iter().map(|problem| problem.parameter.as_str()).collect();
        assert_eq!(parameters, expected, "{mappings} {settings}");
    }

    #[test]
    fn an_index_that_takes_no_ids_or_spreads_a_routing_value_cannot_be_written() {
        check(&json!({"_routing": {"required": true}}), &json!({}), &[]);
        check(&json!({}), &json!({"mode": "time_series", "routing_path": ["a"]}), &["mode"]);
        check(&json!({}), &json!({"index.append_only.enabled": "true"}), &["append_only.enabled"]);
        check(&json!({}), &json!({"append_only": {"enabled": false}}), &[]);
        check(&json!({"composite": {"s": {"type": "star_tree"}}}), &json!({}), &["composite"]);
        check(&json!({}), &json!({"logsdb.route_on_sort_fields": true}), &["logsdb.route_on_sort_fields"]);
    }

    #[test]
    fn an_index_with_several_shards_for_a_routing_value_is_created_where_routing_is_required() {
        let prevented = |mappings: Value, size: Value| {
            let settings = normalize(&json!({"routing_partition_size": size})).unwrap();
            let found = super::super::problems(&mappings, &settings);
            let target = crate::field_types::Target::opensearch(3, 6);
            (found.len(), found.iter().any(|problem| problem.prevents_creation(target)))
        };
        assert_eq!(prevented(json!({}), json!("1")), (0, false));
        assert_eq!(prevented(json!({}), json!(2)), (2, true));
        assert_eq!(prevented(json!({"_routing": {"required": true}}), json!("2")), (1, false));
    }

    #[test]
    fn a_timestamp_that_every_document_must_have_is_in_the_mapping() {
        let stamped = json!({"properties": {"@timestamp": {"type": "date"}}, "_data_stream_timestamp": {"enabled": true}});
        check(&stamped, &json!({"mode": "logsdb"}), &[]);
        check(
            &json!({"_data_stream_timestamp": {"enabled": true}}),
            &json!({"mode": "LOGSDB"}),
            &["_data_stream_timestamp", "mode"],
        );
        check(&json!({}), &json!({"mode": "standard"}), &[]);
    }

    #[test]
    fn a_blocked_index_is_followed_by_nothing() {
        for block in FLAGS.iter().map(|(name, ..)| *name).filter(|name| name.starts_with("blocks")) {
            check(&json!({}), &json!({ block: true }), &[block]);
            check(&json!({}), &json!({ block: false }), &[]);
        }
        for (block, _) in STOPPING {
            // Documents are indexed all the same, as the servers do.
            check(&json!({}), &json!({ block: true }), &[]);
            let found = of_settings(&normalize(&json!({ block: true })).unwrap());
            assert_eq!(found[0].parameter, block);
            assert_eq!(of_settings(&normalize(&json!({ block: false })).unwrap()), []);
        }
    }
}
