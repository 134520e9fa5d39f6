//! The order of an index, `sort.*`: of fields that are mapped, of types that have one.

use serde_json::{Map, Value};

use super::Problem;
use crate::lenient::{boolean, comma_list};
use crate::requirement::{NEVER, Versions};
use crate::settings::setting;

/// Since when documents with `nested` objects can be sorted.
const SORTS_NESTED: Versions = Versions { elasticsearch: (0x0810, NEVER), opensearch: (0x0303, NEVER) };
const SORTS_ALIASES: Versions = Versions { elasticsearch: (0, 0x070d), opensearch: (0, NEVER) };
const SORTS_BINARY: Versions = Versions { elasticsearch: (0x0900, NEVER), opensearch: (NEVER, NEVER) };

/// Types that no server sorts an index by.
const UNSORTED: [&str; 28] = [
    "constant_keyword",
    "text",
    "match_only_text",
    "annotated_text",
    "search_as_you_type",
    "half_float",
    "unsigned_long",
    "scaled_float",
    "integer_range",
    "long_range",
    "float_range",
    "double_range",
    "date_range",
    "ip_range",
    "geo_point",
    "geo_shape",
    "point",
    "shape",
    "wildcard",
    "counted_keyword",
    "rank_feature",
    "rank_features",
    "completion",
    "dense_vector",
    "knn_vector",
    "percolator",
    "histogram",
    "sparse_vector",
];

/// What settings say of the order, whatever the mapping is.
pub(super) fn of_settings(settings: &Value) -> Vec<Problem> {
    let fields = comma_list(setting(settings, "sort.field"));
    let mut found = Vec::new();
    for (name, words) in [
        ("sort.order", ["asc", "desc"]),
        ("sort.mode", ["min", "max"]),
        ("sort.missing", ["_last", "_first"]),
    ] {
        let values = comma_list(setting(settings, name));
        if values.is_empty() {
            continue;
        }
        if let Some(wrong) = values.iter().find(|value| !words.contains(&value.to_ascii_lowercase().as_str()))
        {
            let what = format!("the setting `{name}` has `{wrong}`");
            found.push(Problem::everywhere(name, what, format!("write `{}` or `{}`", words[0], words[1])));
        } else if fields.is_empty() {
            let what = format!("the setting `{name}` requires `sort.field`");
            found.push(Problem::everywhere(name, what, "write `sort.field`, or leave it out"));
        } else if values.len() != fields.len() {
            let what = format!(
                "the setting `{name}` has another number of entries ({}) than `sort.field` ({})",
                values.len(),
                fields.len()
            );
            found.push(Problem::everywhere(name, what, "write one entry for each field"));
        }
    }
    found
}

/// What the order asks of the mapping.
pub(super) fn of_both(mappings: &Value, settings: &Value) -> Vec<Problem> {
    // These modes bring fields and an order of their own.
    if setting(settings, "mode").is_some_and(|mode| mode != "standard") {
        return Vec::new();
    }
    let fields = comma_list(setting(settings, "sort.field"));
    let mut found: Vec<Problem> = fields.iter().filter_map(|field| of_field(mappings, field)).collect();
    let is_nested = !fields.is_empty() && has_nested(mappings);
    if is_nested && found.is_empty() {
        let what = "the setting `sort.field` cannot be combined with `nested` fields";
        let help = "leave the order out, or map the objects as `object`";
        found.push(Problem::everywhere("sort.field", what, help).accepted_by(SORTS_NESTED));
    }
    found
}

/// What is wrong with a field that an index is sorted by.
fn of_field(mappings: &Value, path: &str) -> Option<Problem> {
    let refuse = |why: &str| {
        let what = format!("the setting `sort.field` names `{path}`, {why}");
        Problem::everywhere("sort.field", what, "name a field of numbers, dates, booleans or `keyword`")
    };
    if path == "_seq_no" {
        return None;
    }
    let Some((field, is_nested)) = find(mappings, path) else {
        return Some(refuse("which is not a field of the mapping"));
    };
    let type_name = field.get("type").and_then(Value::as_str).unwrap_or("object");
    if is_nested {
        return Some(refuse("which lies in a `nested` object"));
    }
    match type_name {
        "object" | "nested" => Some(refuse("which is an object")),
        "alias" => Some(refuse("which is an alias").accepted_by(SORTS_ALIASES)),
        "binary" => Some(refuse("which is of type `binary`").accepted_by(SORTS_BINARY)),
        _ if UNSORTED.contains(&type_name) => Some(refuse(&format!("which is of type `{type_name}`"))),
        _ if field.get("doc_values").and_then(boolean) == Some(false) => {
            Some(refuse("which has `doc_values = false`"))
        }
        _ => None,
    }
}

/// The field at a path, and whether it lies in a `nested` object.
fn find<'a>(object: &'a Value, path: &str) -> Option<(&'a Map<String, Value>, bool)> {
    let members = ["properties", "fields"].into_iter().filter_map(|inside| object.get(inside)?.as_object());
    for (name, field) in members.flatten() {
        let Some(rest) = path.strip_prefix(name.as_str()) else { continue };
        if rest.is_empty() {
            return field.as_object().map(|field| (field, false));
        }
        let below = rest.strip_prefix('.').and_then(|rest| find(field, rest));
        if let Some((inside, is_nested)) = below {
            return Some((inside, is_nested || field.get("type").is_some_and(|name| name == "nested")));
        }
    }
    None
}

fn has_nested(object: &Value) -> bool {
    let mut fields = object.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    fields.any(|field| field.get("type").is_some_and(|name| name == "nested") || has_nested(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::problems;
    use super::*;
    use crate::field_types::Target;
    use crate::settings::normalize;

    fn found(settings: &Value) -> Vec<Problem> {
        let mapping = json!({"properties": {
            "day": {"type": "date"}, "note": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
            "raw": {"type": "keyword", "doc_values": false}, "half": {"type": "half_float"},
            "one": {"type": "constant_keyword", "value": "a"}, "alias": {"type": "alias", "path": "day"}, "owner": {"properties": {"name": {"type": "keyword"}}},
            "actions": {"type": "nested", "properties": {"kind": {"type": "keyword"}}},
        }});
        problems(&mapping, &normalize(settings).unwrap())
    }

    /// Each checked against the servers.
    #[test]
    fn an_index_is_sorted_by_mapped_fields_that_have_an_order() {
        for field in ["other", "note", "raw", "one", "half", "owner", "actions.kind", "_id", "_score", "_doc"]
        {
            let found = found(&json!({"sort.field": field}));
            assert_eq!(found.len(), 1, "{field}: {found:?}");
            assert_eq!(found[0].accepted, Versions::NONE, "{field}");
        }
        assert!(found(&json!({"sort.field": "alias"}))[0].concerns(Target::elasticsearch(7, 17)));
    }

    #[test]
    fn documents_with_nested_objects_are_sorted_by_new_servers_alone() {
        for field in ["day", "note.exact", "owner.name", "_seq_no"] {
            let found = found(&json!({"sort": {"field": [field], "order": ["desc"]}}));
            assert_eq!(found.len(), 1, "{field}: {found:?}");
            assert!(
                found[0].concerns(Target::elasticsearch(8, 14))
                    && found[0].concerns(Target::opensearch(2, 19))
            );
            assert!(
                !found[0].concerns(Target::elasticsearch(9, 4))
                    && !found[0].concerns(Target::opensearch(3, 6))
            );
        }
    }

    #[test]
    fn the_other_settings_of_an_order_fit_its_fields() {
        for settings in [
            json!({"sort.field": "day", "sort.order": "down"}),
            json!({"sort.field": ["day", "owner.name"], "sort.order": ["asc"]}),
            json!({"sort.field": "day", "sort.missing": "_middle"}),
            json!({"sort.field": "day", "sort.mode": "avg"}),
            json!({"sort.order": "asc"}),
        ] {
            assert_eq!(of_settings(&normalize(&settings).unwrap()).len(), 1, "{settings}");
        }
        let fine = json!({"sort.field": ["day", "owner.name"], "sort.order": ["ASC", "desc"], "sort.mode": "min,max"});
        assert_eq!(of_settings(&normalize(&fine).unwrap()), []);
    }
}
