//! The mapping that a written struct derives is the one it was written from, in normal form.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::normal_form::{differences, normal_form};
use serde_json::Value;

use crate::built::taken_over;

/// The mapping of a body: what new-pillow finds in it, by hand.
pub(crate) fn mappings_of(body: &Value) -> &Value {
    let mappings = &body["mappings"];
    let is_typed = mappings.get("properties").is_none() && mappings.get("doc").is_some();
    if is_typed { &mappings["doc"] } else { mappings }
}

#[test]
fn every_mapping_comes_back() {
    let mut wrong = Vec::new();
    for taken in taken_over() {
        let name = &taken.existing.name;
        let wanted = normal_form(mappings_of(&taken.existing.body)).unwrap();
        let derived = normal_form(&taken.derived).unwrap();
        if to_canonical(&wanted.mappings) != to_canonical(&derived.mappings) {
            let paths = differences(&wanted.mappings, &derived.mappings).unwrap();
            wrong.push(format!("{name}: {}", paths.join("\n  ")));
        }
        let told = taken.report["notes"].as_array().unwrap().len();
        assert!(told >= wanted.notes.len(), "{name}: {:?}", wanted.notes);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_body_without_anything_old_is_taken_over_without_notes() {
    for taken in taken_over().iter().filter(|taken| taken.existing.name == "every_type") {
        // Not old: a mapping does not tell where children get their routing values from.
        let notes = taken.report["notes"].as_array().unwrap().iter();
        let others: Vec<&Value> = notes.filter(|note| note["found"] != "a `join` with children").collect();
        assert!(others.is_empty(), "{others:?}");
        assert!(taken.report["fields"].as_u64().unwrap() > 400, "{}", taken.report);
    }
}
