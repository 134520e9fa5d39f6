//! From what a team already has to a struct: a source becomes a [`model::Draft`], which is written
//! as Rust.

pub(crate) mod body;
mod characters;
pub(crate) mod model;

mod literals;
pub(crate) mod names;
mod rust_types;

pub(crate) mod mapping;
mod routing;

mod explicit;
pub(crate) mod lenient_json;
pub(crate) mod placeholders;

pub(crate) mod from_mapping;
mod texts;

mod observe;

pub(crate) mod from_docs;
pub(crate) mod write;

#[cfg(test)]
mod fits;
