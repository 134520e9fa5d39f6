//! Mappings as the items of `#[es(...)]`, or as JSON where the table does not know what they say.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::field_types::{Holds, field_type, root_parameter};
use pillowtop_core::normal_form::Note;
use serde_json::{Map, Value};

use crate::new_pillow::model::{EsItem, EsValue, RustType};
use crate::new_pillow::rust_types::default_of;

pub(super) fn type_of(mapping: &Map<String, Value>) -> &str {
    mapping.get("type").and_then(Value::as_str).unwrap_or("object")
}

/// What the fields of a mapping hold.
pub(super) fn holds(mapping: &Map<String, Value>) -> Holds {
    field_type(type_of(mapping)).map_or(Holds::Leaf, |known| known.holds)
}

/// The items of a mapping with all that is inside it.
pub(super) fn mapping(mapping: &Map<String, Value>) -> Vec<EsItem> {
    if !is_known(mapping, false) {
        return vec![EsItem::json("json", Value::from(to_canonical(&Value::Object(mapping.clone()))))];
    }
    let mut items = vec![EsItem::flag(type_of(mapping))];
    items.extend(parameters(mapping));
    items
}

/// The items of a leaf that is read with a Rust type: without what follows from that type.
pub(super) fn leaf(mapping: &Map<String, Value>, rust_type: RustType) -> Vec<EsItem> {
    let mut items = self::mapping(mapping);
    let Some((type_name, defaults)) = default_of(rust_type) else { return items };
    let keeps_defaults = defaults.iter().all(|(name, _)| mapping.contains_key(*name));
    let is_type = items.first().is_some_and(|first| first.name == type_name && first.value == EsValue::Flag);
    if is_type && keeps_defaults {
        items.remove(0);
        items.retain(|item| {
            let is_default = |(name, value): &(&str, Value)| {
                item.name == *name && item.value == EsValue::Json(value.clone())
            };
            !defaults.iter().any(is_default)
        });
    }
    items
}

/// The items of an object whose fields are a struct's: its parameters, the type where it is not
/// `object`.
pub(super) fn of_struct(mapping: &Map<String, Value>) -> Vec<EsItem> {
    let mut items = Vec::new();
    if type_of(mapping) != "object" {
        items.push(EsItem::flag(type_of(mapping)));
    }
    items.extend(parameters(mapping).into_iter().filter(|item| item.name != "properties"));
    items
}

/// An object whose fields no struct has.
pub(super) fn opaque(mapping: &Map<String, Value>) -> Vec<EsItem> {
    let mut items = self::mapping(mapping);
    // Of other types than `object` the derive would look for a struct.
    let is_opaque = type_of(mapping) == "object"
        || items.iter().any(|item| item.name == "json" || item.name == "properties");
    if !is_opaque {
        items.push(EsItem { name: "properties".to_owned(), value: EsValue::Mappings(Vec::new()) });
    }
    items
}

/// The parameters of a struct that is the root of an index. What the table does not know is left
/// out and noted.
pub(super) fn root(mapping: &Map<String, Value>, notes: &mut Vec<Note>) -> Vec<EsItem> {
    let mut items = Vec::new();
    for (name, value) in mapping.iter().filter(|(name, _)| *name != "properties") {
        if name == "_routing" && value.get("required") == Some(&Value::Bool(true)) {
            notes.push(Note {
                path: String::new(),
                found: "`_routing` with `required = true`".to_owned(),
                became: "left out: declare `#[pillow(routing = …)]`, with the field or the function that gives each document's \
                         routing value, and write `#[es(_routing(required = true))]` again"
                    .to_owned(),
            });
            continue;
        }
        match root_parameter(name) {
            Some(known) if known.check(value).is_ok() => {
                let is_root_default =
                    matches!(name.as_str(), "dynamic" | "date_detection") && *value == Value::Bool(false);
                if !is_root_default {
                    items.push(EsItem::json(name, value.clone()));
                }
            }
            known => {
                let why = known.and_then(|known| known.check(value).err());
                let why = why.unwrap_or_else(|| "it is newer than the table of parameters".to_owned());
                let became = format!("left out: {why}");
                notes.push(Note { path: String::new(), found: format!("`{name}`"), became });
            }
        }
    }
    items
}

/// Properties that no field of a struct has.
pub(super) fn properties(members: &[(String, Map<String, Value>)]) -> Option<EsItem> {
    let inner: Vec<_> = members.iter().map(|(name, inner)| (name.clone(), mapping(inner))).collect();
    (!inner.is_empty()).then(|| EsItem { name: "properties".to_owned(), value: EsValue::Mappings(inner) })
}

fn parameters(mapping: &Map<String, Value>) -> Vec<EsItem> {
    let of = |name: &str, value: &Value| match value {
        Value::Object(inner) if name == "fields" || name == "properties" => {
            let inner = inner
                .iter()
                .filter_map(|(name, inner)| Some((name.clone(), self::mapping(inner.as_object()?))));
            EsItem { name: name.to_owned(), value: EsValue::Mappings(inner.collect()) }
        }
        _ => EsItem::json(name, value.clone()),
    };
    // What is inside comes last, as people write it.
    let is_inside = |name: &str| name == "fields" || name == "properties";
    let own = mapping.iter().filter(|(name, _)| *name != "type" && !is_inside(name));
    let inside = mapping.iter().filter(|(name, _)| is_inside(name));
    own.chain(inside).map(|(name, value)| of(name, value)).collect()
}

/// Whether the table knows all of a mapping's own words; what is inside it may be declared as JSON.
pub(super) fn is_known(mapping: &Map<String, Value>, is_multi_field: bool) -> bool {
    let Some(known) = field_type(type_of(mapping)) else { return false };
    let takes = |name: &str, value: &Value| match name {
        "type" => true,
        "fields" => {
            known.parameter(name).is_some()
                && value.as_object().is_some_and(|fields| {
                    fields.values().all(|field| {
                        field.as_object().is_some_and(|field| {
                            field_type(type_of(field)).is_none_or(|known| known.multi_field_allowed)
                        })
                    })
                })
        }
        "properties" => known.parameter(name).is_some(),
        _ => known.parameter(name).is_some_and(|parameter| parameter.check(value).is_ok()),
    };
    let required = |name: &str| mapping.contains_key(name);
    (!is_multi_field || known.multi_field_allowed)
        && mapping.iter().all(|(name, value)| takes(name, value))
        && known.parameters().filter(|parameter| parameter.required).all(|parameter| required(parameter.name))
}
