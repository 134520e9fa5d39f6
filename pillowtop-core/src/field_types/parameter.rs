//! One mapping parameter: its name, its values, since when.

use serde_json::{Map, Value};

use super::availability::{Availability, Target, Unavailable};
use super::value_kind::ValueKind;

/// What `PUT _mapping` on a live index takes of another value of a parameter. Where products or versions differ it is the
/// stricter; what each accepts was seen on the servers, since the references do not list it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveChange {
    /// None: it is fixed when the field is created.
    Refused,
    /// Any.
    Accepted,
    /// `false` alone: it can be taken away, not given.
    OnlyToFalse,
    /// An object whose lists have grown.
    OnlyGrown,
}

/// A parameter of a field type, of the root of a mapping, or a member of a parameter that is an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name in the mapping JSON.
    pub name: &'static str,
    /// The values it takes.
    pub value: ValueKind,
    /// Since when, within the versions that have the field type.
    pub availability: Availability,
    /// Whether the mapping is rejected without it.
    pub required: bool,
    /// Whether the servers also take a JSON `null`, which means the default.
    pub nullable: bool,
    /// What a live field takes of it.
    pub live_change: LiveChange,
    /// Those of its values that not every version which has the parameter knows.
    pub limited_values: &'static [(&'static str, Availability)],
    /// What it does, in one line without a full stop.
    pub doc: &'static str,
}

impl Parameter {
    /// An optional parameter, in every version that has the field type.
    pub(super) const fn new(name: &'static str, value: ValueKind, doc: &'static str) -> Self {
        Self {
            name,
            value,
            availability: Availability::EVERYWHERE,
            required: false,
            nullable: false,
            live_change: LiveChange::Refused,
            limited_values: &[],
            doc,
        }
    }

    pub(super) const fn available(self, availability: Availability) -> Self {
        Self { availability, ..self }
    }

    pub(super) const fn elasticsearch(self, major: u16, minor: u16) -> Self {
        self.available(Availability::elasticsearch(major, minor))
    }

    pub(super) const fn opensearch(self, major: u16, minor: u16) -> Self {
        self.available(Availability::opensearch(major, minor))
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// A live field takes any other value of it.
    pub(super) const fn updateable(self) -> Self {
        self.live(LiveChange::Accepted)
    }

    pub(super) const fn live(self, live_change: LiveChange) -> Self {
        Self { live_change, ..self }
    }

    pub(super) const fn limited(self, limited_values: &'static [(&'static str, Availability)]) -> Self {
        Self { limited_values, ..self }
    }

    /// Checks a value: `Err` says what is expected, as "expects a whole number from 1 to 4096, found `0`".
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.nullable && value.is_null() { Ok(()) } else { self.value.check(value) }
    }

    /// Whether the target has this parameter, said of the type or object `owner`.
    ///
    /// For a parameter of a field type ask [`FieldType::parameter_is_available`](super::FieldType::parameter_is_available),
    /// which also knows the type's name in the other product.
    pub fn is_available(&self, owner: &str, target: Target) -> Result<(), Unavailable> {
        if self.availability.includes(target) {
            return Ok(());
        }
        Err(Unavailable {
            subject: format!("`{}` of `{owner}`", self.name),
            availability: self.availability,
            hint: String::new(),
        })
    }

    /// Whether the target knows this value of the parameter, such as `runtime` of `dynamic`.
    ///
    /// In an object every member is asked for, and its value.
    pub fn value_is_available(&self, value: &Value, target: Target) -> Result<(), Unavailable> {
        for (members, object) in self.objects(value) {
            for member in members.iter().filter(|member| object.contains_key(member.name)) {
                member.is_available(self.name, target)?;
                member.value_is_available(&object[member.name], target)?;
            }
        }
        let Some(text) = value.as_str() else { return Ok(()) };
        match self.limited_values.iter().find(|(name, _)| *name == text) {
            Some((_, availability)) if !availability.includes(target) => Err(Unavailable {
                subject: format!("`{} = {text:?}`", self.name),
                availability: *availability,
                hint: String::new(),
            }),
            _ => Ok(()),
        }
    }

    /// The objects in a value whose members this parameter lists.
    fn objects<'v>(&self, value: &'v Value) -> Vec<(&'static [Self], &'v Map<String, Value>)> {
        match self.value {
            ValueKind::Members(members) => {
                value.as_object().map(|object| (members, object)).into_iter().collect()
            }
            ValueKind::ListOfMembers(members) => {
                let entries = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                entries.iter().filter_map(Value::as_object).map(|object| (members, object)).collect()
            }
            ValueKind::DynamicTemplates(members) => value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
                .flat_map(Map::values)
                .filter_map(Value::as_object)
                .map(|template| (members, template))
                .collect(),
            _ => Vec::new(),
        }
    }
}
