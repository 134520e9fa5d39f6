//! Index settings: their normal form, and which of them decide the contents of an index.

mod known;
mod products;

use serde_json::{Map, Value};

pub use known::{suggestion, unknown_names};
pub use products::limited_settings;

/// The static settings, which are fixed when an index is created and hashed. `number_of_shards` is
/// static too, yet has no effect about what is found, so it is not here; nor are static settings
/// about a node's memory and disks, and checks at its start. Whatever is neither is dynamic. A name
/// stands for all settings below it. Which are static was checked against Elasticsearch 7.10 to 9.4
/// and `OpenSearch` 2.19 and 3.6; those of plugins are documented so.
const HASHED: [&str; 31] = [
    "analysis",
    "append_only",
    "codec",
    "composite_index",
    "derived_source",
    "index_sorting",
    "knn.algo_param.ef_construction",
    "knn.algo_param.m",
    "knn.derived_source",
    "knn.space_type",
    "load_fixed_bitset_filters_eagerly",
    "logsdb",
    "mapping.coerce",
    "mapping.ignore_malformed",
    "mapping.source",
    "mapping.synthetic_source_keep",
    "mapping.use_doc_values_skipper",
    "mode",
    "number_of_routing_shards",
    "percolator",
    "query.parse",
    "query_string",
    "recovery.use_synthetic_source",
    "routing_partition_size",
    "routing_path",
    "similarity",
    "soft_deletes.enabled",
    "sort",
    "source_only",
    "store",
    "time_series.start_time",
];

/// Static settings that have dynamic ones below their name.
const HASHED_ALONE: [&str; 1] = ["knn"];

/// The setting of a dotted name in normal settings.
#[must_use]
pub fn setting<'a>(settings: &'a Value, name: &str) -> Option<&'a Value> {
    let members = settings.as_object()?;
    if let Some(value) = members.get(name) {
        return Some(value);
    }
    // Below a setting that has a value of its own, names keep their dots.
    name.match_indices('.').find_map(|(dot, _)| setting(members.get(&name[..dot])?, &name[dot + 1..]))
}

/// Normal settings with others over them, member by member.
#[must_use]
pub fn merged(settings: &Value, over: &Value) -> Value {
    match (settings, over) {
        (Value::Object(below), Value::Object(over)) => {
            let mut all = below.clone();
            for (name, value) in over {
                let value = below.get(name).map_or_else(|| value.clone(), |below| merged(below, value));
                all.insert(name.clone(), value);
            }
            Value::Object(all)
        }
        _ => over.clone(),
    }
}

/// The dotted names of all settings in normal settings.
fn collect_leaves(settings: &Value, above: &str, leaves: &mut Vec<String>) {
    for (name, value) in settings.as_object().into_iter().flatten() {
        let path = format!("{above}{name}");
        match value {
            Value::Object(_) => collect_leaves(value, &format!("{path}."), leaves),
            _ => leaves.push(path),
        }
    }
}

/// The dotted names of the hashed settings in normal settings.
#[must_use]
pub fn hashed_names(settings: &Value) -> Vec<String> {
    let mut names = Vec::new();
    collect_names(settings, "", &mut names);
    names
}

fn collect_names(settings: &Value, prefix: &str, names: &mut Vec<String>) {
    for (name, value) in settings.as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        if is_hashed(&path, value) {
            names.push(path);
        } else {
            collect_names(value, &format!("{path}."), names);
        }
    }
}

fn is_hashed(path: &str, value: &Value) -> bool {
    HASHED.contains(&path) || (HASHED_ALONE.contains(&path) && !value.is_object())
}

/// Settings as a nested object without `index.`: `{"index": {"analysis": …}}`,
/// `{"index.analysis.…": …}` and `{"settings": …}` become `{"analysis": …}`.
///
/// # Errors
///
/// A sentence, when the value is not an object or says a setting twice.
pub fn normalize(settings: &Value) -> Result<Value, String> {
    let Value::Object(members) = settings else {
        return Err("settings are a JSON object".to_owned());
    };
    if let (1, Some(inner @ Value::Object(_))) = (members.len(), members.get("settings")) {
        return normalize(inner);
    }
    let mut normal = Map::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) if name == "index" => {
                for (name, value) in inner {
                    insert(&mut normal, name, name, value)?;
                }
            }
            _ => insert(&mut normal, name, name.strip_prefix("index.").unwrap_or(name), value)?,
        }
    }
    Ok(Value::Object(normal))
}

fn insert(target: &mut Map<String, Value>, written: &str, path: &str, value: &Value) -> Result<(), String> {
    let twice = || format!("duplicate setting `{written}`");
    if let Some((head, rest)) = path.split_once('.')
        // Some settings have others below them, such as `knn` and `knn.advanced`: those keep their dots.
        && target.get(head).is_none_or(Value::is_object)
    {
        let inner = target.entry(head).or_insert_with(|| Value::Object(Map::new()));
        return insert(inner.as_object_mut().ok_or_else(twice)?, written, rest, value);
    }
    match (target.get_mut(path), value) {
        (None, Value::Object(members)) => {
            let mut inner = Map::new();
            for (name, value) in members {
                insert(&mut inner, written, name, value)?;
            }
            target.insert(path.to_owned(), Value::Object(inner));
        }
        (None, _) => {
            target.insert(path.to_owned(), value.clone());
        }
        (Some(Value::Object(inner)), Value::Object(members)) => {
            for (name, value) in members {
                insert(inner, written, name, value)?;
            }
        }
        (Some(Value::Object(inner)), _) => {
            let below = std::mem::take(inner);
            target.extend(below.into_iter().map(|(name, value)| (format!("{path}.{name}"), value)));
            target.insert(path.to_owned(), value.clone());
        }
        (Some(_), _) => return Err(twice()),
    }
    Ok(())
}

/// The part of normal settings that is hashed.
#[must_use]
pub fn hashed_part(settings: &Value) -> Value {
    let mut kept = Map::new();
    if let Value::Object(members) = settings {
        keep(members, "", &mut kept);
    }
    Value::Object(kept)
}

fn keep(members: &Map<String, Value>, prefix: &str, kept: &mut Map<String, Value>) {
    for (name, value) in members {
        let path = format!("{prefix}{name}");
        if is_hashed(&path, value) {
            kept.insert(name.clone(), value.clone());
        } else if let Value::Object(inner) = value {
            let mut below = Map::new();
            keep(inner, &format!("{path}."), &mut below);
            if !below.is_empty() {
                kept.insert(name.clone(), Value::Object(below));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_spellings_have_one_normal_form() {
        let normal = json!({"analysis": {"analyzer": {"comma": {"type": "pattern"}}}, "number_of_shards": 2});
        for settings in [
            json!({"settings": {"index": {"analysis": {"analyzer": {"comma": {"type": "pattern"}}}, "number_of_shards": 2}}}),
            json!({"index.analysis.analyzer.comma.type": "pattern", "number_of_shards": 2}),
            json!({"index": {"number_of_shards": 2}, "analysis": {"analyzer.comma": {"type": "pattern"}}}),
            normal.clone(),
        ] {
            assert_eq!(normalize(&settings), Ok(normal.clone()), "{settings}");
        }
        let with_below = json!({"knn": true, "knn.advanced.x": 1});
        for settings in [with_below.clone(), json!({"knn": true, "index": {"knn": {"advanced.x": 1}}})] {
            let normal = normalize(&settings).unwrap();
            assert_eq!(normal["knn"], json!(true), "{normal}");
            assert_eq!(normal.as_object().unwrap().len(), 2, "{normal}");
        }
        assert!(normalize(&json!([])).is_err());
        assert!(normalize(&json!({"index": {"codec": "a"}, "codec": "b"})).is_err());
    }

    #[test]
    fn overrides_go_over_what_is_there() {
        let below = json!({"number_of_replicas": 1, "mapping": {"depth": {"limit": 5}, "coerce": false}});
        let over = json!({"number_of_replicas": 2, "mapping": {"depth": {"limit": 9}}, "priority": 3});
        assert_eq!(
            merged(&below, &over),
            json!({"number_of_replicas": 2, "mapping": {"depth": {"limit": 9}, "coerce": false}, "priority": 3})
        );
        assert_eq!(hashed_names(&below), ["mapping.coerce"]);
        assert_eq!(hashed_names(&over), Vec::<String>::new());
    }

    /// Checked against the servers: what an open index refuses to change is static.
    #[test]
    fn static_settings_are_hashed_and_dynamic_ones_are_not() {
        let normal = |name: &str| normalize(&json!({ name: true })).unwrap();
        for name in [
            "analysis.analyzer.a.type",
            "codec",
            "sort.field",
            "similarity.s.type",
            "mapping.coerce",
            "knn",
            "mapping.ignore_malformed",
            "mapping.source.mode",
            "routing_partition_size",
            "soft_deletes.enabled",
            "store.type",
            "number_of_routing_shards",
            "time_series.start_time",
            "routing_path",
            "mode",
            "query.parse.allow_unmapped_fields",
            "composite_index",
            "derived_source.enabled",
        ] {
            assert_eq!(hashed_part(&normal(name)), normal(name), "{name}");
        }
        for name in [
            "number_of_shards",
            "number_of_replicas",
            "refresh_interval",
            "mapping.total_fields.limit",
            "mapping.depth.limit",
            "mapping.nested_fields.limit",
            "mapping.nested_objects.limit",
            "mapping.field_name_length.limit",
            "mapping.dimension_fields.limit",
            "query.default_field",
            "max_result_window",
            "max_ngram_diff",
            "soft_deletes.retention.operations",
            "time_series.end_time",
            "translog.durability",
            "routing.allocation.enable",
            "gc_deletes",
            "knn.algo_param.ef_search",
            "default_pipeline",
            "blocks.write",
            "priority",
            "hidden",
        ] {
            assert_eq!(hashed_part(&normal(name)), json!({}), "{name}");
        }
    }

    #[test]
    fn dynamic_settings_and_shards_are_not_hashed() {
        let settings = json!({"analysis": {"a": 1}, "number_of_shards": 2, "number_of_replicas": 1, "refresh_interval": "5s",
            "mapping": {"total_fields": {"limit": 2000}, "coerce": false}});
        assert_eq!(hashed_part(&settings), json!({"analysis": {"a": 1}, "mapping": {"coerce": false}}));
    }
}
