//! One field type: its parameters, what it holds, since when, and what stands for it in the other
//! product.

use super::availability::Availability;
use super::legacy::IGNORED_PARAMETERS;
use super::parameter::Parameter;

/// What a field of a type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A value, or a list of values.
    Leaf,
    /// An object whose members are fields of their own, kept with the document they stand in.
    Object,
    /// A list of objects, each indexed as a hidden document of its own.
    Nested,
    /// Nothing: another name of another field.
    Alias,
}

/// What stands for a field type in the other product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counterpart {
    /// The same under another name: the mapping is sent with that name.
    Renamed(&'static str),
    /// A type for the same purpose with other parameters: the mapping must be written anew.
    Similar(&'static str),
}

impl Counterpart {
    /// The name of the other type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renamed(name) | Self::Similar(name) => name,
        }
    }
}

/// A field type of Elasticsearch or `OpenSearch`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldType {
    /// Its name in the mapping JSON.
    pub name: &'static str,
    /// What it is for, in one line without a full stop.
    pub doc: &'static str,
    /// Its parameters in groups, as several types share them; of two with one name the first
    /// counts.
    pub groups: &'static [&'static [Parameter]],
    /// Since when it exists in which product.
    pub availability: Availability,
    /// What stands for it in the other product.
    pub counterpart: Option<Counterpart>,
    /// What its fields hold.
    pub holds: Holds,
    /// Whether it may stand in the `fields` of another field.
    pub multi_field_allowed: bool,
    /// The server plugin that must be installed for it; `None` for what the default distributions
    /// have.
    pub plugin: Option<&'static str>,
}

impl FieldType {
    /// A type of values, in every version, allowed as a multi-field.
    pub(super) const fn leaf(
        name: &'static str,
        doc: &'static str,
        groups: &'static [&'static [Parameter]],
    ) -> Self {
        Self {
            name,
            doc,
            groups,
            availability: Availability::EVERYWHERE,
            counterpart: None,
            holds: Holds::Leaf,
            multi_field_allowed: true,
            plugin: None,
        }
    }

    pub(super) const fn available(self, availability: Availability) -> Self {
        Self { availability, ..self }
    }

    pub(super) const fn counterpart(self, counterpart: Counterpart) -> Self {
        Self { counterpart: Some(counterpart), ..self }
    }

    pub(super) const fn holding(self, holds: Holds) -> Self {
        Self { holds, multi_field_allowed: false, ..self }
    }

    pub(super) const fn not_in_multi_fields(self) -> Self {
        Self { multi_field_allowed: false, ..self }
    }

    pub(super) const fn plugin(self, plugin: &'static str) -> Self {
        Self { plugin: Some(plugin), ..self }
    }

    /// Whether a field of this type has properties.
    pub const fn holds_members(&self) -> bool {
        matches!(self.holds, Holds::Object | Holds::Nested)
    }

    /// Whether a field of this type has the properties of its Rust struct. Not so a field that is
    /// declared to be an `object`: that is opaque, which is how recursion is cut and maps are
    /// kept out of the mapping.
    pub fn takes_properties_of_struct(&self) -> bool {
        self.holds_members() && self.name != "object"
    }

    /// All its parameters, each name once.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        let groups = self.groups;
        groups.iter().enumerate().flat_map(move |(position, group)| {
            group.iter().filter(move |parameter| {
                !groups[..position].iter().flat_map(|group| group.iter()).any(|p| p.name == parameter.name)
            })
        })
    }

    /// The parameter of a name, without `type` itself.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.groups.iter().flat_map(|group| group.iter()).find(|parameter| parameter.name == name)
    }

    /// Whether a parameter that this type does not have is one that Elasticsearch 7 and
    /// `OpenSearch` take and ignore: existing mappings have it, new ones better leave it out.
    pub fn ignores(&self, name: &str) -> bool {
        self.holds == Holds::Leaf && IGNORED_PARAMETERS.contains(&name) && self.parameter(name).is_none()
    }
}
