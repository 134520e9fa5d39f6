//! The normal form of a mapping: what two mappings have in common that say the same to a server.
//!
//! | in a mapping | in normal form |
//! |---|---|
//! | a field without `type` | `"type": "object"` |
//! | `"true"`, `"256"`, `256.0` where a boolean or a number is meant | `true`, `256` |
//! | `{}` as `properties` or `fields`, `null` where it means the default | left out |
//! | `a.b`, unless `subobjects` is false | `b` in the object `a` |
//! | a root without `dynamic` or `date_detection` | both are `true`, the servers' default |
//! | `_meta.pillowtop`, and the reserved object `pillowtop` | left out |
//! | what is from before Elasticsearch 7 | what it means today, or left out; either way there is a [`Note`] |
//!
//! The order of members has no effect, and [`to_canonical`](crate::canonical::to_canonical) gives
//! numbers one spelling. A parameter that is explicit with its default value stays: a mapping that
//! has it is not the one that does not, until a server has dropped it. [`differences`] knows those
//! defaults, and that servers make lists of single strings.

mod compare;
mod legacy;

mod fields;

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value, json};

use crate::definition::reserved_properties;
use crate::field_types::{legacy_root_parameter, root_parameter};
use crate::pillow::RESERVED;
use crate::references::keeps_dots;

pub use compare::{differences, in_words_of, missing_fields};

/// Something that a mapping says and no server of today takes, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The field's dotted path; empty for the root.
    pub path: String,
    /// What was written, such as "`include_in_all`".
    pub found: String,
    /// What became of it, such as "left out: use `copy_to` with a field of your own".
    pub became: String,
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = if self.path.is_empty() { "(root)" } else { &self.path };
        write!(formatter, "{location}: {}: {}", self.found, self.became)
    }
}

/// A mapping in normal form.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalForm {
    /// The root of the mapping.
    pub mappings: Value,
    /// What it said that is from before Elasticsearch 7, in order of paths.
    pub notes: Vec<Note>,
}

/// The normal form of the root of a mapping.
///
/// # Errors
///
/// A sentence that names the path, when the value is not a mapping.
pub fn normal_form(mappings: &Value) -> Result<NormalForm, String> {
    let Value::Object(members) = mappings else {
        return Err("a mapping is a JSON object".to_owned());
    };
    let mut notes = Vec::new();
    let mut root = Map::new();
    for (name, value) in members {
        match name.as_str() {
            "properties" => {}
            _ if value.is_null() => {}
            _ => match (root_parameter(name), legacy_root_parameter(name)) {
                (Some(known), _) => {
                    let value = legacy::root_value(name, value, &mut notes);
                    root.insert(name.clone(), fields::normal_value(known, &value, "", &mut notes));
                }
                (None, Some(legacy)) => {
                    notes.push(legacy::left_out("", name, legacy));
                }
                // Newer than the table: as it is.
                (None, None) => {
                    root.insert(name.clone(), value.clone());
                }
            },
        }
    }
    for default in ["dynamic", "date_detection"] {
        root.entry(default).or_insert(json!(true));
    }
    if let Some(Value::Object(meta)) = root.get_mut("_meta") {
        meta.remove(RESERVED);
        if meta.is_empty() {
            root.remove("_meta");
        }
    }
    let mut properties = fields::properties(members.get("properties"), keeps_dots(&root), "", &mut notes)?;
    let reserved = reserved_properties(&root);
    let is_reserved = |name: &str| name.split('.').next() == Some(RESERVED);
    for (name, found) in properties.iter().filter(|(name, _)| is_reserved(name)) {
        let own = reserved.get(name).map(|own| fields::field(own, name, &mut Vec::new())).transpose()?;
        if own.as_ref() != Some(found) {
            let kind = if found["type"] == "object" { "object" } else { "field" };
            let became = "left out: the name is reserved for the runtime: it holds id, revision and database";
            notes.push(Note {
                path: name.clone(),
                found: format!("the {kind} `{name}`, {found}"),
                became: became.to_owned(),
            });
        }
    }
    properties.retain(|name, _| !is_reserved(name));
    if !properties.is_empty() {
        root.insert("properties".to_owned(), Value::Object(properties));
    }
    Ok(NormalForm { mappings: Value::Object(root), notes })
}
