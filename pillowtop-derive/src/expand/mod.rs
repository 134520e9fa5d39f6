//! From models to code.

mod demands;
mod document;
mod mapping;
mod pillow;

pub(crate) use document::{expand_document, fallback_document};
pub(crate) use pillow::{Drift, expand_pillow, fallback_pillow};
