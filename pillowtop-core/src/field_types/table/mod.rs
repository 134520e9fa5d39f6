//! The table itself, family by family. A new type is one entry in its family.

mod computed;
mod numeric;
mod object;
mod ranking;
mod spatial;
mod text;
mod time_and_more;

use super::field_type::FieldType;

/// Every field type, family by family, in the order of the reference page.
pub(super) const TABLE: &[&[FieldType]] = &[
    text::TYPES,
    numeric::TYPES,
    time_and_more::TYPES,
    object::TYPES,
    spatial::TYPES,
    ranking::TYPES,
    computed::TYPES,
];
