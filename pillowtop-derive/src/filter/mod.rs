//! The filter of a pillow: a Rust expression over `self`, as a predicate, as its normal text, and
//! as a selector.

mod expression;
mod parse;
mod predicate;
mod print;
mod selector;

#[cfg(test)]
pub(crate) use expression::{Constant, Operand, OperatorKind, Test};
pub(crate) use expression::{FieldPath, Filter};
pub(crate) use parse::parse;
pub(crate) use predicate::{field_value, predicate};
pub(crate) use print::print;
pub(crate) use selector::{selector, selector_fields};
