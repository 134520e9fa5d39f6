//! The view of a pillow: a function that lists the documents that may belong into its index,
//! generated from the document types and the selector.
//!
//! The function may list others too: each document is decided like any other. It must not leave one
//! out, so whatever of a selector has no certain counterpart in JavaScript passes.

use pillowtop_core::Definition;
use serde_json::{Value, json};

use crate::source::ViewName;

/// The largest integer below which JavaScript distinguishes all.
const EXACT: u64 = 1 << 53;

/// The name of a pillow's own view. It has a design document of its own, so that another pillow's
/// change does not build it again.
pub fn view_name(definition: &Definition) -> ViewName {
    ViewName { design: format!("pillowtop-{}", definition.pillow), view: "documents".to_owned() }
}

/// The design document with a pillow's own view.
pub fn design_document(definition: &Definition) -> Value {
    let ViewName { design, view } = view_name(definition);
    json!({
        "_id": format!("_design/{design}"),
        "language": "javascript",
        // In a partitioned database the default is a view of one partition at a time.
        "options": {"partitioned": false},
        "views": {view: {"map": map_function(definition)}},
    })
}

/// Whether a design document has the view that this definition generates.
pub fn is_current(definition: &Definition, design: &Value) -> bool {
    let own = design_document(definition);
    ["views", "options"].iter().all(|member| design.get(member) == own.get(member))
}

/// The map function.
fn map_function(definition: &Definition) -> String {
    let document = &definition.document;
    let mut tests = Vec::new();
    if !document.types.is_empty() {
        tests.push(one_of(&member(document.type_field), &json!(document.types)));
    }
    tests.extend(definition.selector.as_ref().and_then(condition));
    let condition = if tests.is_empty() { "true".to_owned() } else { tests.join(" && ") };
    format!("function (doc) {{\n  if ({condition}) {{\n    emit(doc._id, doc._rev);\n  }}\n}}")
}

fn member(name: &str) -> String {
    format!("doc[{}]", Value::from(name))
}

fn one_of(value: &str, values: &Value) -> String {
    format!("{values}.indexOf({value}) >= 0")
}

/// A selector as a condition; `None` if everything passes.
fn condition(selector: &Value) -> Option<String> {
    let conditions = selector.as_object()?.iter().filter_map(|(name, operand)| match name.as_str() {
        "$and" => {
            let all: Vec<String> = operand.as_array()?.iter().filter_map(condition).collect();
            (!all.is_empty()).then(|| format!("({})", all.join(" && ")))
        }
        "$or" => {
            let any: Vec<String> = operand.as_array()?.iter().map(condition).collect::<Option<_>>()?;
            (!any.is_empty()).then(|| format!("({})", any.join(" || ")))
        }
        name if name.starts_with('$') => None,
        name => of_member(&member(name), operand),
    });
    let conditions: Vec<String> = conditions.collect();
    (!conditions.is_empty()).then(|| format!("({})", conditions.join(" && ")))
}

fn of_member(member: &str, operators: &Value) -> Option<String> {
    let conditions: Vec<String> = operators
        .as_object()?
        .iter()
        .filter_map(|(operator, operand)| match operator.as_str() {
            "$eq" if is_exact(operand) => Some(format!("{member} === {operand}")),
            "$ne" if is_exact(operand) => Some(format!("{member} !== {operand}")),
            "$in" => operand
                .as_array()
                .is_some_and(|values| values.iter().all(is_exact))
                .then(|| one_of(member, operand)),
            "$exists" => {
                Some(format!("{member} {} undefined", if *operand == json!(false) { "===" } else { "!==" }))
            }
            "$lt" | "$lte" | "$gt" | "$gte" if operand.is_number() && is_exact(operand) => {
                let operator = match operator.as_str() {
                    "$lt" => "<",
                    "$lte" => "<=",
                    "$gt" => ">",
                    _ => ">=",
                };
                Some(format!("(typeof {member} !== \"number\" || {member} {operator} {operand})"))
            }
            _ => None,
        })
        .collect();
    (!conditions.is_empty()).then(|| format!("({})", conditions.join(" && ")))
}

/// Whether JavaScript compares a value as JSON does.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() < EXACT),
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(selector: &Value) -> Option<String> {
        condition(selector)
    }

    #[test]
    fn a_selector_becomes_a_condition() {
        let selector = json!({"$and": [{"a": {"$eq": "x"}}, {"$or": [{"b": {"$exists": false}}, {"b": {"$ne": true}}]}]});
        assert_eq!(
            of(&selector).as_deref(),
            Some(r#"((((doc["a"] === "x")) && ((((doc["b"] === undefined)) || ((doc["b"] !== true))))))"#)
        );
        assert_eq!(
            of(&json!({"n": {"$lt": 5, "$ne": null}})).as_deref(),
            Some(r#"(((typeof doc["n"] !== "number" || doc["n"] < 5) && doc["n"] !== null))"#)
        );
        assert_eq!(
            of(&json!({"t": {"$in": ["a", "b"]}})).as_deref(),
            Some(r#"((["a","b"].indexOf(doc["t"]) >= 0))"#)
        );
    }

    #[test]
    fn what_has_no_certain_counterpart_passes() {
        for selector in [
            json!({"a": {"$regex": "x"}}),
            json!({"$nor": [{"a": {"$eq": 1}}]}),
            json!({"n": {"$eq": 1_u64 << 53}}),
            json!({"n": {"$eq": 0.5}}),
            json!({"n": {"$eq": [1]}}),
            json!({"$or": [{"a": {"$eq": 1}}, {"b": {"$regex": "x"}}]}),
        ] {
            assert_eq!(of(&selector), None, "{selector}");
        }
        // Of an `$and` the rest counts.
        let selector = json!({"$and": [{"a": {"$eq": 1}}, {"b": {"$regex": "x"}}]});
        assert_eq!(of(&selector).as_deref(), Some(r#"((((doc["a"] === 1))))"#));
    }

    #[test]
    fn a_design_document_is_current_until_the_types_or_the_filter_change() {
        let definition = crate::testing::note_pillow().definition().clone();
        let design = design_document(&definition);
        assert_eq!(design["_id"], "_design/pillowtop-note");
        let map = design.pointer("/views/documents/map").and_then(Value::as_str).unwrap();
        assert!(map.contains(r#"["Note"].indexOf(doc["doc_type"]) >= 0"#), "{map}");
        assert!(is_current(&definition, &design));
        let mut of_partitions = design.clone();
        of_partitions.as_object_mut().unwrap().remove("options");
        assert!(!is_current(&definition, &of_partitions));
        let other = Definition { selector: Some(json!({"keep": {"$eq": true}})), ..definition };
        assert!(!is_current(&other, &design));
    }
}
