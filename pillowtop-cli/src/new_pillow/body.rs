//! Where a mapping stands in what servers return and people keep: index bodies, answers about an
//! index, templates.

use pillowtop_core::field_types::{legacy_root_parameter, root_parameter};
use pillowtop_core::normal_form::Note;
use pillowtop_core::settings;
use serde_json::{Map, Value, json};

/// What a server notes in the settings of an index about that index alone.
const OF_ONE_INDEX: [&str; 9] = [
    "blocks",
    "creation_date",
    "creation_date_string",
    "history",
    "provided_name",
    "resize",
    "uuid",
    "verified_before_close",
    "version",
];

const TIER: &str = "/routing/allocation/include/_tier_preference";
const DURABILITY: &str = "/translog/durability";

/// Parameters of the root before Elasticsearch 7 that are settings of the same name today.
const ROOT_SETTINGS: [&str; 2] = ["coerce", "ignore_malformed"];

/// Members of an index body that are taken over, or that say when a template is used.
const KNOWN: [&str; 12] = [
    "_meta",
    "aliases",
    "allow_auto_create",
    "composed_of",
    "index_patterns",
    "mappings",
    "name",
    "order",
    "priority",
    "settings",
    "template",
    "version",
];

/// Settings from before Elasticsearch 7 that every server of today refuses.
const GONE: [(&str, &str); 2] = [
    ("/mapper/dynamic", "the mapping's own `dynamic` sets it"),
    ("/mapping/single_type", "an index has no types"),
];

/// What a source says of an index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    /// The root of the mapping.
    pub(crate) mappings: Value,
    /// Normal settings, without what is of one index alone.
    pub(crate) settings: Value,
    /// The only alias.
    pub(crate) alias: Option<String>,
    pub(crate) notes: Vec<Note>,
}

/// Finds mapping and settings.
pub(crate) fn read(value: &Value) -> Result<Body, String> {
    let Value::Object(members) = value else {
        return Err("it is not a JSON object".to_owned());
    };
    if let Some(mappings) = members.get("mappings") {
        return of_index(members, mappings);
    }
    if let Some(template @ Value::Object(_)) = members.get("template") {
        let mut body = read(template)?;
        body.notes.extend(of_components(members));
        body.notes.extend(left_out(members));
        return Ok(body);
    }
    for (list, inner) in
        [("index_templates", "index_template"), ("component_templates", "component_template")]
    {
        match members.get(list).and_then(Value::as_array).map(Vec::as_slice) {
            Some([one]) => {
                return one.get(inner).map_or_else(|| Err(format!("`{list}` has no `{inner}`")), read);
            }
            Some(several) => return Err(format!("it has {} of `{list}`, not one", several.len())),
            None => {}
        }
    }
    if is_mapping(members) {
        return of_index(&Map::new(), value);
    }
    let mut objects = members.iter().filter(|(_, value)| value.is_object());
    match (objects.next(), objects.next()) {
        (Some((_, Value::Object(entry))), None) if entry.contains_key("mappings") => {
            read(&Value::Object(entry.clone()))
        }
        (Some((_, Value::Object(entry))), None) if is_mapping(entry) => of_index(&Map::new(), value),
        (Some((first, _)), Some((second, _)))
            if members.values().all(|entry| entry.get("mappings").is_some()) =>
        {
            of_several(members).ok_or_else(|| {
                format!(
                    "it has different mappings of several indices, such as `{first}` and `{second}`; give one"
                )
            })?
        }
        _ => Err("it has neither `mappings` nor `properties`".to_owned()),
    }
}

/// Components of a template are elsewhere.
fn of_components(members: &Map<String, Value>) -> Option<Note> {
    let components: Vec<&str> =
        members.get("composed_of")?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!components.is_empty()).then(|| Note {
        path: String::new(),
        found: format!("`composed_of: {}`", components.join(", ")),
        became: "not read: take over an index that the template made, which has all of them".to_owned(),
    })
}

/// Indices behind one alias mostly have one mapping: the last of them.
fn of_several(members: &Map<String, Value>) -> Option<Result<Body, String>> {
    let (last, entry) = members.iter().next_back()?;
    if members.values().any(|other| other["mappings"] != entry["mappings"]) {
        return None;
    }
    Some(read(entry).map(|mut body| {
        let became = format!("settings and alias are those of `{last}`");
        body.notes.push(Note {
            path: String::new(),
            found: format!("{} indices of one mapping", members.len()),
            became,
        });
        body
    }))
}

fn of_index(members: &Map<String, Value>, mappings: &Value) -> Result<Body, String> {
    let mut notes = Vec::new();
    let mut mappings = without_type(mappings, &mut notes)?;
    let settings = members.get("settings").map_or_else(|| Ok(json!({})), settings::normalize);
    let settings = settings.map_err(|problem| format!("its settings cannot be used: {problem}"))?;
    let mut settings = own_settings(settings, &mut notes);
    move_to_settings(&mut mappings, &mut settings, &mut notes);
    let alias = own_alias(members.get("aliases").and_then(Value::as_object), &mut notes);
    notes.extend(left_out(members));
    Ok(Body { mappings, settings, alias, notes })
}

/// The only alias of an index. What a pillow's alias cannot have is noted.
fn own_alias(aliases: Option<&Map<String, Value>>, notes: &mut Vec<Note>) -> Option<String> {
    let aliases = aliases?;
    let mut note = |found: String, became: &str| {
        notes.push(Note { path: String::new(), found, became: became.to_owned() });
    };
    for (alias, properties) in aliases {
        for (property, value) in properties.as_object().into_iter().flatten() {
            let became = match property.as_str() {
                "filter" => {
                    "left out: searches of the pillow's alias see all documents. Filter in the query, or index fewer documents with the \
                     pillow's `filter`"
                }
                "routing" | "index_routing" | "search_routing" => {
                    "left out: the runtime indexes documents without this routing, and searches that use it would miss them"
                }
                "is_write_index" => continue,
                _ => "left out: the pillow's alias does not have it",
            };
            note(format!("`{property}: {value}` of the alias `{alias}`"), became);
        }
    }
    let names: Vec<&str> = aliases.keys().map(String::as_str).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        several => {
            note(format!("the aliases `{}`", several.join("`, `")), "left out: a pillow has one alias");
            None
        }
    }
}

/// Members of an index body or template that a pillow has nothing for.
fn left_out(members: &Map<String, Value>) -> Vec<Note> {
    let unknown = members.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
    unknown
        .map(|(name, _)| Note {
            path: String::new(),
            found: format!("`{name}`"),
            became: "left out".to_owned(),
        })
        .collect()
}

/// Moves parameters of an old root to the settings that they are today. A setting that the source
/// has stays as it is.
fn move_to_settings(mappings: &mut Value, settings: &mut Value, notes: &mut Vec<Note>) {
    let (Some(root), Some(settings)) = (mappings.as_object_mut(), settings.as_object_mut()) else { return };
    for name in ROOT_SETTINGS {
        let Some(value) = root.remove(name) else { continue };
        let of_mapping = settings.entry("mapping").or_insert_with(|| json!({}));
        let became = match of_mapping.as_object_mut() {
            Some(of_mapping) if !of_mapping.contains_key(name) => {
                of_mapping.insert(name.to_owned(), value);
                format!("the setting `index.mapping.{name}`, which servers read since Elasticsearch 7")
            }
            _ => format!("left out: the setting `index.mapping.{name}` decides"),
        };
        notes.push(Note { path: String::new(), found: format!("`{name}` of the root"), became });
    }
}

/// Before version 7 there was a level for the document type.
fn without_type(mappings: &Value, notes: &mut Vec<Note>) -> Result<Value, String> {
    let Value::Object(members) = mappings else {
        return Err("its `mappings` is not an object".to_owned());
    };
    if members.is_empty() || is_mapping(members) {
        return Ok(mappings.clone());
    }
    let mut note = |found: String, became: &str| {
        notes.push(Note { path: String::new(), found, became: became.to_owned() });
    };
    if members.contains_key("_default_") {
        note("the type `_default_`".to_owned(), "left out: use an index template");
    }
    let types: Vec<&String> = members.keys().filter(|name| *name != "_default_").collect();
    match types.as_slice() {
        [] => Ok(json!({})),
        [one] => {
            note(format!("the document type `{one}`"), "its mapping is that of the index");
            Ok(members[one.as_str()].clone())
        }
        [first, second, ..] => Err(format!(
            "it has several document types, such as `{first}` and `{second}`, and an index has none today"
        )),
    }
}

/// `_default_` can only be a document type.
fn is_mapping(members: &Map<String, Value>) -> bool {
    let is_root = |name: &str| {
        name == "properties"
            || ROOT_SETTINGS.contains(&name)
            || name != "_default_"
                && (root_parameter(name).is_some() || legacy_root_parameter(name).is_some())
    };
    members.keys().any(|name| is_root(name))
}

fn own_settings(settings: Value, notes: &mut Vec<Note>) -> Value {
    let says = |pointer: &str, word: &str| {
        settings.pointer(pointer).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    // Elasticsearch writes it into every index; other products would look for nodes that have it.
    let has_tier = says(TIER, "data_content");
    let is_async = says(DURABILITY, "async");
    let gone = GONE.iter().filter(|(pointer, _)| settings.pointer(pointer).is_some());
    let gone: Vec<&(&str, &str)> = gone.collect();
    let Value::Object(mut members) = settings else { return json!({}) };
    members.retain(|name, _| !OF_ONE_INDEX.contains(&name.as_str()));
    if has_tier {
        remove(&mut members, &TIER[1..]);
    }
    if is_async {
        remove(&mut members, &DURABILITY[1..]);
        notes.push(Note {
            path: "settings".to_owned(),
            found: "`translog.durability: async`".to_owned(),
            became: "left out: it loses acknowledged documents with a node".to_owned(),
        });
    }
    for (pointer, why) in gone {
        remove(&mut members, &pointer[1..]);
        let (found, became) = (format!("`{}`", pointer[1..].replace('/', ".")), format!("left out: {why}"));
        notes.push(Note { path: "settings".to_owned(), found, became });
    }
    Value::Object(members)
}

/// Removes a setting, and what it leaves empty.
fn remove(members: &mut Map<String, Value>, path: &str) {
    let Some((name, rest)) = path.split_once('/') else {
        members.remove(path);
        return;
    };
    if let Some(Value::Object(inner)) = members.get_mut(name) {
        remove(inner, rest);
        if inner.is_empty() {
            members.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_found_wherever_it_stands() {
        let mapping = json!({"properties": {"name": {"type": "text"}}});
        for value in [
            mapping.clone(),
            json!({"mappings": mapping, "settings": {"index": {"uuid": "x", "version": {"created": "1"}}}}),
            json!({"cases_1": {"mappings": mapping, "aliases": {}, "settings": {}}}),
            json!({"cases_1": {"mappings": {"doc": mapping}}}),
            json!({"doc": mapping}),
            json!({"mappings": {"_default_": {"_all": {"enabled": false}}, "doc": mapping}}),
            json!({"index_patterns": ["a*"], "template": {"mappings": mapping}}),
            json!({"index_templates": [{"name": "a", "index_template": {"template": {"mappings": mapping}}}]}),
            json!({"cases_1": {"mappings": mapping}, "cases_2": {"mappings": mapping}}),
        ] {
            let body = read(&value).unwrap();
            assert_eq!((&body.mappings, &body.settings), (&mapping, &json!({})), "{value}");
        }
        for (value, found) in [
            (json!([]), "not a JSON object"),
            (json!({}), "neither"),
            (json!({"a": {"mappings": {}}, "b": {"mappings": mapping}}), "several indices"),
            (json!({"mappings": {"a": {}, "b": {}}}), "several document types"),
        ] {
            assert!(read(&value).unwrap_err().contains(found), "{value}");
        }
    }

    #[test]
    fn what_an_alias_has_and_a_pillow_has_not_is_reported() {
        let aliases = json!({"cases": {"filter": {"term": {"open": true}}, "search_routing": "1", "is_write_index": true}});
        let body = read(&json!({"x": {"aliases": aliases, "mappings": {}}})).unwrap();
        assert_eq!(body.alias.as_deref(), Some("cases"));
        let notes: Vec<String> = body.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("`filter: {\"term\":{\"open\":true}}` of the alias `cases`"), "{notes:?}");
        assert!(notes[1].contains("`search_routing: \"1\"`"), "{notes:?}");
        let body = read(
            &json!({"template": {"mappings": {}, "aliases": {"a": {}, "b": {"routing": "2"}}}, "data_stream": {}}),
        );
        let body = body.unwrap();
        let notes: Vec<String> = body.notes.iter().map(ToString::to_string).collect();
        assert_eq!((body.alias, notes.len()), (None, 3), "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("`data_stream`")), "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("the aliases `a`, `b`")), "{notes:?}");
    }

    #[test]
    fn a_root_parameter_of_old_servers_becomes_a_setting() {
        let body = read(
            &json!({"mappings": {"doc": {"ignore_malformed": true, "coerce": false, "properties": {}}}}),
        );
        let body = body.unwrap();
        assert_eq!(body.mappings, json!({"properties": {}}));
        assert_eq!(body.settings, json!({"mapping": {"coerce": false, "ignore_malformed": true}}));
        assert!(body.notes.iter().any(|note| note.to_string().contains("`index.mapping.ignore_malformed`")));
        let settings = json!({"index.mapping.ignore_malformed": "false"});
        let body = read(&json!({"mappings": {"ignore_malformed": true}, "settings": settings})).unwrap();
        assert_eq!(body.settings, json!({"mapping": {"ignore_malformed": "false"}}));
        assert!(body.notes[0].to_string().contains("left out"), "{:?}", body.notes);
    }

    #[test]
    fn settings_of_one_index_are_not_taken_over() {
        let body = read(&json!({"x": {"aliases": {"cases": {}}, "mappings": {}, "settings": {"index": {
            "uuid": "u", "creation_date": "1", "number_of_shards": "5", "translog": {"durability": "async"},
            "routing": {"allocation": {"include": {"_tier_preference": "data_content"}}}}}}}));
        let body = body.unwrap();
        assert_eq!(body.settings, json!({"number_of_shards": "5"}));
        assert_eq!(body.alias.as_deref(), Some("cases"));
        assert_eq!(body.notes.len(), 1);
        let old = read(
            &json!({"mappings": {}, "settings": {"index.mapper.dynamic": false, "number_of_shards": 1}}),
        );
        let old = old.unwrap();
        assert_eq!(old.settings, json!({"number_of_shards": 1}));
        assert!(old.notes[0].to_string().contains("`mapper.dynamic`: left out"), "{:?}", old.notes);
    }
}
