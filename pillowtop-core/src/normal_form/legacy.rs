//! What mappings from before Elasticsearch 7 say, in today's words.

use serde_json::{Map, Value, json};

use super::Note;
use crate::field_types::{Legacy, legacy_type};

/// A note of something that has no place today.
pub(super) fn left_out(path: &str, name: &str, legacy: &Legacy) -> Note {
    let became = match legacy.replacement.strip_prefix("nothing, ") {
        Some(why) => format!("left out: {why}"),
        None => format!("left out: use {}", legacy.replacement),
    };
    Note { path: path.to_owned(), found: format!("`{name}`"), became }
}

/// Members that fields like `_source` and `_routing` had.
const MEMBERS_OF_OLD: &[(&str, &str, &str)] = &[
    ("_routing", "path", "a document comes with its routing"),
    ("_routing", "store", "it is always kept"),
    ("_routing", "index", "it can always be searched"),
    ("_source", "compress", "`codec` in the settings sets it"),
    ("_source", "compress_threshold", "`codec` in the settings sets it"),
    ("_source", "format", "it is kept as it came"),
    ("_size", "store", "it is always kept"),
];

/// A parameter of the root without what is gone.
pub(super) fn root_value(name: &str, value: &Value, notes: &mut Vec<Note>) -> Value {
    let mut value = value.clone();
    let Some(members) = value.as_object_mut() else { return value };
    for (_, member, why) in MEMBERS_OF_OLD.iter().filter(|(of, ..)| *of == name) {
        if members.remove(*member).is_some() {
            notes.push(Note {
                path: String::new(),
                found: format!("`{member}` of `{name}`"),
                became: format!("left out: {why}"),
            });
        }
    }
    value
}

/// Says a field in today's words, as far as there are any.
pub(super) fn modernize(members: &mut Map<String, Value>, path: &str, notes: &mut Vec<Note>) {
    let mut note = |found: String, became: String| notes.push(Note { path: path.to_owned(), found, became });
    multi_field(members, path, &mut note);
    let type_name = members.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_analyzed = members.get("index").and_then(Value::as_str) != Some("not_analyzed");
    let today = match type_name.as_str() {
        "string" if is_analyzed => Some("text"),
        "string" => Some("keyword"),
        "_geo_point" => Some("geo_point"),
        "feature" => Some("rank_feature"),
        "feature_vector" => Some("rank_features"),
        "geo_polygon" => Some("geo_shape"),
        _ => None,
    };
    if let Some(today) = today {
        members.insert("type".to_owned(), json!(today));
        note(format!("the type `{type_name}`"), format!("`{today}`"));
    } else if let Some(legacy) = legacy_type(&type_name) {
        note(
            format!("the type `{type_name}`"),
            format!("kept, but no server accepts it: use {}", legacy.replacement),
        );
    }
    if let Some(text) = members.get("index").and_then(Value::as_str).map(str::to_owned) {
        let index = match text.as_str() {
            "analyzed" | "not_analyzed" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        if let Some(index) = index {
            if index {
                members.remove("index");
            } else {
                members.insert("index".to_owned(), json!(false));
            }
            if type_name != "string" || !index {
                note(format!("`index: {text}`"), format!("`index: {index}`"));
            }
        }
    }
    if let Some(enabled) = members.get("norms").and_then(|norms| norms.get("enabled")).cloned() {
        note("`norms` as an object".to_owned(), format!("`norms: {enabled}`"));
        members.insert("norms".to_owned(), enabled);
    }
    if members.get("fielddata").is_some_and(Value::is_object) {
        members.remove("fielddata");
        note("`fielddata` as an object".to_owned(), "left out: it is true or false".to_owned());
    }
    for (old, new) in [("index_analyzer", "analyzer"), ("position_offset_gap", "position_increment_gap")] {
        if let Some(value) = members.remove(old) {
            note(format!("`{old}`"), format!("`{new}`"));
            members.entry(new).or_insert(value);
        }
    }
    if let Some(omitted) = members.remove("omit_norms") {
        let norms = omitted == json!(false) || omitted == json!("false");
        note("`omit_norms`".to_owned(), format!("`norms: {norms}`"));
        members.entry("norms").or_insert(json!(norms));
    }
    for flag in ["store", "doc_values", "include_in_parent", "include_in_root"] {
        let yes = match members.get(flag).and_then(Value::as_str) {
            Some("yes" | "on" | "1") => true,
            Some("no" | "off" | "0") => false,
            _ => continue,
        };
        note(format!("`{flag}: {}`", members[flag]), format!("`{flag}: {yes}`"));
        members.insert(flag.to_owned(), json!(yes));
    }
}

/// `multi_field` named its main field like itself among its `fields`.
fn multi_field(members: &mut Map<String, Value>, path: &str, note: &mut impl FnMut(String, String)) {
    if members.get("type").and_then(Value::as_str) != Some("multi_field") {
        return;
    }
    let own = path.rsplit('.').next().unwrap_or(path);
    let mut fields = members.remove("fields").unwrap_or_else(|| json!({}));
    let main = fields.as_object_mut().and_then(|fields| fields.remove(own));
    members.remove("type");
    let main = main.unwrap_or_else(|| json!({"type": "text"}));
    for (name, value) in main.as_object().into_iter().flatten() {
        members.insert(name.clone(), value.clone());
    }
    members.insert("fields".to_owned(), fields);
    note("the type `multi_field`".to_owned(), "the field's own type with `fields`".to_owned());
}
