//! What JSON a mapping parameter takes.

use std::fmt;

use super::parameter::Parameter;

/// The JSON that a parameter takes. [`ValueKind::check`] compares; displayed, it completes "expects …".
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
    /// A geographic point in any of the spellings servers read: text, `{lat, lon}`, `[lon, lat]`, `GeoJSON`.
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
    /// A list of objects with the members listed, and no other; one object stands for a list of one.
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
