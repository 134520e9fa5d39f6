//! Index settings: their normal form, and which of them decide the contents of an index.

use serde_json::{Map, Value};

/// The static settings, which are fixed when an index is created and hashed. `number_of_shards` is static too, yet says nothing
/// about what is found, so it is not here; whatever is neither is dynamic. A name stands for all settings below it.
const HASHED: [&str; 17] = [
    "analysis",
    "codec",
    "index_sorting",
    "knn",
    "load_fixed_bitset_filters_eagerly",
    "mapping.coerce",
    "mapping.ignore_malformed",
    "mapping.source",
    "mode",
    "number_of_routing_shards",
    "routing_partition_size",
    "routing_path",
    "similarity",
    "soft_deletes",
    "sort",
    "store",
    "time_series",
];

/// Settings as a nested object without `index.`: `{"index": {"analysis": …}}`, `{"index.analysis.…": …}` and
/// `{"settings": …}` become `{"analysis": …}`.
///
/// # Errors
///
/// A sentence, when the value is no object or says a setting twice.
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

fn insert(target: &mut Map<String, Value>, said: &str, path: &str, value: &Value) -> Result<(), String> {
    let twice = || format!("setting `{said}` is said twice");
    if let Some((head, rest)) = path.split_once('.') {
        let inner = target.entry(head).or_insert_with(|| Value::Object(Map::new()));
        return insert(inner.as_object_mut().ok_or_else(twice)?, said, rest, value);
    }
    match (target.get_mut(path), value) {
        (None, Value::Object(members)) => {
            let mut inner = Map::new();
            for (name, value) in members {
                insert(&mut inner, said, name, value)?;
            }
            target.insert(path.to_owned(), Value::Object(inner));
        }
        (None, _) => {
            target.insert(path.to_owned(), value.clone());
        }
        (Some(Value::Object(inner)), Value::Object(members)) => {
            for (name, value) in members {
                insert(inner, said, name, value)?;
            }
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
        if HASHED.contains(&path.as_str()) {
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
        for said in [
            json!({"settings": {"index": {"analysis": {"analyzer": {"comma": {"type": "pattern"}}}, "number_of_shards": 2}}}),
            json!({"index.analysis.analyzer.comma.type": "pattern", "number_of_shards": 2}),
            json!({"index": {"number_of_shards": 2}, "analysis": {"analyzer.comma": {"type": "pattern"}}}),
            normal.clone(),
        ] {
            assert_eq!(normalize(&said), Ok(normal.clone()), "{said}");
        }
        assert!(normalize(&json!([])).is_err());
        assert!(normalize(&json!({"index": {"codec": "a"}, "codec": "b"})).is_err());
    }

    #[test]
    fn dynamic_settings_and_shards_are_not_hashed() {
        let settings = json!({"analysis": {"a": 1}, "number_of_shards": 2, "number_of_replicas": 1, "refresh_interval": "5s",
            "mapping": {"total_fields": {"limit": 2000}, "coerce": false}});
        assert_eq!(hashed_part(&settings), json!({"analysis": {"a": 1}, "mapping": {"coerce": false}}));
    }
}
