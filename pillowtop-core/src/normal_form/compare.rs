//! Comparing mappings: as exactly as two normal forms can be, or as far as a server keeps what it
//! was given.

use serde_json::{Map, Value};

use super::normal_form;
use crate::canonical::to_canonical;
use crate::field_types::field_type;

/// Parameters by the value that servers give them by themselves: some drop them from what they
/// return, others add them. `*` stands for every type of values.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("*", "index", "true"),
    ("*", "store", "false"),
    ("*", "doc_values", "true"),
    ("*", "boost", "1"),
    ("*", "coerce", "true"),
    ("*", "ignore_malformed", "false"),
    ("*", "eager_global_ordinals", "false"),
    ("*", "split_queries_on_whitespace", "false"),
    ("*", "similarity", "\"BM25\""),
    ("*", "time_series_dimension", "false"),
    ("*", "on_script_error", "\"fail\""),
    ("*", "ignore_z_value", "true"),
    ("*", "meta", "{}"),
    ("*", "locale", "\"\""),
    ("*", "positive_score_impact", "true"),
    ("*", "fielddata", "false"),
    ("*", "index_phrases", "false"),
    ("*", "term_vector", "\"no\""),
    ("*", "position_increment_gap", "100"),
    ("*", "enable_position_increments", "true"),
    ("*", "use_similarity", "false"),
    ("*", "orientation", "\"right\""),
    ("*", "synthetic_source_keep", "\"none\""),
    ("text", "norms", "true"),
    ("text", "index_options", "\"positions\""),
    ("search_as_you_type", "norms", "true"),
    ("search_as_you_type", "index_options", "\"positions\""),
    ("search_as_you_type", "max_shingle_size", "3"),
    ("search_as_you_type", "doc_values", "false"),
    ("annotated_text", "norms", "true"),
    ("annotated_text", "index_options", "\"positions\""),
    ("keyword", "norms", "false"),
    ("keyword", "index_options", "\"docs\""),
    ("keyword", "ignore_above", "2147483647"),
    ("wildcard", "ignore_above", "2147483647"),
    ("flattened", "ignore_above", "2147483647"),
    ("flattened", "index_options", "\"docs\""),
    ("flattened", "depth_limit", "20"),
    ("date", "format", "\"strict_date_optional_time||epoch_millis\""),
    ("date_nanos", "format", "\"strict_date_optional_time_nanos||epoch_millis\""),
    ("date_nanos", "format", "\"strict_date_optional_time||epoch_millis\""),
    ("date_range", "format", "\"strict_date_optional_time||epoch_millis\""),
    ("geo_shape", "coerce", "false"),
    ("shape", "coerce", "false"),
    ("completion", "analyzer", "\"simple\""),
    ("completion", "preserve_separators", "true"),
    ("completion", "preserve_position_increments", "true"),
    ("completion", "max_input_length", "50"),
    ("join", "eager_global_ordinals", "true"),
    ("binary", "doc_values", "false"),
    ("histogram", "doc_values", "true"),
    ("murmur3", "index", "false"),
    ("nested", "include_in_parent", "false"),
    ("nested", "include_in_root", "false"),
    ("object", "enabled", "true"),
    ("nested", "enabled", "true"),
    ("object", "subobjects", "true"),
    ("dense_vector", "element_type", "\"float\""),
    ("dense_vector", "similarity", "\"cosine\""),
    ("knn_vector", "data_type", "\"float\""),
    ("knn_vector", "mode", "\"in_memory\""),
    ("knn_vector", "compression_level", "\"1x\""),
    ("icu_collation_keyword", "norms", "false"),
];

/// Root parameters by the value that has no effect.
const ROOT_DEFAULTS: &[(&str, &str)] = &[
    ("dynamic", "true"),
    ("date_detection", "true"),
    ("numeric_detection", "false"),
    ("_source", "{\"enabled\":true}"),
    ("_source", "{\"mode\":\"stored\"}"),
    ("_source", "{}"),
    ("_routing", "{\"required\":false}"),
    ("_routing", "{}"),
    ("_size", "{\"enabled\":false}"),
    ("_field_names", "{\"enabled\":true}"),
    ("_data_stream_timestamp", "{\"enabled\":false}"),
    ("dynamic_templates", "[]"),
    ("runtime", "{}"),
    ("enabled", "true"),
    ("subobjects", "true"),
    ("disable_objects", "false"),
];

/// Each path at which two mappings differ that a server may have put in its own words, with both
/// sides: `path: wanted -> found`. What is a default counts as not said.
///
/// # Errors
///
/// As [`normal_form`].
pub fn differences(wanted: &Value, found: &Value) -> Result<Vec<String>, String> {
    let (wanted, found) = (normal_form(wanted)?.mappings, normal_form(found)?.mappings);
    let mut all = Vec::new();
    let is_default =
        |name: &str, value: &Value| ROOT_DEFAULTS.contains(&(name, to_canonical(value).as_str()));
    compare_members(&wanted, &found, "(root)", &is_default, &mut all);
    compare_fields("properties", &wanted, &found, "", &mut all);
    Ok(all)
}

/// A live mapping in normal form, in the words of another one wherever both say the same: what
/// differs between them then is not a default that a server added or dropped.
///
/// # Errors
///
/// As [`normal_form`].
pub fn in_words_of(wanted: &Value, live: &Value) -> Result<Value, String> {
    let (wanted, live) = (normal_form(wanted)?.mappings, normal_form(live)?.mappings);
    let is_default =
        |name: &str, value: &Value| ROOT_DEFAULTS.contains(&(name, to_canonical(value).as_str()));
    let mut paired = with_members_of(&wanted, &live, &is_default);
    paired.extend(fields_in_words_of("properties", &wanted, &live));
    Ok(Value::Object(paired))
}

/// The members beside fields: those that are wanted, if they say the same.
fn with_members_of(
    wanted: &Value,
    live: &Value,
    is_default: &dyn Fn(&str, &Value) -> bool,
) -> Map<String, Value> {
    let mut differing = Vec::new();
    compare_members(wanted, live, "", is_default, &mut differing);
    let words = if differing.is_empty() { wanted } else { live };
    let members = words.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| !matches!(name.as_str(), "properties" | "fields"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The fields of a group by the group's name; nothing if there are none.
fn fields_in_words_of(group: &str, wanted: &Value, live: &Value) -> Option<(String, Value)> {
    let fields = live.get(group)?.as_object()?;
    let field = |(name, found): (&String, &Value)| {
        let Some(wanted) = wanted.get(group).and_then(|fields| fields.get(name)) else {
            return (name.clone(), found.clone());
        };
        let type_name = wanted.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
        let mut paired = with_members_of(wanted, found, &|name, value| is_default(&type_name, name, value));
        paired.extend(fields_in_words_of("fields", wanted, found));
        paired.extend(fields_in_words_of("properties", wanted, found));
        (name.clone(), Value::Object(paired))
    };
    Some((group.to_owned(), Value::Object(fields.iter().map(field).collect())))
}

fn compare_members(
    wanted: &Value,
    found: &Value,
    path: &str,
    is_default: &dyn Fn(&str, &Value) -> bool,
    all: &mut Vec<String>,
) {
    let explicit = |mapping: &Value| -> Map<String, Value> {
        let members = mapping.as_object().into_iter().flatten();
        members
            .filter(|(name, value)| {
                !matches!(name.as_str(), "properties" | "fields" | "_meta") && !is_default(name, value)
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let (wanted, found) = (explicit(wanted), explicit(found));
    for name in wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name))) {
        let text = |members: &Map<String, Value>| {
            members
                .get(name)
                .map_or_else(|| "nothing".to_owned(), |value| to_canonical(&as_written(name, value)))
        };
        let (left, right) = (text(&wanted), text(&found));
        let type_of = |members: &Map<String, Value>| members.get("type").and_then(renamed).map(str::to_owned);
        let is_type = name == "type" && type_of(&wanted) == type_of(&found);
        if left != right && !is_type {
            all.push(format!("{path} {name}: {left} -> {right}"));
        }
    }
}

/// A parameter's value in one of the forms that servers choose among.
fn as_written(name: &str, value: &Value) -> Value {
    if name == "script" { whole_script(value) } else { without_lists_of_one(value) }
}

/// Servers make lists of single strings, such as in `copy_to`, or the other way round.
fn without_lists_of_one(value: &Value) -> Value {
    match value {
        Value::Array(list) => match list.as_slice() {
            [one] => without_lists_of_one(one),
            several => several.iter().map(without_lists_of_one).collect(),
        },
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), as_written(name, value))).collect()
        }
        _ => value.clone(),
    }
}

/// Servers say a script's language, and make an object of a string.
fn whole_script(script: &Value) -> Value {
    let mut members = match script {
        Value::String(source) => [("source".to_owned(), Value::from(source.as_str()))].into_iter().collect(),
        Value::Object(members) => members.clone(),
        _ => return script.clone(),
    };
    members.entry("lang").or_insert_with(|| Value::from("painless"));
    Value::Object(members)
}

/// A type by one of its two names.
fn renamed(type_name: &Value) -> Option<&str> {
    let name = type_name.as_str()?;
    match field_type(name).and_then(|known| known.counterpart) {
        Some(crate::field_types::Counterpart::Renamed(other)) => Some(name.min(other)),
        _ => Some(name),
    }
}

fn compare_fields(group: &str, wanted: &Value, found: &Value, above: &str, all: &mut Vec<String>) {
    let empty = Map::new();
    let members = |mapping: &'_ Value| mapping.get(group).and_then(Value::as_object).cloned();
    let (wanted, found) = (members(wanted).unwrap_or_else(|| empty.clone()), members(found).unwrap_or(empty));
    for name in wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name))) {
        let path = format!("{above}{name}");
        match (wanted.get(name), found.get(name)) {
            (Some(left), Some(right)) => {
                let type_name = left.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
                let is_default = |name: &str, value: &Value| is_default(&type_name, name, value);
                compare_members(left, right, &path, &is_default, all);
                compare_fields("fields", left, right, &format!("{path}."), all);
                compare_fields("properties", left, right, &format!("{path}."), all);
            }
            (Some(_), None) => all.push(format!("{path}: missing")),
            (None, _) => all.push(format!("{path}: more than was requested")),
        }
    }
}

fn is_default(type_name: &str, parameter: &str, value: &Value) -> bool {
    let text = to_canonical(value);
    let of = |wanted: &str| -> Vec<&str> {
        let defaults = DEFAULTS.iter().filter(|(of, name, _)| *of == wanted && *name == parameter);
        defaults.map(|(_, _, default)| *default).collect()
    };
    // A type's own default comes before that of all.
    let own = of(type_name);
    let defaults = if own.is_empty() { of("*") } else { own };
    defaults.contains(&text.as_str())
}

/// Paths that a live mapping lacks or has with another type, the servers' names of a type being
/// one. More fields are not a difference: documents make them where `dynamic` lets them. Parameters
/// are not compared: which of them a server returns is known for the versions tested and no others,
/// and those that matter cannot be changed on a live field.
#[must_use]
pub fn missing_fields(wanted: &Value, live: &Value) -> Vec<String> {
    let normal =
        |mapping: &Value| normal_form(mapping).map_or_else(|_| mapping.clone(), |form| form.mappings);
    let mut paths = Vec::new();
    collect_missing(&normal(wanted), &normal(live), "", &mut paths);
    paths
}

fn collect_missing(wanted: &Value, live: &Value, above: &str, paths: &mut Vec<String>) {
    for group in ["properties", "fields"] {
        for (name, field) in wanted.get(group).and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{above}{name}");
            match live.get(group).and_then(|fields| fields.get(name)) {
                Some(found) if renamed(&found["type"]) == renamed(&field["type"]) => {
                    collect_missing(field, found, &format!("{path}."), paths);
                }
                _ => paths.push(path),
            }
        }
    }
}
