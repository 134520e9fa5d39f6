//! For any documents, the inferred structs take each of them, lose nothing, and their mapping
//! refuses none.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use pillowtop_conformance::Conformance;
use pillowtop_core::field_types::Target;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::from_docs::Samples;
use super::mapping::properties;
use super::model::{Draft, FieldDraft, RustType, Shape};

#[path = "../../tests/it/any_documents.rs"]
mod any_documents;

use any_documents::documents;

const TARGETS: [Target; 5] = [
    Target::elasticsearch(7, 10),
    Target::elasticsearch(8, 14),
    Target::elasticsearch(9, 4),
    Target::opensearch(2, 19),
    Target::opensearch(3, 6),
];

/// Why serde would not read a value into a place of the structs, or would not keep all of it; none
/// when it does both.
fn misfit(draft: &Draft, index: usize, object: &Map<String, Value>, path: &str) -> Option<String> {
    let fields = &draft.structs[index].fields;
    let unknown = object.keys().find(|name| fields.iter().all(|field| field.json_name != **name));
    if let Some(name) = unknown {
        return Some(format!("{path}.{name} is lost"));
    }
    fields.iter().find_map(|field| {
        let path = format!("{path}.{}", field.json_name);
        field_misfit(draft, field, object.get(&field.json_name), &path)
    })
}

fn field_misfit(draft: &Draft, field: &FieldDraft, value: Option<&Value>, path: &str) -> Option<String> {
    let one = |value: &Value| value_misfit(draft, field.rust_type, value, path);
    let or_null = |value: &Value| if value.is_null() { None } else { one(value) };
    let list = |value: &Value, of: &dyn Fn(&Value) -> Option<String>| match value {
        Value::Array(elements) => elements.iter().find_map(of),
        other => Some(format!("{path} is not a list: {other}")),
    };
    match (field.shape, value) {
        (Shape::Always, None) => Some(format!("{path} is missing")),
        (_, None)
        | (Shape::Optional | Shape::OptionalList | Shape::OptionalListOfOptions, Some(Value::Null)) => None,
        (Shape::Always | Shape::Optional, Some(value)) => one(value),
        (Shape::List | Shape::OptionalList, Some(value)) => list(value, &one),
        (Shape::ListOfOptions | Shape::OptionalListOfOptions, Some(value)) => list(value, &or_null),
    }
}

fn value_misfit(draft: &Draft, rust_type: RustType, value: &Value, path: &str) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    let fits = match rust_type {
        RustType::Text => value.is_string(),
        RustType::Boolean => value.is_boolean(),
        RustType::I64 => value.is_i64(),
        RustType::U64 => value.is_u64(),
        RustType::F64 => value.is_number(),
        RustType::Instant => DateTime::<Utc>::from_str(text).is_ok(),
        RustType::Date => NaiveDate::from_str(text).is_ok(),
        RustType::Json => true,
        RustType::JsonObject => value.is_object(),
        RustType::Struct(index) => match value {
            Value::Object(object) => return misfit(draft, index, object, path),
            _ => false,
        },
        other => unreachable!("nothing is inferred as {other:?}"),
    };
    (!fits).then(|| format!("{path} is {rust_type:?}: {value}"))
}

fn is_kept(name: &str) -> bool {
    !name.is_empty() && !name.contains('.') && !name.starts_with('_') && name != "pillowtop"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn inferred_structs_take_all_that_they_were_inferred_from(documents in documents(), nests in any::<bool>()) {
        let mut samples = Samples::default();
        for (number, document) in documents.iter().enumerate() {
            samples.add(&number.to_string(), document);
        }
        let nested = if nests { vec!["all".to_owned()] } else { Vec::new() };
        let (draft, _) = samples.draft(&nested);
        let mappings = json!({"dynamic": false, "date_detection": false, "properties": properties(&draft)});
        let conformance = Conformance::new(&mappings, &json!({}));
        let targets: Vec<Target> = TARGETS.into_iter().filter(|target| conformance.is_for(*target)).collect();
        prop_assert!(!targets.is_empty(), "no server has all types: {mappings}");
        for document in &documents {
            let mut kept = document.clone();
            kept.retain(|name, _| is_kept(name));
            prop_assert_eq!(misfit(&draft, 0, &kept, ""), None);
            for report in conformance.check_each("id", &Value::Object(kept.clone()).to_string(), &targets) {
                prop_assert!(!report.is_rejected(), "{:?} of {mappings}", report.findings);
            }
        }
    }
}
