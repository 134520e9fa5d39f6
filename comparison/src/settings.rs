//! Generates settings: analysis, similarities, the order of an index, and single settings, from the
//! values in `parts.json`.

use serde_json::{Map, Value, json};

use crate::draw::Draw;
use crate::error::ConformanceError;
use crate::exceptions;
use crate::server::Server;

/// Sections with definitions: the names that they define, of which fields and other definitions
/// name some.
const SECTIONS: [(&str, [&str; 2]); 6] = [
    ("analyzer", ["a0", "a1"]),
    ("normalizer", ["n0", "n1"]),
    ("tokenizer", ["t0", "t1"]),
    ("filter", ["l0", "l1"]),
    ("char_filter", ["c0", "c1"]),
    ("similarity", ["s0", "s1"]),
];

/// What sorting names beside the fields of the mapping.
const SORTED: [&str; 5] = ["f0", "f1", "o.f4", "missing", "f0.m"];

/// The values to draw from: sections, types, parameters.
#[derive(Debug)]
pub(crate) struct Parts(Value);

impl Parts {
    pub(crate) fn read() -> Result<Self, ConformanceError> {
        serde_json::from_str(include_str!("parts.json")).map(Self).map_err(ConformanceError::Parts)
    }

    /// Definitions of analysis and similarities. An analyzer of each name is there, so that fields
    /// find one.
    pub(crate) fn analysis(&self, draw: &mut Draw) -> Map<String, Value> {
        let (mut analysis, mut settings) = (Map::new(), Map::new());
        for (section, names) in SECTIONS {
            let mut definitions = Map::new();
            for name in names {
                if draw.one_in(2) {
                    definitions.insert(name.to_owned(), self.definition(draw, section));
                }
            }
            if definitions.is_empty() {
                continue;
            }
            let into = if section == "similarity" { &mut settings } else { &mut analysis };
            into.insert(section.to_owned(), Value::Object(definitions));
        }
        settings.insert("analysis".to_owned(), Value::Object(analysis));
        settings
    }

    /// One definition of a section.
    fn definition(&self, draw: &mut Draw, section: &str) -> Value {
        let types: Vec<(&String, &Value)> = self.0[section].as_object().into_iter().flatten().collect();
        let mut chosen = draw.pick(&types).copied();
        // Custom ones are what names other parts.
        if matches!(section, "analyzer" | "normalizer") && draw.one_in(2) {
            chosen = types.iter().copied().find(|(name, _)| *name == "custom");
        }
        let Some((type_name, parameters)) = chosen else { return json!({}) };
        let mut definition = Map::new();
        if !draw.one_in(40) {
            definition.insert("type".to_owned(), json!(type_name));
        }
        for (name, values) in parameters.as_object().into_iter().flatten() {
            let bare = name.trim_end_matches('*');
            let is_required = bare.len() < name.len();
            let is_there = if is_required { !draw.one_in(20) } else { draw.one_in(2) };
            if let Some(value) = values.as_array().filter(|_| is_there).and_then(|values| draw.pick(values)) {
                definition.insert(bare.to_owned(), value.clone());
            }
        }
        // Without anything servers drop it, and pillowtop refuses it.
        if definition.is_empty() {
            definition.insert("type".to_owned(), json!(type_name));
        }
        Value::Object(definition)
    }

    /// One or two single settings.
    pub(crate) fn single(&self, draw: &mut Draw, server: &Server) -> Map<String, Value> {
        let all: Vec<(&String, &Value)> = self.0["settings"].as_object().into_iter().flatten().collect();
        let mut settings = Map::new();
        for _ in 0..=draw.below(2) {
            if let Some((name, values)) = draw.pick(&all)
                && let Some(value) = values.as_array().and_then(|values| draw.pick(values))
                && !exceptions::setting_is_absent(server, name, value)
            {
                settings.insert((*name).clone(), value.clone());
            }
        }
        settings
    }
}

/// The order of an index.
pub(crate) fn sort(draw: &mut Draw) -> Map<String, Value> {
    let mut settings = Map::new();
    let first = draw.word(&SORTED);
    let second = draw.word(&SORTED);
    let field = if draw.one_in(3) { json!([first, second]) } else { json!(first) };
    settings.insert("sort.field".to_owned(), field);
    for (name, values) in [
        ("sort.order", [json!("desc"), json!(["asc", "desc"]), json!("up")]),
        ("sort.mode", [json!("min"), json!(["max", "min"]), json!("median")]),
        ("sort.missing", [json!("_last"), json!(["_first", "_last"]), json!("x")]),
    ] {
        if draw.one_in(4)
            && let Some(value) = draw.pick(&values)
        {
            settings.insert(name.to_owned(), value.clone());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_types_and_every_parameter_values() {
        let Parts(parts) = Parts::read().unwrap();
        for (section, _) in SECTIONS {
            let types = parts[section].as_object().unwrap();
            assert!(types.len() > 1, "{section}");
            let lists = types.values().flat_map(|parameters| parameters.as_object().unwrap().values());
            assert!(lists.into_iter().all(|values| !values.as_array().unwrap().is_empty()), "{section}");
        }
    }
}
