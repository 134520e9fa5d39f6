//! The filter of a pillow: a Rust expression over `self`, as a predicate, as its normal text, and as a selector.

mod expression;
mod parse;
mod predicate;
mod print;
mod selector;

pub(crate) use expression::Filter;
#[cfg(test)]
pub(crate) use expression::{Constant, FieldPath, Operand, OperatorKind, Test};
pub(crate) use parse::parse;
pub(crate) use predicate::predicate;
pub(crate) use print::print;
pub(crate) use selector::{selector, selector_fields};
