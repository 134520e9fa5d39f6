//! Attributes as they are written, before anything is known of what they mean together.

mod locations;
mod rust_type;
mod vocabulary;

mod items;

mod es;
mod receive;

mod couch;
mod pillow;
mod serde;

mod structure;

pub(crate) use couch::{CouchReceiver, Unknown};
pub(crate) use es::{EsItem, EsReceiver, EsValue, json_text};
pub(crate) use items::Name;
pub(crate) use locations::refuse_inside;
pub(crate) use pillow::{MappingReceiver, PillowReceiver};
pub(crate) use receive::without_group;
pub(crate) use rust_type::{RustType, element, is_optional, is_single, layers, mentions, rust_type, squeeze};
pub(crate) use serde::MissingValue;
pub(crate) use structure::{FieldReceiver, StructReceiver, StructShape};
pub(crate) use vocabulary::home_of;
#[cfg(test)]
pub(crate) use vocabulary::{COUCH_ITEMS, ES_WORDS, PILLOW_ITEMS};
