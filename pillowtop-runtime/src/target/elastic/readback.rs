//! What an index really is after its creation. Index templates and policies of the cluster may have
//! added aliases, pipelines and settings, and a document that goes through a pipeline is not the
//! document that was sent.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a cluster added to an index that it created.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Additions {
    /// What makes the index unusable.
    pub(super) refused: Vec<String>,
    /// What only has to be known.
    pub(super) reported: Vec<String>,
}

/// Settings that change documents, their durability or the index itself, by the start of their
/// names.
const REFUSED: [(&str, &str); 10] = [
    ("default_pipeline", "an ingest pipeline changes documents"),
    ("final_pipeline", "an ingest pipeline changes documents"),
    ("translog.durability", "acknowledged documents may be lost"),
    ("lifecycle.", "a lifecycle policy may roll over, shrink or delete the index"),
    ("plugins.index_state_management.", "a policy may roll over, shrink or delete the index"),
    ("opendistro.index_state_management.", "a policy may roll over, shrink or delete the index"),
    ("blocks.", "the index accepts no writes"),
    ("mode", "documents need other ids"),
    ("routing_partition_size", "a routing value does not lead to one shard"),
    ("append_only.", "documents cannot be updated"),
];

/// Settings that every server adds, by the start of their names.
const OWN: [&str; 12] = [
    "uuid",
    "creation_date",
    "provided_name",
    "version.",
    "number_of_shards",
    "number_of_replicas",
    "routing.allocation.",
    "replication.type",
    "history.uuid",
    "resize.",
    "shard.",
    "allocation.",
];

/// Values that are the same as no setting.
fn is_default(name: &str, value: &str) -> bool {
    matches!(
        (name, value),
        ("default_pipeline" | "final_pipeline", "_none")
            | ("translog.durability", "request" | "REQUEST")
            | ("mode", "standard")
    ) || (name.starts_with("blocks.") && value == "false")
}

fn begins(name: &str, start: &str) -> bool {
    if start.ends_with('.') { name.starts_with(start) } else { name == start }
}

/// Compares an index as it was created with the body of its creation. `live` is its entry in `GET
/// /index`.
pub(super) fn additions(requested: &Value, live: &Value) -> Additions {
    let mut found = Additions::default();
    compare_aliases(requested, live, &mut found);
    let (mut wanted, mut has) = (BTreeMap::new(), BTreeMap::new());
    flatten(requested.pointer("/settings/index"), "", &mut wanted);
    flatten(live.pointer("/settings/index"), "", &mut has);
    for (name, value) in has.iter().filter(|(name, value)| !is_default(name, value)) {
        let (was_requested, sentence) = (wanted.get(name), format!("setting `index.{name}: {value}`"));
        match REFUSED.iter().find(|(start, _)| begins(name, start)) {
            Some((_, why)) if was_requested != Some(value) => {
                found.refused.push(format!("{sentence} ({why})"));
            }
            None if was_requested.is_none() && !OWN.iter().any(|start| name.starts_with(start)) => {
                found.reported.push(sentence);
            }
            _ => {}
        }
    }
    compare_mappings(requested, live, &mut found);
    found
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn compare_aliases(requested: &Value, live: &Value, found: &mut Additions) {
    let wanted: Vec<&String> = members(requested, "aliases").map(|(name, _)| name).collect();
    let has: Vec<&String> = members(live, "aliases").map(|(name, _)| name).collect();
    let added = has.iter().filter(|name| !wanted.contains(name));
    found.refused.extend(
        added.map(|name| format!("alias `{name}` (searches would find an index that is not complete)")),
    );
    let lacks = wanted.iter().filter(|name| !has.contains(name));
    found.refused.extend(lacks.map(|name| format!("no alias `{name}`")));
}

/// Members of the root of a mapping that a template added or changed. That the fields are those of
/// the definition is checked elsewhere; here are those beyond them.
fn compare_mappings(requested: &Value, live: &Value, found: &mut Additions) {
    let (empty, none) = (Value::Object(Map::new()), Value::Null);
    let wanted = requested.get("mappings").unwrap_or(&empty);
    for (name, value) in members(live, "mappings") {
        let requested = wanted.get(name).unwrap_or(&none);
        match name.as_str() {
            "properties" => {
                let added = members(live.get("mappings").unwrap_or(&empty), name).map(|(field, _)| field);
                let added = added.filter(|field| requested.get(field.as_str()).is_none());
                found.reported.extend(added.map(|field| format!("field `{field}`")));
            }
            "_routing" | "_source" | "_data_stream_timestamp" if value != requested => {
                found.refused.push(format!("`{name}: {value}` in the mapping"));
            }
            "_meta" => {}
            _ if requested.is_null() => found.reported.push(format!("`{name}` in the mapping")),
            _ => {}
        }
    }
}

/// Settings by their dotted names, with values as the server returns them: strings.
pub(super) fn flatten(value: Option<&Value>, path: &str, into: &mut BTreeMap<String, String>) {
    let string = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        None => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(Some(value), &path, into);
            }
        }
        Some(value) => {
            into.insert(path.to_owned(), string(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn requested() -> Value {
        json!({"aliases": {"cases_0": {}},
            "settings": {"index": {"refresh_interval": "-1", "number_of_replicas": 0}},
            "mappings": {"dynamic": false, "properties": {"a": {"type": "keyword"}}, "_meta": {"pillowtop": {}}}})
    }

    fn live() -> Value {
        json!({"aliases": {"cases_0": {}},
            "settings": {"index": {"refresh_interval": "-1", "number_of_replicas": "0", "number_of_shards": "1", "uuid": "u",
                "creation_date": "1", "provided_name": "n", "version": {"created": "1"}, "replication": {"type": "DOCUMENT"},
                "routing": {"allocation": {"include": {"_tier_preference": "data_content"}}}, "default_pipeline": "_none"}},
            "mappings": {"dynamic": "false", "properties": {"a": {"type": "keyword"}}, "_meta": {"pillowtop": {}}}})
    }

    #[test]
    fn what_every_server_adds_is_not_an_addition() {
        assert_eq!(additions(&requested(), &live()), Additions::default());
    }

    #[test]
    fn what_changes_documents_or_the_index_is_refused() {
        for (path, name, value) in [
            ("/settings/index", "default_pipeline", json!("p")),
            ("/settings/index", "final_pipeline", json!("p")),
            ("/settings/index", "translog", json!({"durability": "async"})),
            ("/settings/index", "lifecycle", json!({"name": "policy"})),
            ("/settings/index", "plugins", json!({"index_state_management": {"policy_id": "p"}})),
            ("/settings/index", "blocks", json!({"write": "true"})),
            ("/aliases", "cases", json!({})),
            ("/mappings", "_routing", json!({"required": true})),
            ("/mappings", "_source", json!({"enabled": false})),
        ] {
            let mut live = live();
            live.pointer_mut(path).unwrap()[name] = value;
            let found = additions(&requested(), &live);
            assert_eq!((found.refused.len(), found.reported.len()), (1, 0), "{name}: {found:?}");
        }
        let mut without = live();
        without["aliases"] = json!({});
        assert_eq!(additions(&requested(), &without).refused.len(), 1);
    }

    #[test]
    fn other_additions_are_reported_unless_they_were_requested() {
        let mut live = live();
        live["settings"]["index"]["codec"] = json!("best_compression");
        live["mappings"]["properties"]["added"] = json!({"type": "keyword"});
        live["mappings"]["dynamic_templates"] = json!([]);
        let found = additions(&requested(), &live);
        assert_eq!((found.refused.len(), found.reported.len()), (0, 3), "{found:?}");
        let mut requested = requested();
        requested["settings"]["index"]["codec"] = json!("best_compression");
        assert_eq!(additions(&requested, &live).reported.len(), 2);
    }
}
