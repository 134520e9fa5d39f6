//! From what a team already has to a struct: a source becomes a [`model::Draft`], which is written
//! as Rust.

pub(crate) mod body;
mod letters;
mod literals;
pub(crate) mod model;
pub(crate) mod names;

pub(crate) mod mapping;
mod rust_types;
mod said;

mod routing;

pub(crate) mod relaxed;
pub(crate) mod stand_ins;

pub(crate) mod from_mapping;

mod observe;
mod texts;

pub(crate) mod from_docs;
pub(crate) mod write;

#[cfg(test)]
mod fits;
