//! The rules that a struct must keep, one function each.

mod creation;

mod parameters;
mod pillow;

mod rules;
mod shapes;

mod document;

pub(crate) use document::check_document;
pub(crate) use pillow::check_pillow;
pub(crate) use rules::check_rules;
pub(crate) use shapes::rejects_objects;
