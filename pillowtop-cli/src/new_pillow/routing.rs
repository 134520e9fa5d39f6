//! The routing of a mapping with parents and children: a function that reads the parent's id out of
//! the `join` field.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::literals::string;
use super::model::{Draft, RustType};
use super::names;

/// The path of the `join` field that has children, by its JSON names.
pub(super) fn join_with_children(object: &Map<String, Value>) -> Option<Vec<String>> {
    let properties = object.get("properties")?.as_object()?;
    properties.iter().find_map(|(name, mapping)| {
        let mapping = mapping.as_object()?;
        if mapping.get("type").and_then(Value::as_str) == Some("join") {
            let mut children = mapping.get("relations")?.as_object()?.values();
            let is_some = |children: &Value| children.as_array().is_none_or(|names| !names.is_empty());
            return children.any(is_some).then(|| vec![name.clone()]);
        }
        let below = join_with_children(mapping)?;
        Some(std::iter::once(name.clone()).chain(below).collect())
    })
}

/// The function of the document's struct that gives the routing value; empty where there is none.
pub(super) fn function(draft: &Draft, document: &str) -> String {
    let mut text = String::new();
    if let Some(path) = &draft.pillow.routed_by {
        let _ = write!(
            text,
            "\nimpl {document} {{\n    \
             /// The routing value: a child is in the shard of its parent. For children of children, return the id of the topmost parent.\n    \
             fn routing(&self) -> Option<String> {{\n        \
             {}.get(\"parent\")?.as_str().map(str::to_owned)\n    }}\n}}\n",
            read(draft, path)
        );
    }
    text
}

/// The expression that reads a field of the document; from where there are no structs it reads
/// JSON.
fn read(draft: &Draft, path: &[String]) -> String {
    let (mut text, mut structure) = ("self".to_owned(), Some(0));
    for name in path {
        let fields = structure.map(|index: usize| &draft.structs[index].fields);
        let position = fields.and_then(|fields| fields.iter().position(|field| field.json_name == *name));
        let Some((fields, position)) = fields.zip(position) else {
            let _ = write!(text, ".get({})?", string(name));
            structure = None;
            continue;
        };
        let json_names: Vec<&str> = fields.iter().map(|field| field.json_name.as_str()).collect();
        let (_, rust_names) = names::field_names(&json_names);
        let _ = write!(text, ".{}.as_ref()?", rust_names[position].rust);
        structure = match fields[position].rust_type {
            RustType::Struct(index) => Some(index),
            _ => None,
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::new_pillow::{from_mapping, write};

    fn module(mappings: &serde_json::Value) -> (String, Vec<String>) {
        let (mut draft, notes) = from_mapping::draft(mappings).unwrap();
        draft.pillow.name = "post".to_owned();
        (write::module(&draft), notes.iter().map(|note| note.found.clone()).collect())
    }

    #[test]
    fn children_go_to_the_shard_of_their_parent() {
        let join = json!({"type": "join", "relations": {"question": ["answer"]}});
        let (text, notes) = module(&json!({"properties": {"kin": join}}));
        assert!(text.contains("routing = Post::routing"), "{text}");
        assert!(text.contains("self.kin.as_ref()?.get(\"parent\")?.as_str().map(str::to_owned)"), "{text}");
        assert!(notes.contains(&"a `join` with children".to_owned()), "{notes:?}");
        let (text, _) = module(&json!({"properties": {"a": {"properties": {"kin": join}}}}));
        assert!(text.contains("self.a.as_ref()?.kin.as_ref()?.get(\"parent\")?"), "{text}");
        let (text, _) =
            module(&json!({"properties": {"kin": {"type": "join", "relations": {"question": []}}}}));
        assert!(!text.contains("routing"), "{text}");
    }

    #[test]
    fn that_routing_is_required_is_left_to_whoever_declares_it() {
        let (text, notes) =
            module(&json!({"_routing": {"required": true}, "properties": {"a": {"type": "long"}}}));
        assert!(!text.contains("routing"), "{text}");
        assert_eq!(notes, ["`_routing` with `required = true`"]);
    }
}
