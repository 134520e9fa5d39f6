//! From a mapping in normal form to structs: an object becomes a struct, equal objects of one name
//! the same struct.

use std::collections::HashMap;

use pillowtop_core::field_types::{Holds, field_type};
use pillowtop_core::normal_form::{Note, normal_form};
use pillowtop_core::source::is_couch_member;
use serde_json::{Map, Value, json};

use crate::new_pillow::model::{Draft, EsItem, FieldDraft, RustType, Shape, StructDraft};
use crate::new_pillow::{explicit, names, routing, rust_types};

type Mapping = Map<String, Value>;

/// The structs of a mapping, and what of it no server of today takes or no attribute can say. The
/// pillow's own attributes are the caller's to fill in.
pub(crate) fn draft(mappings: &Value) -> Result<(Draft, Vec<Note>), String> {
    let form = normal_form(mappings)?;
    let mut notes = form.notes;
    let Value::Object(root) = form.mappings else { return Err("a mapping is a JSON object".to_owned()) };
    let carries_unknown = !matches!(root["dynamic"].as_str(), Some("strict" | "strict_allow_templates"))
        && root["dynamic"] != json!(false);
    let mut builder = Builder {
        structs: Vec::new(),
        known: HashMap::new(),
        notes: Vec::new(),
        copied: copy_targets(&root),
    };
    // The document's place is the first, whatever it holds.
    builder.structs.push(StructDraft {
        places: Vec::new(),
        is_element: false,
        docs: Vec::new(),
        es: Vec::new(),
        fields: Vec::new(),
    });
    let (fields, properties) = builder.members(&root, &[]);
    let mut es = explicit::root(&root, &mut notes);
    es.extend(properties);
    let document = &mut builder.structs[0];
    (document.es, document.fields) = (es, fields);
    document.docs = vec!["A document of the index.".to_owned()];
    notes.append(&mut builder.notes);
    let mut draft = Draft { structs: builder.structs, ..Draft::default() };
    draft.pillow.carries_unknown = carries_unknown;
    draft.pillow.routed_by = routing::join_with_children(&root);
    if let Some(path) = &draft.pillow.routed_by {
        notes.push(Note {
            path: path.join("."),
            found: "a `join` with children".to_owned(),
            became: "routed by the id of the parent, in the function `routing`: if children have children, let it return the id of \
                     the topmost parent"
                .to_owned(),
        });
    }
    describe(&mut draft.structs);
    Ok((draft, notes))
}

struct Builder {
    structs: Vec<StructDraft>,
    /// Structs by their last name and contents.
    known: HashMap<String, usize>,
    notes: Vec<Note>,
    /// Paths that `copy_to` fills.
    copied: Vec<String>,
}

impl Builder {
    /// The fields of an object, and the properties that no field can have.
    fn members(&mut self, object: &Mapping, above: &[String]) -> (Vec<FieldDraft>, Option<EsItem>) {
        let (mut fields, mut rest) = (Vec::new(), Vec::new());
        for (name, mapping) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let Value::Object(mapping) = mapping else { continue };
            let path: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
            let is_couchs = above.is_empty() && is_couch_member(name);
            if is_couchs {
                let became = "a property that no document fills: the member is CouchDB's own".to_owned();
                self.notes.push(Note { path: name.clone(), found: format!("`{name}`"), became });
            }
            // An alias holds nothing, and a server refuses a document with a value for a script.
            if is_couchs || explicit::holds(mapping) == Holds::Alias || mapping.contains_key("script") {
                rest.push((name.clone(), mapping.clone()));
            } else {
                fields.push(self.field(name, mapping, &path));
            }
        }
        (fields, explicit::properties(&rest))
    }

    fn field(&mut self, name: &str, mapping: &Mapping, path: &[String]) -> FieldDraft {
        match explicit::holds(mapping) {
            Holds::Object | Holds::Nested if explicit::is_known(mapping, false) => {
                self.object(name, mapping, path)
            }
            _ => self.leaf(name, mapping, path),
        }
    }

    fn leaf(&self, name: &str, mapping: &Mapping, path: &[String]) -> FieldDraft {
        let rust_type = rust_types::rust_type(explicit::type_of(mapping), mapping);
        FieldDraft {
            json_name: name.to_owned(),
            docs: self.docs(mapping, path),
            rust_type,
            shape: Shape::Optional,
            es: explicit::leaf(mapping, rust_type),
        }
    }

    fn object(&mut self, name: &str, mapping: &Mapping, path: &[String]) -> FieldDraft {
        let is_list = explicit::holds(mapping) == Holds::Nested;
        let shape = if is_list { Shape::List } else { Shape::Optional };
        let is_read = mapping.get("enabled") != Some(&json!(false));
        let has_dots = mapping
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|inner| inner.keys().any(|name| name.contains('.')));
        let (fields, properties) =
            if is_read && !has_dots { self.members(mapping, path) } else { (Vec::new(), None) };
        let json_name = name.to_owned();
        if fields.is_empty() {
            let rust_type = if is_read { RustType::JsonObject } else { RustType::Json };
            let docs = self.docs(mapping, path);
            return FieldDraft { json_name, docs, rust_type, shape, es: explicit::opaque(mapping) };
        }
        let index = self.structure(path, is_list, fields, properties.into_iter().collect());
        let docs = match (is_list, explicit::type_of(mapping)) {
            (true, _) => vec!["A list of objects, each searched on its own.".to_owned()],
            (false, "object") => vec!["An object.".to_owned()],
            (false, _) => self.docs(mapping, path),
        };
        FieldDraft {
            json_name,
            docs,
            rust_type: RustType::Struct(index),
            shape,
            es: explicit::of_struct(mapping),
        }
    }

    /// The struct of these contents, which may be there already.
    fn structure(
        &mut self,
        path: &[String],
        is_element: bool,
        fields: Vec<FieldDraft>,
        es: Vec<EsItem>,
    ) -> usize {
        let name = path.last().map(String::as_str).unwrap_or_default();
        let key = format!("{} {is_element} {fields:?} {es:?}", names::type_name(name));
        if let Some(index) = self.known.get(&key) {
            self.structs[*index].places.push(path.to_vec());
            return *index;
        }
        let index = self.structs.len();
        self.structs.push(StructDraft {
            places: vec![path.to_vec()],
            is_element,
            docs: Vec::new(),
            es,
            fields,
        });
        self.known.insert(key, index);
        index
    }

    /// What to know about a field that its attribute does not say.
    fn docs(&self, mapping: &Mapping, path: &[String]) -> Vec<String> {
        let mut docs = vec![match field_type(explicit::type_of(mapping)) {
            _ if mapping.get("enabled") == Some(&json!(false)) => {
                "Anything; it is kept and not indexed.".to_owned()
            }
            Some(known) => format!("{}.", known.doc),
            None => format!("A field of the type `{}`.", explicit::type_of(mapping)),
        }];
        if let Some(null_value) = mapping.get("null_value") {
            docs.push(format!("Null is indexed as `{null_value}`."));
        }
        if self.copied.contains(&path.join(".")) {
            docs.push("`copy_to` of other fields fills it.".to_owned());
        }
        docs
    }
}

fn copy_targets(mapping: &Mapping) -> Vec<String> {
    let mut targets = Vec::new();
    for group in ["properties", "fields"] {
        for field in mapping.get(group).and_then(Value::as_object).into_iter().flat_map(Map::values) {
            let Value::Object(field) = field else { continue };
            match field.get("copy_to") {
                Some(Value::String(target)) => targets.push(target.clone()),
                Some(Value::Array(list)) => {
                    targets.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                _ => {}
            }
            targets.extend(copy_targets(field));
        }
    }
    targets
}

/// Says of each struct where it stands.
pub(super) fn describe(structs: &mut [StructDraft]) {
    for draft in structs.iter_mut().skip(1) {
        draft.places.sort_by_key(|path| (path.len(), path.clone()));
        let path = |path: &Vec<String>| format!("`{}`", path.join(".").replace('`', "'"));
        let kind = if draft.is_element { "One of" } else { "What is in" };
        draft.docs = vec![match draft.places.as_slice() {
            [] => String::new(),
            [one] => format!("{kind} {}.", path(one)),
            [one, two] => format!("{kind} {} and {}.", path(one), path(two)),
            [one, two, rest @ ..] => format!("{kind} {}, {} and {} more.", path(one), path(two), rest.len()),
        }];
    }
}
