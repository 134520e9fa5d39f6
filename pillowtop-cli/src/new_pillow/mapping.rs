//! The mapping that the derive makes of a draft.

use serde_json::{Map, Value, json};

use super::model::{Draft, EsItem, EsValue, FieldDraft, RustType};
use super::rust_types;

/// The properties of the document's struct, and of the structs in it.
pub(crate) fn properties(draft: &Draft) -> Value {
    properties_of(draft, 0)
}

fn properties_of(draft: &Draft, index: usize) -> Value {
    let of = |field: &FieldDraft| {
        let mut mapping = items(&field.es);
        if let RustType::Struct(inner) = field.rust_type {
            mapping.insert("properties".to_owned(), properties_of(draft, inner));
            mapping.entry("type").or_insert_with(|| json!("object"));
        } else if let Some((type_name, parameters)) =
            rust_types::default_of(field.rust_type).filter(|_| !mapping.contains_key("type"))
        {
            mapping.insert("type".to_owned(), json!(type_name));
            mapping.extend(parameters.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        (field.json_name.clone(), Value::Object(mapping))
    };
    draft.structs[index].fields.iter().map(of).collect()
}

fn items(items: &[EsItem]) -> Map<String, Value> {
    let of = |item: &EsItem| match &item.value {
        EsValue::Flag => ("type".to_owned(), json!(item.name)),
        EsValue::Json(value) => (item.name.clone(), value.clone()),
        EsValue::Mappings(mappings) => {
            let inner =
                mappings.iter().map(|(name, inner)| (name.clone(), Value::Object(self::items(inner))));
            (item.name.clone(), Value::Object(inner.collect()))
        }
    };
    items.iter().map(of).collect()
}
