//! What a field adds to its struct's mapping.

use syn::Type;

use super::mapping::Mapping;
use crate::parse::Name;

/// What a field adds to its struct's mapping.
pub(crate) enum Member<'a> {
    Property(Property<'a>),
    Flatten(&'a Type),
}

/// A property of the index.
pub(crate) struct Property<'a> {
    /// The JSON name, with the place that it comes from.
    pub(crate) name: Name,
    pub(crate) mapping: Mapping<'a>,
    /// What stands in the field, if it is perhaps a struct that serde writes as the object it is.
    pub(crate) perhaps_object: Option<&'a Type>,
}
