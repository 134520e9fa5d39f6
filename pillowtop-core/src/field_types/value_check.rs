//! Comparing a JSON value with what a parameter takes.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::lookup::nearest;
use super::parameter::Parameter;
use super::parameter::ValueKind;

/// How much of an unfit value a message shows, in characters.
const SHOWN: usize = 60;

impl ValueKind {
    /// Checks a value: `Err` says what is expected, as "expects a whole number from 1 to 4096,
    /// found `0`".
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match self {
            Self::Members(members) => match value.as_object() {
                Some(object) => check_members(members, object),
                None => Err(self.unfit(value)),
            },
            Self::ListOfMembers(members) => check_list_of_members(*self, members, value),
            Self::DynamicTemplates(members) => check_dynamic_templates(*self, members, value),
            _ if self.fits(value) => Ok(()),
            _ => Err(self.unfit(value)),
        }
    }

    fn unfit(self, value: &Value) -> String {
        let text = value.to_string();
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        format!("expects {self}, found `{shown}{more}`")
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => is_boolean(value),
            Self::False => matches!(value, Value::Bool(false)) || value == "false",
            Self::BooleanOr(words) => is_boolean(value) || is_one_of(words, value),
            Self::Integer { minimum, maximum } => {
                whole_number(value).is_some_and(|number| (minimum..=maximum).contains(&number))
            }
            Self::Number => number(value).is_some(),
            Self::PositiveNumber => number(value).is_some_and(|number| number > 0.0),
            Self::NumberBetween { minimum, maximum } => {
                number(value).is_some_and(|number| (minimum..=maximum).contains(&number))
            }
            Self::Text => value.is_string(),
            Self::OneOf(words) => is_one_of(words, value),
            Self::TextList => is_list_of(value, Value::is_string),
            Self::TextOrList => value.is_string() || is_list_of(value, Value::is_string),
            Self::ListOf(words) => {
                value.as_array().is_some_and(|list| !list.is_empty())
                    && is_list_of(value, |word| is_one_of(words, word))
            }
            Self::DateFormat => is_date_format(value),
            Self::DateFormats => is_detectable_date(value) || is_list_of(value, is_detectable_date),
            Self::Date => value.is_number() || is_name(value),
            Self::Analyzer | Self::Normalizer | Self::Similarity | Self::Path => is_name(value),
            Self::IpAddress => value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()),
            Self::GeoPoint => is_point(value, ["lat", "lon"]),
            Self::Point => is_point(value, ["x", "y"]),
            Self::Paths => is_name(value) || is_list_of(value, is_name),
            Self::Fields | Self::ScriptedFields => {
                is_map_of(value, |mapping| mapping.get("type").is_some_and(is_name))
            }
            Self::Properties => is_map_of(value, Value::is_object),
            Self::Relations => {
                is_map_of(value, |children| is_name(children) || is_list_of(children, is_name))
            }
            Self::Meta => is_meta(value),
            Self::Script => {
                value.is_string() || value.get("source").is_some() || value.get("id").is_some_and(is_name)
            }
            Self::Object => value.is_object(),
            Self::Members(_) | Self::ListOfMembers(_) | Self::DynamicTemplates(_) => {
                self.check(value).is_ok()
            }
            Self::BooleanOrObjects => is_boolean(value) || is_list_of(value, Value::is_object),
            Self::Any => !value.is_null(),
        }
    }
}

fn check_members(members: &'static [Parameter], object: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in object {
        let Some(member) = members.iter().find(|member| member.name == name) else {
            let kind = ValueKind::Members(members);
            let meant = nearest(name, members.iter().map(|member| member.name))
                .map_or_else(String::new, |meant| format!(" (did you mean `{meant}`?)"));
            return Err(format!("expects {kind}, found the member `{name}`{meant}"));
        };
        member.check(value).map_err(|unfit| format!("member `{name}` {unfit}"))?;
    }
    match members.iter().find(|member| member.required && !object.contains_key(member.name)) {
        Some(member) => Err(format!("expects a member `{}`", member.name)),
        None => Ok(()),
    }
}

fn check_list_of_members(
    kind: ValueKind,
    members: &'static [Parameter],
    value: &Value,
) -> Result<(), String> {
    let entries = match value {
        Value::Array(entries) => entries.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => return Err(kind.unfit(value)),
    };
    for entry in entries {
        match entry.as_object() {
            Some(object) => check_members(members, object)?,
            None => return Err(kind.unfit(value)),
        }
    }
    Ok(())
}

fn check_dynamic_templates(
    kind: ValueKind,
    members: &'static [Parameter],
    value: &Value,
) -> Result<(), String> {
    for entry in value.as_array().ok_or_else(|| kind.unfit(value))? {
        let Some((name, template)) =
            entry.as_object().filter(|entry| entry.len() == 1).and_then(|entry| entry.iter().next())
        else {
            return Err(kind.unfit(entry));
        };
        let template = template.as_object().ok_or_else(|| kind.unfit(entry))?;
        check_members(members, template).map_err(|unfit| format!("template `{name}` {unfit}"))?;
        if !template.contains_key("mapping") && !template.contains_key("runtime") {
            return Err(format!("template `{name}` expects a member `mapping` or `runtime`"));
        }
    }
    Ok(())
}

fn is_boolean(value: &Value) -> bool {
    value.is_boolean() || matches!(value.as_str(), Some("true" | "false"))
}

fn is_one_of(words: &[&str], value: &Value) -> bool {
    value.as_str().is_some_and(|text| words.contains(&text))
}

fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn is_list_of(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(fits))
}

fn is_map_of(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    value.as_object().is_some_and(|map| map.values().all(fits))
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A whole number, also as `256.0` (as some JSON writers put it) or as text.
fn whole_number(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| whole_float(number.as_f64()?)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn whole_float(number: f64) -> Option<i128> {
    // Beyond 2^64 no bound of the table is met anyway; within it the conversion of a whole number is
    // exact.
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is known to be zero")]
    (number.fract() == 0.0 && number.abs() <= 18_446_744_073_709_551_616.0).then_some(number as i128)
}

/// Formats between `||`, none of them empty, quotes in pairs. Whether the letters mean anything is
/// the server's say.
fn is_date_format(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.split("||").all(|format| !format.trim().is_empty() && format.matches('\'').count() % 2 == 0)
    })
}

/// A number since the epoch cannot be told from any other number; servers look at the first format
/// alone.
fn is_detectable_date(value: &Value) -> bool {
    is_date_format(value) && !value.as_str().is_some_and(|text| text.starts_with("epoch_"))
}

/// A point as text, as an object with both coordinates, as `GeoJSON`, or as a list of two or three
/// numbers.
fn is_point(value: &Value, names: [&str; 2]) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(numbers) => matches!(numbers.len(), 2 | 3) && numbers.iter().all(Value::is_number),
        Value::Object(object) => {
            names.iter().all(|name| object.get(*name).is_some_and(|part| number(part).is_some()))
                || object.contains_key("coordinates")
                || object.contains_key("geohash")
        }
        _ => false,
    }
}

/// Servers allow 5 entries, names of 20 characters and strings of 50, recent Elasticsearch strings
/// of 500.
fn is_meta(value: &Value) -> bool {
    value.as_object().is_some_and(|meta| {
        meta.len() <= 5
            && meta.iter().all(|(name, text)| {
                name.chars().count() <= 20 && text.as_str().is_some_and(|text| text.chars().count() <= 500)
            })
    })
}
