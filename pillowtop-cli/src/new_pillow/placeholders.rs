//! What a mapping names and its settings do not define: a definition that only a server with a
//! plugin of that name takes stands in for it, so that the struct compiles and nothing is made up.

use pillowtop_core::analysis::NameKind;
use pillowtop_core::analysis::{defined, missing_names};
use pillowtop_core::normal_form::{Note, normal_form};
use pillowtop_core::requirement::{Asks, of_root};
use serde_json::{Map, Value, json};

/// What was done to settings.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Placeholders {
    /// Sections of the settings, each with a name in it that the source does not define.
    names: Vec<(String, String)>,
    pub(crate) notes: Vec<Note>,
}

/// Adds to normal settings what the mapping and the settings themselves name, and leaves out what
/// no server of today has and what no pillow's index can have.
pub(crate) fn add(settings: &mut Value, mappings: &Value) -> Result<Placeholders, String> {
    let mut all = Placeholders::default();
    without_standard_filter(settings, &mut all.notes);
    without_time_series(settings, &mut all.notes);
    for kind in [NameKind::Analyzer, NameKind::Normalizer, NameKind::Similarity] {
        let known = defined(settings, kind);
        let mut names: Vec<String> = of_root(&normal_form(mappings)?.mappings)
            .into_iter()
            .filter_map(|requirement| match requirement.asks {
                Asks::Definition { kind: asked, name } if asked == kind => Some(name),
                _ => None,
            })
            .filter(|name| !known.contains(name))
            .collect();
        names.sort();
        names.dedup();
        for name in names {
            define(settings, kind.section(), &name, &mut all);
        }
    }
    for missing in missing_names(settings) {
        define(settings, &format!("analysis.{}", missing.kind), &missing.name, &mut all);
    }
    Ok(all)
}

/// What to say of it in the module, in lines.
pub(crate) fn docs(all: &Placeholders) -> Vec<String> {
    if all.names.is_empty() {
        return Vec::new();
    }
    let text =
        "The source does not define these, and the settings have a type of the same name in their place:";
    let names = all.names.iter().map(|(section, name)| format!("* `{section}.{}`", name.replace('`', "'")));
    [String::new(), text.to_owned(), String::new()].into_iter().chain(names).collect()
}

/// Of a plugin's analyzers, tokenizers and filters the name is also the type.
fn define(settings: &mut Value, section: &str, name: &str, all: &mut Placeholders) {
    let mut path = settings;
    for part in section.split('.') {
        if !path.is_object() {
            *path = json!({});
        }
        let Some(members) = path.as_object_mut() else { return };
        path = members.entry(part).or_insert_with(|| json!({}));
    }
    if let Some(members) = path.as_object_mut().filter(|members| !members.contains_key(name)) {
        members.insert(name.to_owned(), json!({"type": name}));
        all.names.push((section.to_owned(), name.to_owned()));
        all.notes.push(Note {
            path: "settings".to_owned(),
            found: format!("`{section}` does not define `{name}`"),
            became: "a type of that name, which only a server with a plugin for it accepts: write the real definition \
                     in its place, or give a body that has its settings"
                .to_owned(),
        });
    }
}

/// The token filter `standard` did nothing, and is gone since Elasticsearch 7.
fn without_standard_filter(settings: &mut Value, notes: &mut Vec<Note>) {
    if settings.pointer("/analysis/filter/standard").is_some() {
        return;
    }
    for section in ["analyzer", "normalizer"] {
        let definitions =
            settings.pointer_mut(&format!("/analysis/{section}")).and_then(Value::as_object_mut);
        for (name, definition) in definitions.into_iter().flatten() {
            if definition.as_object_mut().is_some_and(removes_standard) {
                notes.push(Note {
                    path: "settings".to_owned(),
                    found: format!("the filter `standard` of the {section} `{name}`"),
                    became: "left out: it did nothing".to_owned(),
                });
            }
        }
    }
}

/// An index of time series makes the ids of its documents itself, so nothing could replace or
/// delete them.
fn without_time_series(settings: &mut Value, notes: &mut Vec<Note>) {
    let Some(members) = settings.as_object_mut() else { return };
    if members.get("mode").is_none_or(|mode| mode != "time_series") {
        return;
    }
    for name in ["mode", "routing_path", "time_series"] {
        if members.remove(name).is_some() {
            notes.push(Note {
                path: "settings".to_owned(),
                found: format!("`{name}` of an index of time series"),
                became: "left out: documents are replaced and deleted by their ids".to_owned(),
            });
        }
    }
}

/// A definition's filters are a list, or a string with commas.
fn removes_standard(definition: &mut Map<String, Value>) -> bool {
    let filters: Vec<Value> = match definition.get("filter") {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::String(text)) => text.split(',').map(|name| json!(name.trim())).collect(),
        _ => return false,
    };
    let kept: Vec<Value> = filters.iter().filter(|filter| **filter != "standard").cloned().collect();
    let is_less = kept.len() < filters.len();
    if is_less && kept.is_empty() {
        definition.remove("filter");
    } else if is_less {
        definition.insert("filter".to_owned(), Value::Array(kept));
    }
    is_less
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_defines_is_a_type_of_that_name() {
        let mappings = json!({"properties": {
            "a": {"type": "string", "analyzer": "comma", "search_analyzer": "ik_smart", "similarity": "own"},
            "b": {"type": "keyword", "normalizer": "lower"}, "c": {"type": "text", "analyzer": "english"}}});
        let mut settings = json!({"analysis": {"analyzer": {"comma": {"tokenizer": "pinyin", "filter": ["standard", "lowercase"]}},
            "normalizer": {"lower": {"filter": "standard"}, "upper": {"filter": "standard, uppercase"}}}});
        let all = add(&mut settings, &mappings).unwrap();
        assert_eq!(
            settings,
            json!({"analysis": {
                "analyzer": {"comma": {"tokenizer": "pinyin", "filter": ["lowercase"]}, "ik_smart": {"type": "ik_smart"}},
                "normalizer": {"lower": {}, "upper": {"filter": ["uppercase"]}},
                "tokenizer": {"pinyin": {"type": "pinyin"}}},
                "similarity": {"own": {"type": "own"}}})
        );
        assert_eq!((all.names.len(), all.notes.len()), (3, 6), "{all:#?}");
        assert!(docs(&all).contains(&"* `similarity.own`".to_owned()));
        let nothing = add(&mut json!({}), &json!({"properties": {}}));
        assert_eq!(nothing.map(|nothing| docs(&nothing)), Ok(Vec::new()));
    }

    #[test]
    fn the_settings_of_time_series_are_left_out() {
        let mappings = json!({"properties": {"a": {"type": "keyword"}}});
        let mut settings =
            json!({"mode": "time_series", "routing_path": ["a"], "time_series": {}, "codec": "default"});
        let all = add(&mut settings, &mappings).unwrap();
        assert_eq!((&settings, all.notes.len()), (&json!({"codec": "default"}), 3));
        let mut other = json!({"mode": "standard", "routing_path": ["a"]});
        add(&mut other, &mappings).unwrap();
        assert_eq!(other, json!({"mode": "standard", "routing_path": ["a"]}));
    }
}
