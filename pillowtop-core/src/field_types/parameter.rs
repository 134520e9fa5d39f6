//! One mapping parameter: its name, what JSON it takes, since when.

use std::fmt;

use serde_json::{Map, Value};

use super::availability::{Availability, Target, Unavailable};

/// What `PUT _mapping` on a live index takes of another value of a parameter. Where products or
/// versions differ it is the stricter; what each accepts was seen on the servers, since the
/// references do not list it.
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

/// A parameter of a field type, of the root of a mapping, or a member of a parameter that is an
/// object.
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

    /// Checks a value: `Err` says what is expected, as "expects a whole number from 1 to 4096,
    /// found `0`".
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.nullable && value.is_null() { Ok(()) } else { self.value.check(value) }
    }

    /// Whether the target has this parameter, said of the type or object `owner`.
    ///
    /// For a parameter of a field type ask
    /// [`FieldType::parameter_is_available`](super::FieldType::parameter_is_available),
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

/// The JSON that a parameter takes. [`ValueKind::check`] compares; displayed, it completes "expects
/// …".
///
/// Servers read `"true"` as `true` and `"256"` as `256` in a mapping, and so does the check.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ValueKind {
    /// `true` or `false`.
    Boolean,
    /// `false` alone.
    False,
    /// `true`, `false` or one of the words.
    BooleanOr(&'static [&'static str]),
    /// A whole number within bounds, which belong to it.
    Integer {
        /// The smallest.
        minimum: i128,
        /// The largest.
        maximum: i128,
    },
    /// Any number.
    Number,
    /// A number greater than 0.
    PositiveNumber,
    /// A number within bounds, which belong to it.
    NumberBetween {
        /// The smallest.
        minimum: f64,
        /// The largest.
        maximum: f64,
    },
    /// Text, possibly empty.
    Text,
    /// One of the words.
    OneOf(&'static [&'static str]),
    /// A list of strings.
    TextList,
    /// One string or a list of strings.
    TextOrList,
    /// A list of one or more of the words.
    ListOf(&'static [&'static str]),
    /// A date format, or several separated by `||`.
    DateFormat,
    /// Several date formats as a list, or one; none since the epoch.
    DateFormats,
    /// A date as text, or as a number since the epoch.
    Date,
    /// The name of an analyzer, built in or defined in the settings.
    Analyzer,
    /// The name of a normalizer, built in or defined in the settings.
    Normalizer,
    /// The name of a similarity, built in or defined in the settings.
    Similarity,
    /// An IP address, version 4 or 6.
    IpAddress,
    /// A geographic point in any of the spellings servers read: text, `{lat, lon}`, `[lon, lat]`,
    /// `GeoJSON`.
    GeoPoint,
    /// A point in the plane: text, `{x, y}`, `[x, y]`, `GeoJSON`.
    Point,
    /// The path of another field.
    Path,
    /// The path of another field, or a list of such paths.
    Paths,
    /// Multi-fields: an object from name to mapping.
    Fields,
    /// Sub-fields: an object from name to mapping.
    Properties,
    /// Runtime or derived fields: an object from name to `{type, script, …}`.
    ScriptedFields,
    /// Dynamic templates: a list of objects with one name each, and under it the members listed.
    DynamicTemplates(&'static [Parameter]),
    /// Join relations: an object from parent to child, or to a list of children.
    Relations,
    /// Field metadata: an object of at most 5 short strings.
    Meta,
    /// A script: its source as text, or an object with `source` or `id`.
    Script,
    /// An object with the members listed, and no other.
    Members(&'static [Parameter]),
    /// A list of objects with the members listed, and no other; one object stands for a list of
    /// one.
    ListOfMembers(&'static [Parameter]),
    /// An object, whose members the server's plugins decide.
    Object,
    /// `true`, `false`, or a list of objects.
    BooleanOrObjects,
    /// Any JSON but `null`.
    Any,
}

impl ValueKind {
    /// A whole number from 0 to 2147483647.
    pub(super) const COUNT: Self = Self::Integer { minimum: 0, maximum: i32::MAX as i128 };
    /// A whole number from 1 to 2147483647.
    pub(super) const POSITIVE_COUNT: Self = Self::Integer { minimum: 1, maximum: i32::MAX as i128 };
}

/// Words as "`a`, `b` or `c`".
pub(super) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::from("nothing"),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

fn member_names(members: &[Parameter]) -> String {
    alternatives(&members.iter().map(|member| member.name).collect::<Vec<_>>())
}

impl fmt::Display for ValueKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BooleanOr(words) => write!(formatter, "true, false, {}", alternatives(words)),
            Self::Integer { minimum, maximum } => {
                write!(formatter, "a whole number from {minimum} to {maximum}")
            }
            Self::NumberBetween { minimum, maximum } => {
                write!(formatter, "a number from {minimum} to {maximum}")
            }
            Self::OneOf(words) => formatter.write_str(&alternatives(words)),
            Self::ListOf(words) => write!(formatter, "a list of {}", alternatives(words)),
            Self::Members(members) => write!(formatter, "an object with {}", member_names(members)),
            Self::ListOfMembers(members) => {
                write!(formatter, "a list of objects with {}", member_names(members))
            }
            plain => formatter.write_str(plain.words()),
        }
    }
}

impl ValueKind {
    /// The members of an object, or of each object of a list.
    pub(super) const fn members(self) -> Option<&'static [Parameter]> {
        match self {
            Self::Members(members) | Self::ListOfMembers(members) | Self::DynamicTemplates(members) => {
                Some(members)
            }
            _ => None,
        }
    }

    /// The expectation of the kinds that need no number or word put in.
    const fn words(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::False => "false",
            Self::Number => "a number",
            Self::PositiveNumber => "a number greater than 0",
            Self::Text => "text",
            Self::TextList => "a list of strings",
            Self::TextOrList => "string or a list of strings",
            Self::DateFormat => "a date format such as `strict_date_optional_time||epoch_millis`",
            Self::DateFormats => "a list of date formats such as [`yyyy-MM-dd`]",
            Self::Date => "a date as a string, or as a number since the epoch",
            Self::Analyzer => "the name of an analyzer",
            Self::Normalizer => "the name of a normalizer",
            Self::Similarity => "the name of a similarity such as `BM25` or `boolean`",
            Self::IpAddress => "an IP address such as `192.168.0.1` or `::1`",
            Self::GeoPoint => "a geographic point such as {\"lat\": 42.3, \"lon\": -71.1} or \"42.3,-71.1\"",
            Self::Point => "a point such as {\"x\": 1.5, \"y\": 2} or \"1.5,2\"",
            Self::Path => "the path of a field such as `user.name`",
            Self::Paths => "the path of a field such as `user.name`, or a list of paths",
            Self::Fields => "an object from name to mapping, each with a `type`",
            Self::Properties => "an object from field name to mapping",
            Self::ScriptedFields => "an object from field name to an object with a `type`",
            Self::DynamicTemplates(_) => {
                "a list of objects such as {\"name\": {\"match\": \"…\", \"mapping\": {…}}}"
            }
            Self::Relations => "an object from parent to child such as {\"question\": [\"answer\"]}",
            Self::Meta => "an object of at most 5 strings, with names of at most 20 characters",
            Self::Script => "a script: its source as text, or an object with `source` or `id`",
            Self::BooleanOrObjects => "true, false or a list of objects",
            Self::Any => "a value other than null",
            Self::Object
            | Self::BooleanOr(_)
            | Self::Integer { .. }
            | Self::NumberBetween { .. }
            | Self::OneOf(_)
            | Self::ListOf(_)
            | Self::Members(_)
            | Self::ListOfMembers(_) => "an object",
        }
    }
}
