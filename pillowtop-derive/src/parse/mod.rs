//! Attributes as they are written, before anything is known of what they mean together.

mod couch;
mod es;
mod items;
mod pillow;
mod receive;
mod rust_type;
mod serde;
mod structure;

#[cfg(test)]
pub(crate) use couch::ITEMS as COUCH_ITEMS;
pub(crate) use couch::{CouchReceiver, Unknown};
pub(crate) use es::{EsItem, EsReceiver, EsValue, json_text};
pub(crate) use items::Name;
#[cfg(test)]
pub(crate) use pillow::ITEMS as PILLOW_ITEMS;
pub(crate) use pillow::{MappingReceiver, PillowReceiver};
pub(crate) use rust_type::{RustType, element, is_optional, is_single, layers, mentions, rust_type, squeeze};
pub(crate) use serde::MissingValue;
pub(crate) use structure::{FieldReceiver, StructReceiver, StructShape};
