//! Parameters of one field that cannot stand together.

use serde_json::{Map, Value};

use super::{BEFORE_ELASTICSEARCH_8, Problem};
use crate::lenient::{boolean, integer, strings};
use crate::requirement::{NEVER, Versions};

type Members = Map<String, Value>;

/// Since Elasticsearch 7.17 a gap cannot be negative.
const BEFORE_ELASTICSEARCH_7_17: Versions = Versions { elasticsearch: (0, 0x0711), opensearch: (0, NEVER) };

fn is(members: &Members, name: &str, truth: bool) -> bool {
    members.get(name).and_then(boolean) == Some(truth)
}

fn has(members: &Members, name: &str) -> bool {
    members.get(name).is_some_and(|value| !value.is_null())
}

/// Rules of `text`.
pub(super) fn of_text(members: &Members) -> Vec<Problem> {
    let mut found = Vec::new();
    let is_indexed = !is(members, "index", false);
    let has_positions =
        !matches!(members.get("index_options").and_then(Value::as_str), Some("docs" | "freqs"));
    let mut refuse =
        |parameter: &str, what: &str, help: &str| found.push(Problem::everywhere(parameter, what, help));
    for (name, is_set) in
        [("fielddata", is(members, "fielddata", true)), ("index_prefixes", has(members, "index_prefixes"))]
    {
        if !is_indexed && is_set {
            refuse(name, &format!("`{name}` cannot be combined with `index = false`"), "remove one of them");
        }
    }
    for (name, is_set) in [
        ("index_phrases", is(members, "index_phrases", true)),
        ("position_increment_gap", has(members, "position_increment_gap")),
    ] {
        if is_set && !(is_indexed && has_positions) {
            let what = format!("`{name}` needs the positions of terms, which this field does not index");
            refuse(name, &what, "leave it out, or `index` and `index_options`");
        }
    }
    found.extend(members.get("index_prefixes").and_then(Value::as_object).and_then(prefixes));
    if members.get("position_increment_gap").and_then(integer).is_some_and(|gap| gap < 0) {
        let what = "`position_increment_gap` is negative";
        let gap = Problem::everywhere("position_increment_gap", what, "write 0 or more");
        found.push(gap.accepted_by(BEFORE_ELASTICSEARCH_7_17));
    }
    found
}

fn prefixes(prefixes: &Members) -> Option<Problem> {
    let length = |name: &str, default: i64| prefixes.get(name).map_or(Some(default), integer);
    let (least, most) = (length("min_chars", 2)?, length("max_chars", 5)?);
    let what = if least < 1 {
        format!("`index_prefixes` has `min_chars = {least}`, less than 1")
    } else if most > 19 {
        format!("`index_prefixes` has `max_chars = {most}`, more than 19")
    } else if least > most {
        format!("`index_prefixes` has `min_chars = {least}`, more than `max_chars = {most}`")
    } else {
        return None;
    };
    let help = "write both, such as `index_prefixes(min_chars = 2, max_chars = 5)`";
    Some(Problem::everywhere("index_prefixes", what, help))
}

/// Rules of `dense_vector`.
pub(super) fn of_vector(members: &Members) -> Vec<Problem> {
    let unused = ["similarity", "index_options"].into_iter().filter(|name| has(members, name));
    let unused = unused.filter(|_| is(members, "index", false));
    unused
        .map(|name| {
            let what = format!("`{name}` cannot be combined with `index = false`");
            Problem::everywhere(name, what, "remove one of them")
        })
        .collect()
}

/// Types that a `flattened` field can have inside.
const IN_FLATTENED: [&str; 17] = [
    "long",
    "byte",
    "date",
    "date_nanos",
    "ip",
    "short",
    "keyword",
    "constant_keyword",
    "integer",
    "scaled_float",
    "text",
    "float",
    "unsigned_long",
    "wildcard",
    "double",
    "half_float",
    "boolean",
];

/// Rules of `flattened`.
pub(super) fn of_flattened(members: &Members) -> Option<Problem> {
    let inner = members.get("properties")?.as_object()?.values();
    for name in ["copy_to", "fields"] {
        if inner.clone().any(|field| field.get(name).is_some()) {
            let what = format!("`properties` of `flattened` have `{name}`");
            return Some(Problem::everywhere("properties", what, "leave it out"));
        }
    }
    let mut types = inner.map(|field| field.get("type").and_then(Value::as_str).unwrap_or("object"));
    let wrong = types.find(|name| !IN_FLATTENED.contains(name))?;
    let what = format!("`properties` has a field of type `{wrong}`, which cannot lie in `flattened`");
    Some(Problem::everywhere("properties", what, "leave it out: it is a key like the others then"))
}

/// Rules of `join`: a relation has one parent.
pub(super) fn of_join(members: &Members) -> Option<Problem> {
    let relations = members.get("relations")?.as_object()?;
    let children = relations.values().flat_map(|children| strings(Some(children)));
    let mut seen = Vec::new();
    for child in children {
        if seen.contains(&child) {
            let what = format!("`relations` has two parents of `{child}`");
            return Some(Problem::everywhere("relations", what, "leave it with one of them"));
        }
        seen.push(child);
    }
    None
}

/// Rules of `completion`.
pub(super) fn of_completion(members: &Members) -> Vec<Problem> {
    let mut found = Vec::new();
    let contexts = match members.get("contexts") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for kind in contexts.iter().filter_map(|context| context.get("type")?.as_str()) {
        if !["category", "geo"].contains(&kind) {
            let what = format!("`contexts` has the type `{kind}`");
            found.push(Problem::everywhere("contexts", what, "write `category` or `geo`"));
        }
    }
    if contexts.len() > 10 {
        let what = format!("`contexts` has {} entries, more than 10", contexts.len());
        let many = Problem::everywhere("contexts", what, "leave some out");
        found.push(many.accepted_by(BEFORE_ELASTICSEARCH_8));
    }
    found
}

/// Since Elasticsearch 9 the dimension of a time series needs less.
const SINCE_ELASTICSEARCH_9: Versions =
    Versions { elasticsearch: (0x0900, NEVER), opensearch: (NEVER, NEVER) };

/// Rules of dimensions and metrics of a time series.
pub(super) fn of_time_series(members: &Members) -> Vec<Problem> {
    if has(members, "time_series_metric") && is(members, "doc_values", false) {
        let what = "`doc_values = false` cannot be combined with `time_series_metric`";
        return vec![Problem::everywhere("doc_values", what, "leave one of the two out")];
    }
    if !is(members, "time_series_dimension", true) {
        return Vec::new();
    }
    let parameters = [
        ("normalizer", has(members, "normalizer"), Versions::NONE),
        ("ignore_above", has(members, "ignore_above"), SINCE_ELASTICSEARCH_9),
        ("doc_values", is(members, "doc_values", false), Versions::NONE),
        ("index", is(members, "index", false), SINCE_ELASTICSEARCH_9),
    ];
    let refused = parameters.into_iter().filter(|(_, is_refused, _)| *is_refused);
    refused
        .map(|(name, _, accepted)| {
            let what = format!("`{name}` cannot be combined with `time_series_dimension`");
            Problem::everywhere(name, what, "leave one of the two out").accepted_by(accepted)
        })
        .collect()
}

/// Rules of fields that a script computes, of any type.
pub(super) fn of_script(members: &Members) -> Vec<Problem> {
    if !has(members, "script") {
        let what = "`on_script_error` has no effect without `script`";
        let problem = Problem::everywhere("on_script_error", what, "remove it");
        return has(members, "on_script_error").then_some(problem).into_iter().collect();
    }
    let mut found = Vec::new();
    let is_empty = |name: &str| members.get(name).and_then(Value::as_object).is_some_and(Members::is_empty);
    // In these types the default is the same as nothing.
    let is_plain = matches!(members.get("type").and_then(Value::as_str), Some("date" | "date_nanos" | "ip"));
    let is_default = |name: &str| is_plain && name == "ignore_malformed" && is(members, name, false);
    for name in ["null_value", "copy_to", "fields", "ignore_malformed", "ignore_z_value", "coerce"]
        .into_iter()
        .filter(|name| has(members, name) && !is_empty(name) && !is_default(name))
    {
        let what = format!("`{name}` cannot be combined with `script`");
        found.push(Problem::everywhere(name, what, "remove one of them"));
    }
    if is(members, "index", false) && is(members, "doc_values", false) {
        let what = "`script` computes a field that has neither `index` nor `doc_values`";
        found.push(Problem::everywhere("script", what, "leave one of the two on"));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_field;
    use super::*;

    /// Each checked against Elasticsearch 7.10 to 9.4 and `OpenSearch` 2.19 and 3.6, as far as they
    /// have the type.
    #[test]
    fn parameters_that_exclude_each_other_are_refused() {
        for (field, expected) in [
            (json!({"type": "text", "index": false, "fielddata": true}), "fielddata"),
            (json!({"type": "text", "index_prefixes": {"min_chars": 5, "max_chars": 2}}), "index_prefixes"),
            (json!({"type": "text", "index_prefixes": {"min_chars": 6}}), "index_prefixes"),
            (json!({"type": "text", "index_prefixes": {"min_chars": 1, "max_chars": 20}}), "index_prefixes"),
            (json!({"type": "text", "index_prefixes": {"min_chars": 0, "max_chars": 5}}), "index_prefixes"),
            (json!({"type": "text", "index": false, "index_prefixes": {}}), "index_prefixes"),
            (json!({"type": "text", "index": false, "index_phrases": true}), "index_phrases"),
            (json!({"type": "text", "index_options": "freqs", "index_phrases": true}), "index_phrases"),
            (
                json!({"type": "text", "index_options": "docs", "position_increment_gap": 50}),
                "position_increment_gap",
            ),
            (
                json!({"type": "dense_vector", "dims": 3, "index": false, "similarity": "cosine"}),
                "similarity",
            ),
            (json!({"type": "join", "relations": {"a": "b", "c": ["b"]}}), "relations"),
            (
                json!({"type": "keyword", "time_series_dimension": true, "normalizer": "lowercase"}),
                "normalizer",
            ),
            (json!({"type": "ip", "time_series_dimension": true, "doc_values": false}), "doc_values"),
            (json!({"type": "long", "time_series_metric": "gauge", "doc_values": false}), "doc_values"),
            (
                json!({"type": "flattened", "properties": {"a": {"type": "keyword", "copy_to": "b"}}}),
                "properties",
            ),
            (json!({"type": "flattened", "properties": {"a": {"type": "long", "fields": {}}}}), "properties"),
            (json!({"type": "completion", "contexts": [{"name": "a", "type": "bogus"}]}), "contexts"),
            (json!({"type": "long", "script": "emit(1)", "null_value": 3}), "null_value"),
            (json!({"type": "geo_point", "script": "emit(1,2)", "ignore_z_value": true}), "ignore_z_value"),
            (json!({"type": "long", "script": "emit(1)", "index": false, "doc_values": false}), "script"),
        ] {
            let found = of_field(&field);
            assert_eq!(found.len(), 1, "{field} {found:?}");
            assert_eq!(
                (found[0].parameter.as_str(), found[0].accepted),
                (expected, Versions::NONE),
                "{field}"
            );
        }
    }

    #[test]
    fn what_servers_take_is_not_refused() {
        for field in [
            json!({"type": "text", "index_prefixes": {"min_chars": 1, "max_chars": 19}}),
            json!({"type": "text", "index_prefixes": {}, "index_options": "docs"}),
            json!({"type": "text", "index": false, "norms": true, "term_vector": "yes"}),
            json!({"type": "text", "position_increment_gap": 50}),
            json!({"type": "join", "relations": {"a": "a", "b": ["c", "d"]}}),
            json!({"type": "keyword", "index": false, "fielddata": true}),
            json!({"type": "long", "script": "emit(1)", "fields": {}}),
            json!({"type": "date", "script": "emit(1)", "ignore_malformed": false}),
        ] {
            assert_eq!(of_field(&field), [], "{field}");
        }
    }
}
