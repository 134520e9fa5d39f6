//! The filter of a pillow: a Rust expression over `self`, as a predicate, as its normal text, and as a selector.

mod expression;
mod parse;
mod predicate;
mod print;
mod selector;

pub(crate) use expression::Filter;
pub(crate) use parse::parse;
pub(crate) use predicate::predicate;
pub(crate) use print::print;
pub(crate) use selector::selector;

#[cfg(test)]
pub(crate) use selector::SelectorField;

pub(crate) use selector::selector_fields;
