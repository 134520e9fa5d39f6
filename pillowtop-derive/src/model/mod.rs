//! What attributes and types mean together: the mapping as the user says it, each part with its
//! place in the source.

mod origin;

mod mapping;

mod member;

mod field;

mod document;

mod routing;
mod target;

mod pillow;

pub(crate) use document::{Document, DocumentKind, DocumentModel, ObjectModel, root_rule};
pub(crate) use field::rule_of_parameters;
pub(crate) use mapping::{Contents, ExplicitMapping, Mapping, Parameter, ParameterValue, SortedItems};
pub(crate) use member::{Member, Property};
pub(crate) use origin::Origin;
pub(crate) use pillow::{LookupModel, PillowModel, SettingsModel, SettingsText, TransformModel};
pub(crate) use routing::{RoutingModel, RoutingSource};
