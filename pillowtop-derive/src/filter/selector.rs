//! The filter as a Mango selector that is weaker, never stronger: every document that the predicate
//! accepts passes it.
//!
//! A missing member fails every operator but `$exists: false`, so `!=` and what is negated say that
//! it may be missing. What has no counterpart is left out: nested paths (a missing parent fails
//! even `$exists: false`), orderings of strings (ICU's, not Rust's), that a string is not another
//! one (CouchDB compares by ICU, which ignores some characters: strings that differ may be equal),
//! floats (a document's digits are not the field's), constants, patterns of variants. What is left
//! out of an `&&` makes the selector weaker; what is left out of an `||` leaves out the whole of
//! it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use syn::{Lit, Pat};

use super::expression::{Constant, FieldPath, Filter, Operand, OperatorKind, Test};
use crate::parse::{MissingValue, RustType, StructReceiver, is_optional, is_single, rust_type};

/// A field as a selector can ask for it.
#[derive(Clone)]
pub(crate) struct SelectorField {
    /// The JSON name that it is read from.
    pub(crate) name: String,
    pub(crate) kind: RustType,
    /// Whether a missing member and `null` are read as `None`.
    pub(crate) is_optional: bool,
    /// No list: what a selector compares is one value.
    pub(crate) is_single: bool,
}

/// The fields of a struct, by their Rust names, that are read from one member as it is.
pub(crate) fn selector_fields(receiver: &StructReceiver<'_>) -> BTreeMap<String, SelectorField> {
    if receiver.serde.reads_otherwise || receiver.serde.transparent {
        return BTreeMap::new();
    }
    let as_it_is = receiver.fields().iter().filter(|field| {
        let is_optional = is_optional(field.rust_type);
        let default_is_none = is_optional && field.serde.default == Some(MissingValue::OfType);
        !field.serde.reads_otherwise
            && field.serde.flatten.is_none()
            && (field.serde.default.is_none() || default_is_none)
    });
    as_it_is
        .map(|field| {
            let name = receiver.read_name(field);
            let is_optional = is_optional(field.rust_type);
            let (kind, is_single) = (rust_type(field.rust_type), is_single(field.rust_type));
            (field.name(), SelectorField { name, kind, is_optional, is_single })
        })
        // A dot or a dollar sign would be read as a path or an operator.
        .filter(|(_, field)| !field.name.contains(['.', '$', '\\']) && !field.name.is_empty())
        .collect()
}

/// The selector as JSON text; none if nothing of the filter has a counterpart.
pub(crate) fn selector(filter: &Filter, fields: &BTreeMap<String, SelectorField>) -> Option<String> {
    Selector { fields }.of(filter, true).map(|selector| selector.to_string())
}

struct Selector<'a> {
    fields: &'a BTreeMap<String, SelectorField>,
}

impl Selector<'_> {
    /// What passes wherever the filter's outcome is `wanted`.
    fn of(&self, filter: &Filter, wanted: bool) -> Option<Value> {
        match filter {
            Filter::Group(inner) => self.of(inner, wanted),
            Filter::Not(inner) => self.of(inner, !wanted),
            Filter::And(left, right) => self.join(left, right, wanted, wanted),
            Filter::Or(left, right) => self.join(left, right, wanted, !wanted),
            Filter::Truth(field) => {
                let field = self.field(field).filter(|field| field.kind == RustType::Boolean)?;
                Some(if wanted {
                    equal(&field.name, &json!(true))
                } else {
                    not_equal(&field.name, &json!(true))
                })
            }
            Filter::Compare { field, operator, with: Operand::Constant(constant), .. } => {
                compare(self.field(field)?, operator.kind, constant, wanted)
            }
            Filter::Compare { with: Operand::Field(_), .. } => None,
            Filter::Test { field, test, .. } => self.test(field, test, wanted),
            Filter::Matches { field, pattern } => {
                let field = self.field(field).filter(|field| field.kind == RustType::Text)?;
                let name = field.name.as_str();
                wanted.then_some(json!({name: {"$in": texts(pattern)?}}))
            }
        }
    }

    fn join(&self, left: &Filter, right: &Filter, wanted: bool, is_and: bool) -> Option<Value> {
        match (self.of(left, wanted), self.of(right, wanted)) {
            (Some(left), Some(right)) => {
                let operator = if is_and { "$and" } else { "$or" };
                Some(json!({operator: flat(operator, left, right)}))
            }
            (Some(one), None) | (None, Some(one)) if is_and => Some(one),
            _ => None,
        }
    }

    /// A root field that is read from one member.
    fn field(&self, path: &FieldPath) -> Option<&SelectorField> {
        let [root] = path.names.as_slice() else { return None };
        let name = syn::ext::IdentExt::unraw(root).to_string();
        self.fields.get(&name).filter(|field| field.is_single)
    }

    fn test(&self, path: &FieldPath, test: &Test, wanted: bool) -> Option<Value> {
        match test {
            Test::IsSome | Test::IsNone => {
                let [root] = path.names.as_slice() else { return None };
                let field = self.fields.get(&syn::ext::IdentExt::unraw(root).to_string())?;
                let name = field.name.as_str();
                let is_there = matches!(test, Test::IsSome) == wanted;
                field.is_optional.then(|| if is_there { present(name) } else { none(name) })
            }
            Test::IsEmpty => {
                let field = self.field(path).filter(|field| field.kind == RustType::Text)?;
                let name = field.name.as_str();
                Some(if wanted {
                    json!({"$or": flat("$or", none(name), equal(name, &json!("")))})
                } else {
                    present(name)
                })
            }
            Test::Contains(_) | Test::StartsWith(_) => None,
        }
    }
}

fn compare(field: &SelectorField, kind: OperatorKind, constant: &Constant, wanted: bool) -> Option<Value> {
    let Constant::Literal { literal, is_negative } = constant else { return None };
    let value = match (field.kind, literal) {
        (RustType::Text, Lit::Str(text)) => json!(text.value()),
        (RustType::Text, Lit::Char(letter)) => json!(letter.value().to_string()),
        (RustType::Boolean, Lit::Bool(truth)) => json!(truth.value),
        (RustType::Integer, Lit::Int(number)) => {
            let number: i128 = number.base10_parse().ok()?;
            // Beyond this a server that counts in doubles sees two numbers as one.
            let number = i64::try_from(if *is_negative { -number } else { number }).ok()?;
            (number.unsigned_abs() <= 1 << 53).then(|| json!(number))?
        }
        _ => return None,
    };
    let name = field.name.as_str();
    let operator = match (kind, wanted) {
        (OperatorKind::Equal, true) | (OperatorKind::NotEqual, false) => return Some(equal(name, &value)),
        (OperatorKind::Equal, false) | (OperatorKind::NotEqual, true) => {
            return (field.kind != RustType::Text).then(|| not_equal(name, &value));
        }
        _ if field.kind != RustType::Integer => return None,
        (OperatorKind::Less, true) | (OperatorKind::GreaterOrEqual, false) => "$lt",
        (OperatorKind::LessOrEqual, true) | (OperatorKind::Greater, false) => "$lte",
        (OperatorKind::Greater, true) | (OperatorKind::LessOrEqual, false) => "$gt",
        (OperatorKind::GreaterOrEqual, true) | (OperatorKind::Less, false) => "$gte",
    };
    // `null` sorts before all numbers.
    let ordered = if field.is_optional && operator.starts_with("$lt") {
        json!({name: {operator: value, "$ne": null}})
    } else {
        json!({name: {operator: value}})
    };
    // A missing value is neither less nor greater, so what is negated holds for it.
    Some(if wanted { ordered } else { json!({"$or": flat("$or", none(name), ordered)}) })
}

fn equal(name: &str, value: &Value) -> Value {
    json!({name: {"$eq": value}})
}

fn not_equal(name: &str, value: &Value) -> Value {
    or_missing(name, &json!({name: {"$ne": value}}))
}

fn or_missing(name: &str, selector: &Value) -> Value {
    json!({"$or": [{name: {"$exists": false}}, selector]})
}

/// Neither missing nor `null`.
fn present(name: &str) -> Value {
    json!({name: {"$exists": true, "$ne": null}})
}

/// Missing, or `null`: both are read as `None`.
fn none(name: &str) -> Value {
    or_missing(name, &equal(name, &Value::Null))
}

/// The operands of two selectors under one operator, without nesting it.
fn flat(operator: &str, left: Value, right: Value) -> Vec<Value> {
    [left, right]
        .into_iter()
        .flat_map(|selector| match selector.get(operator) {
            Some(Value::Array(inner)) if selector.as_object().is_some_and(|members| members.len() == 1) => {
                inner.clone()
            }
            _ => vec![selector],
        })
        .collect()
}

fn texts(pattern: &Pat) -> Option<Vec<String>> {
    match pattern {
        Pat::Lit(value) => match &value.lit {
            Lit::Str(text) => Some(vec![text.value()]),
            _ => None,
        },
        Pat::Or(or) => or.cases.iter().map(texts).collect::<Option<Vec<_>>>().map(|texts| texts.concat()),
        Pat::Paren(inner) => texts(&inner.pat),
        _ => None,
    }
}
