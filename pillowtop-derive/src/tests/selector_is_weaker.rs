//! The selector against the filter: a small evaluator of each, over every document of a small
//! world.

use std::collections::BTreeMap;

use pillowtop_core::DocumentInfo;
use pillowtop_core::definition::follow_selector;
use serde_json::{Map, Value, json};
use syn::{DeriveInput, Lit, Pat};

use crate::errors::Errors;
use crate::filter::{
    Constant, FieldPath, Filter, Operand, OperatorKind, Test, parse, selector, selector_fields,
};
use crate::parse::StructReceiver;

const WORLD: &str = r#"struct World {
    #[serde(rename = "t")] text: String,
    maybe: Option<String>,
    flag: bool,
    maybe_flag: Option<bool>,
    number: i64,
    maybe_number: Option<i64>,
    list: Vec<String>,
    inner: Option<Inner>,
    #[serde(default)] defaulted: i64,
}"#;

const FILTERS: [&str; 34] = [
    r#"self.text == "a""#,
    r#"self.text != "a""#,
    r#"!(self.text == "a")"#,
    r#"!(self.text != "a")"#,
    r#"self.maybe == "a""#,
    r#"self.maybe != "a""#,
    r#""a" == self.maybe"#,
    "self.maybe.is_some()",
    "self.maybe.is_none()",
    "!self.maybe.is_some()",
    "!self.maybe.is_none()",
    "self.maybe.is_empty()",
    "!self.maybe.is_empty()",
    "self.flag",
    "!self.flag",
    "self.maybe_flag",
    "!self.maybe_flag",
    "self.maybe_number > 1",
    "self.maybe_number <= 1",
    "!(self.maybe_number > 1)",
    "2 > self.number",
    "!(self.number >= 1 || self.flag)",
    r#"self.text < "b""#,
    r#"self.text < "b" && self.flag"#,
    r#"self.text < "b" || self.flag"#,
    r#"!(self.text < "b" || self.flag)"#,
    r#"!(self.text < "b" && self.flag)"#,
    r#"self.inner.kind == "a" && self.number == 1"#,
    r#"self.list.contains("a") || self.number == 1"#,
    r#"matches!(self.maybe, "a" | "b")"#,
    r#"!matches!(self.maybe, "a" | "b")"#,
    "self.defaulted == 0",
    "self.defaulted == 0 && self.number != 1",
    "(self.flag && self.maybe.is_none()) || (!self.flag && self.maybe_number != 2)",
];

/// Filters whose selector passes exactly the same documents, so that the weakness of the others is
/// intended. None compares strings.
const EXACT: [usize; 14] = [7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19, 20, 21, 33];

#[test]
fn every_document_that_the_filter_accepts_passes_the_selector() {
    let input: DeriveInput = syn::parse_str(WORLD).unwrap();
    let errors = Errors::new();
    let receiver = StructReceiver::parse(&errors, &input);
    let fields = selector_fields(&receiver);
    for (position, text) in FILTERS.iter().enumerate() {
        let filter = parse(&errors, &syn::parse_str(text).unwrap()).unwrap();
        let selector: Option<Value> =
            selector(&filter, &fields).map(|selector| serde_json::from_str(&selector).unwrap());
        for document in documents() {
            let accepted = accepts(&filter, &document);
            let passed = selector.as_ref().is_none_or(|selector| passes(selector, &document));
            assert!(passed || !accepted, "{text}\n{selector:?}\n{document}");
            assert!(
                passed == accepted || !EXACT.contains(&position),
                "not exact: {text}\n{selector:?}\n{document}"
            );
        }
    }
    assert_eq!(errors.finish().to_string(), "");
}

/// Whatever is indexed, and whatever deletes a document from an index, passes the selector that an
/// immutable filter is followed through.
#[test]
fn every_change_that_matters_to_an_immutable_filter_passes_its_selector() {
    let input: DeriveInput = syn::parse_str(WORLD).unwrap();
    let errors = Errors::new();
    let fields = selector_fields(&StructReceiver::parse(&errors, &input));
    let may_change =
        DocumentInfo { types: &["World"], deleted_types: &["World-Deleted"], ..DocumentInfo::PART };
    let is_immutable = DocumentInfo { type_is_immutable: true, ..may_change };
    let without_deleted = DocumentInfo { deleted_types: &[], ..is_immutable };
    let types = [None, Some("World"), Some("World\u{ad}"), Some("World-Deleted"), Some("Other")];
    // Prime to the number of values of each member, so that all of them are met.
    let documents: Vec<Value> = documents().into_iter().step_by(11).collect();
    for text in FILTERS {
        let filter = parse(&errors, &syn::parse_str(text).unwrap()).unwrap();
        let selector: Option<Value> =
            selector(&filter, &fields).map(|selector| serde_json::from_str(&selector).unwrap());
        for info in [may_change, is_immutable, without_deleted] {
            let followed = follow_selector(selector.as_ref(), &info);
            for (document, doc_type) in
                documents.iter().flat_map(|document| types.map(|name| (document, name)))
            {
                let mut document = document.clone();
                document
                    .as_object_mut()
                    .unwrap()
                    .extend(doc_type.map(|name| ("doc_type".to_owned(), json!(name))));
                let is_of = |types: &[&str]| doc_type.is_some_and(|name| types.contains(&name));
                let may_retype = !info.type_is_immutable || is_of(info.types);
                let matters = is_of(info.deleted_types) || (may_retype && accepts(&filter, &document));
                let passed = followed.as_ref().is_none_or(|selector| passes(selector, &document));
                assert!(passed || !matters, "{text}\n{followed:?}\n{document}");
                let is_foreign = doc_type.is_none() || doc_type == Some("Other");
                assert!(
                    !passed || !info.type_is_immutable || !is_foreign,
                    "{text}\n{followed:?}\n{document}"
                );
            }
        }
    }
    assert_eq!(errors.finish().to_string(), "");
}

/// All documents that `World` can be read from, with a few values for each member.
fn documents() -> Vec<Value> {
    let members: BTreeMap<&str, Vec<Option<Value>>> = BTreeMap::from([
        ("t", strings().to_vec()),
        ("maybe", [&[None, Some(Value::Null)], strings().as_slice()].concat()),
        ("flag", vec![Some(json!(true)), Some(json!(false))]),
        ("maybe_flag", vec![None, Some(Value::Null), Some(json!(true)), Some(json!(false))]),
        ("number", vec![Some(json!(1)), Some(json!(2))]),
        ("maybe_number", vec![None, Some(Value::Null), Some(json!(1)), Some(json!(2))]),
        ("list", vec![Some(json!([])), Some(json!(["a"]))]),
        ("inner", vec![None, Some(json!({"kind": "a"}))]),
        ("defaulted", vec![None, Some(json!(0))]),
    ]);
    members
        .iter()
        .fold(vec![Map::new()], |documents, (name, values)| extended(&documents, (name, values)))
        .into_iter()
        .map(Value::Object)
        .collect()
}

/// Strings, among them two that ICU cannot tell from others.
fn strings() -> [Option<Value>; 5] {
    ["", "a", "c", "\u{ad}", "a\u{ad}"].map(|text| Some(json!(text)))
}

fn extended(
    documents: &[Map<String, Value>],
    (name, values): (&str, &[Option<Value>]),
) -> Vec<Map<String, Value>> {
    let with = |document: &Map<String, Value>, value: &Option<Value>| {
        let mut document = document.clone();
        document.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
        document
    };
    documents.iter().flat_map(|document| values.iter().map(move |value| with(document, value))).collect()
}

/// What the predicate says, by the rules that core's `filter` module documents.
fn accepts(filter: &Filter, document: &Value) -> bool {
    let one = |field: &FieldPath| value(field, document);
    match filter {
        Filter::And(left, right) => accepts(left, document) && accepts(right, document),
        Filter::Or(left, right) => accepts(left, document) || accepts(right, document),
        Filter::Not(inner) => !accepts(inner, document),
        Filter::Group(inner) => accepts(inner, document),
        Filter::Truth(field) => one(field).is_some_and(|value| value == json!(true)),
        Filter::Compare { field, operator, with, .. } => {
            let Operand::Constant(Constant::Literal { literal, .. }) = with else {
                panic!("not in this world")
            };
            let other = json_of(literal);
            match (operator.kind, one(field)) {
                (OperatorKind::NotEqual, value) => value.is_none_or(|value| value != other),
                (_, None) => false,
                (OperatorKind::Equal, Some(value)) => value == other,
                (kind, Some(value)) => ordered(kind, &value, &other),
            }
        }
        Filter::Test { field, test, .. } => match test {
            Test::IsSome => one(field).is_some(),
            Test::IsNone => one(field).is_none(),
            Test::IsEmpty => one(field).is_none_or(|value| value == json!("") || value == json!([])),
            Test::Contains(Constant::Literal { literal, .. }) => one(field)
                .is_some_and(|value| value.as_array().is_some_and(|list| list.contains(&json_of(literal)))),
            Test::Contains(_) | Test::StartsWith(_) => panic!("not in this world"),
        },
        Filter::Matches { field, pattern } => one(field).is_some_and(|value| texts(pattern).contains(&value)),
    }
}

fn value(field: &FieldPath, document: &Value) -> Option<Value> {
    let mut value = document;
    for name in &field.names {
        let name = if name == "text" { "t".to_owned() } else { name.to_string() };
        value = value.get(&name).unwrap_or(&Value::Null);
    }
    // `#[serde(default)]`.
    if value.is_null() && field.names[0] == "defaulted" {
        return Some(json!(0));
    }
    (!value.is_null()).then(|| value.clone())
}

fn json_of(literal: &Lit) -> Value {
    match literal {
        Lit::Str(text) => json!(text.value()),
        Lit::Int(number) => json!(number.base10_parse::<i64>().unwrap()),
        Lit::Bool(truth) => json!(truth.value),
        _ => panic!("not in this world"),
    }
}

fn texts(pattern: &Pat) -> Vec<Value> {
    match pattern {
        Pat::Lit(literal) => vec![json_of(&literal.lit)],
        Pat::Or(or) => or.cases.iter().flat_map(texts).collect(),
        _ => panic!("not in this world"),
    }
}

fn ordered(kind: OperatorKind, left: &Value, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (left, right) => left.as_i64().cmp(&right.as_i64()),
    };
    match kind {
        OperatorKind::Less => order.is_lt(),
        OperatorKind::LessOrEqual => order.is_le(),
        OperatorKind::Greater => order.is_gt(),
        OperatorKind::GreaterOrEqual => order.is_ge(),
        OperatorKind::Equal | OperatorKind::NotEqual => panic!("no ordering"),
    }
}

/// Mango as `CouchDB` has it: a missing member fails every operator but `$exists: false`.
fn passes(selector: &Value, document: &Value) -> bool {
    selector.as_object().unwrap().iter().all(|(name, operand)| match name.as_str() {
        "$and" => operand.as_array().unwrap().iter().all(|inner| passes(inner, document)),
        "$or" => operand.as_array().unwrap().iter().any(|inner| passes(inner, document)),
        name => {
            let value = document.get(name);
            operand
                .as_object()
                .unwrap()
                .iter()
                .all(|(operator, operand)| passes_operator(operator, operand, value))
        }
    })
}

fn passes_operator(operator: &str, operand: &Value, value: Option<&Value>) -> bool {
    if operator == "$exists" {
        return operand.as_bool().unwrap() == value.is_some();
    }
    let Some(value) = value else { return false };
    let is_equal = |operand: &Value| collated(value) == collated(operand);
    // Null sorts before all else.
    let rank = |value: &Value| value.as_i64().unwrap_or(i64::MIN);
    match operator {
        "$eq" => is_equal(operand),
        "$ne" => !is_equal(operand),
        "$lt" => rank(value) < rank(operand),
        "$lte" => rank(value) <= rank(operand),
        "$gt" => rank(value) > rank(operand),
        "$gte" => rank(value) >= rank(operand),
        "$in" => operand.as_array().unwrap().iter().any(is_equal),
        other => panic!("the evaluator has no `{other}`"),
    }
}

/// What ICU compares of a value: some characters, such as the soft hyphen, are ignored.
fn collated(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| json!(text.replace('\u{ad}', "")))
}
