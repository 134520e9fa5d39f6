//! From models to code.

mod requirements;

mod mapping;

mod document;

mod drift;

mod pillow;
mod source;

pub(crate) use document::{
    expand_document, expand_document_with, expand_mapping, fallback_document, fallback_mapping,
};
pub(crate) use drift::Drift;
pub(crate) use pillow::{expand_pillow, fallback_pillow};
pub(crate) use source::expand_source;
