//! The body that an index is created with: a definition in the terms of the server's product and
//! version.
//!
//! Definitions use Elasticsearch's names. Types are renamed to their counterpart where the product
//! has another name for the same. Whatever this server lacks is an error that names the path,
//! before anything is created.

use pillowtop_core::Definition;
use pillowtop_core::field_types::{Target, field_type};
use pillowtop_core::requirement::of_root;
use serde_json::{Map, Value, json};

/// How long a deleted document's version is remembered, ten times the default: a late write within
/// it is refused.
pub(super) const GC_DELETES: &str = "10m";

/// Why a definition cannot be sent to a server.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderingError {
    /// The server lacks types, parameters or values.
    #[error("pillow `{pillow}` cannot be created on {target}: {}", lacks.join("; "))]
    Unavailable {
        /// The pillow.
        pillow: String,
        /// The server's product and version.
        target: Target,
        /// What it lacks, each with its path and the versions that have it.
        lacks: Vec<String>,
    },
    /// Acknowledged writes would be lost with a node.
    #[error(
        "pillow `{pillow}`: the setting `translog.durability: async` loses acknowledged documents; leave it out"
    )]
    AsyncDurability {
        /// The pillow.
        pillow: String,
    },
}

/// The body for creating an index. One that is loaded has no refreshing and no replicas. `prefix`
/// is stored in `_meta`, so that environments in one cluster can tell their indices apart. `alias`
/// is created with the index.
pub fn creation_body(
    definition: &Definition,
    target: Target,
    prefix: Option<&str>,
    alias: Option<&str>,
    is_loading: bool,
) -> Result<Value, RenderingError> {
    let mut mappings = mappings(definition, target)?;
    if let (Some(prefix), Some(meta)) = (prefix, mappings.pointer_mut("/_meta/pillowtop")) {
        meta["prefix"] = json!(prefix);
    }
    let mut settings = definition.settings.as_object().cloned().unwrap_or_default();
    if settings.get("translog").and_then(|translog| translog.get("durability")) == Some(&json!("async")) {
        return Err(RenderingError::AsyncDurability { pillow: definition.pillow.to_string() });
    }
    settings.entry("gc_deletes").or_insert_with(|| json!(GC_DELETES));
    if is_loading {
        settings.insert("refresh_interval".to_owned(), json!("-1"));
        settings.insert("number_of_replicas".to_owned(), json!(0));
        settings.remove("auto_expand_replicas");
    }
    let mut body = json!({"settings": {"index": settings}, "mappings": mappings});
    if let Some(alias) = alias {
        body["aliases"] = json!({alias: {}});
    }
    Ok(body)
}

/// The settings that a load changes, as they are without a load: the definition's own, else the
/// server's defaults.
pub(super) fn settings_after_loading(definition: &Definition) -> Value {
    let own = |name: &str| definition.settings.get(name).cloned();
    let mut settings = json!({"refresh_interval": own("refresh_interval").unwrap_or(Value::Null)});
    match own("auto_expand_replicas").filter(|range| *range != json!(false) && *range != json!("false")) {
        Some(range) => settings["auto_expand_replicas"] = range,
        None => settings["number_of_replicas"] = own("number_of_replicas").unwrap_or_else(|| json!(1)),
    }
    json!({"index": settings})
}

/// The root of the mapping, with `_meta`, in the server's terms. Nothing is dropped: what a server
/// lacks is an error.
pub(super) fn mappings(definition: &Definition, target: Target) -> Result<Value, RenderingError> {
    let lacks: Vec<String> =
        of_root(&definition.mappings).iter().filter_map(|requirement| requirement.lack(target)).collect();
    if !lacks.is_empty() {
        return Err(RenderingError::Unavailable { pillow: definition.pillow.to_string(), target, lacks });
    }
    let mut mappings = definition.mappings_with_meta();
    if let Some(properties) = mappings.get_mut("properties") {
        rename_fields(properties, target);
    }
    if let Some(Value::Array(templates)) = mappings.get_mut("dynamic_templates") {
        let entries = templates.iter_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
        entries.filter_map(|template| template.get_mut("mapping")).for_each(|field| rename(field, target));
    }
    Ok(mappings)
}

/// `properties` or `fields`: each member is a field.
fn rename_fields(fields: &mut Value, target: Target) {
    fields.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(|field| rename(field, target));
}

/// Gives a field's type the name that the product has for it.
fn rename(field: &mut Value, target: Target) {
    let Some(members) = field.as_object_mut() else { return };
    // A type that is not in the table was declared as raw JSON: the server decides.
    let name = members.get("type").and_then(Value::as_str).and_then(field_type);
    if let Some(name) = name.and_then(|known| known.name_in(target.product)) {
        members.insert("type".to_owned(), json!(name));
    }
    for inside in ["properties", "fields"] {
        if let Some(fields) = members.get_mut(inside) {
            rename_fields(fields, target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A definition of one field.
    fn definition() -> Definition {
        let mappings = json!({"dynamic": false, "properties": {"name": {"type": "text"}}});
        Definition::of_mapping("case", "cases", json!({}), mappings)
    }

    const ELASTIC: Target = Target::elasticsearch(8, 15);
    const OPEN: Target = Target::opensearch(3, 6);

    #[test]
    fn a_type_is_sent_by_the_name_that_the_product_has() {
        let mut definition = definition();
        definition.mappings["properties"]["labels"] = json!({"type": "flattened"});
        definition.mappings["properties"]["inner"] =
            json!({"type": "object", "properties": {"raw": {"type": "flattened"}}});
        let type_at = |target, path: &str| {
            creation_body(&definition, target, None, None, false).unwrap()["mappings"].pointer(path).cloned()
        };
        assert_eq!(type_at(ELASTIC, "/properties/labels/type"), Some(json!("flattened")));
        assert_eq!(type_at(OPEN, "/properties/labels/type"), Some(json!("flat_object")));
        assert_eq!(type_at(OPEN, "/properties/inner/properties/raw/type"), Some(json!("flat_object")));
    }

    #[test]
    fn what_the_server_lacks_is_named_with_its_path() {
        let mut definition = definition();
        definition.mappings["properties"]["inner"] = json!({"type": "nested", "properties": {"name": {"type": "text", "fields": {"wild": {"type": "wildcard"}}}}});
        creation_body(&definition, OPEN, None, None, false).unwrap();
        let error = creation_body(&definition, Target::opensearch(2, 14), None, None, false).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`inner.name.wild`") && text.contains("OpenSearch 2.15"), "{text}");
        definition.mappings["properties"]["inner"] = json!({"type": "flattened", "depth_limit": 3});
        let text = creation_body(&definition, OPEN, None, None, false).unwrap_err().to_string();
        assert!(text.contains("`inner`") && text.contains("depth_limit"), "{text}");
        definition.mappings["properties"]["inner"] = json!({"type": "brand_new", "x": 1});
        creation_body(&definition, OPEN, None, None, false).unwrap();
        definition.mappings["properties"]["more"] = json!({"type": "dense_vector", "dims": 3});
        definition.mappings["properties"]["words"] = json!({"type": "match_only_text"});
        let text =
            creation_body(&definition, Target::opensearch(2, 11), None, None, false).unwrap_err().to_string();
        assert!(
            text.contains("OpenSearch 2.11") && text.contains("`more`") && text.contains("`words`"),
            "{text}"
        );
    }

    #[test]
    fn templates_are_renamed_too() {
        let mut definition = definition();
        definition.mappings["dynamic_templates"] =
            json!([{"labels": {"match": "labels", "mapping": {"type": "flattened"}}}]);
        let body = creation_body(&definition, OPEN, None, None, false).unwrap();
        assert_eq!(
            body["mappings"]["dynamic_templates"][0]["labels"]["mapping"]["type"],
            json!("flat_object")
        );
    }

    #[test]
    fn a_load_changes_settings_that_come_back() {
        let mut definition = definition();
        definition.settings =
            json!({"number_of_replicas": 2, "refresh_interval": "5s", "analysis": {"filter": {}}});
        let body = creation_body(&definition, OPEN, Some("staging"), Some("staging-cases_0"), true).unwrap();
        assert_eq!(
            body["settings"]["index"],
            json!({"number_of_replicas": 0, "refresh_interval": "-1", "gc_deletes": "10m", "analysis": {"filter": {}}})
        );
        assert_eq!(body["aliases"], json!({"staging-cases_0": {}}));
        assert_eq!(body["mappings"]["_meta"]["pillowtop"]["prefix"], json!("staging"));
        assert_eq!(
            settings_after_loading(&definition),
            json!({"index": {"number_of_replicas": 2, "refresh_interval": "5s"}})
        );
        definition.settings = json!({"auto_expand_replicas": "0-1"});
        assert_eq!(
            settings_after_loading(&definition),
            json!({"index": {"auto_expand_replicas": "0-1", "refresh_interval": null}})
        );
        definition.settings = json!({"translog": {"durability": "async"}});
        assert!(matches!(
            creation_body(&definition, OPEN, None, None, false),
            Err(RenderingError::AsyncDurability { .. })
        ));
    }
}
