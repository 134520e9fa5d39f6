//! What attributes and types mean together: the mapping as the user says it, each part with its place in the source.

mod document;
mod field;
mod mapping;
mod pillow;
mod target;

pub(crate) use document::{Document, DocumentKind, DocumentModel, Member, ObjectModel, Property};
pub(crate) use mapping::{Contents, Mapping, Parameter, ParameterValue, SaidMapping};
pub(crate) use pillow::{FilterModel, PillowModel, SettingsModel};
