//! A change as a reviewer reads it: one line.

use std::fmt;

use serde_json::Value;

use super::PathChange;
use crate::canonical::to_canonical;

/// Longer values are cut, by characters: a reviewer finds them whole in the file.
const SHOWN: usize = 80;
/// What is shown of what two long values begin with alike.
const ALIKE: usize = 20;

impl fmt::Display for PathChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(formatter, "+ {}: {}", self.path, self.whole(after))?,
            (Some(before), None) => write!(formatter, "- {}: {}", self.path, self.whole(before))?,
            (before, after) => {
                let text = |value: &Option<Value>| value.as_ref().map(to_canonical).unwrap_or_default();
                let (before, after) = parting(&text(before), &text(after));
                write!(formatter, "~ {}: {before} -> {after}", self.path)?;
            }
        }
        write!(formatter, "  ({}: {})", self.class, self.reason)
    }
}

impl PathChange {
    /// A value that stands on one side alone. A field begins with its type, and what is below it is
    /// counted.
    fn whole(&self, value: &Value) -> String {
        let Some(members) = value.as_object().filter(|_| !self.path.starts_with("settings ")) else {
            return cut(&to_canonical(value));
        };
        let type_name = members.get("type").and_then(Value::as_str);
        let below = members.get("properties").and_then(Value::as_object);
        if type_name.is_none() && below.is_none() {
            return cut(&to_canonical(value));
        }
        let mut parameters = members.clone();
        parameters.retain(|name, _| name != "type" && name != "properties");
        let mut text = type_name.unwrap_or("object").to_owned();
        if !parameters.is_empty() {
            text = format!("{text} {}", to_canonical(&Value::Object(parameters)));
        }
        text = cut(&text);
        match below.map_or(0, serde_json::Map::len) {
            0 => text,
            1 => format!("{text} with 1 field"),
            number => format!("{text} with {number} fields"),
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Two values from where they part, if that is not seen otherwise.
fn parting(before: &str, after: &str) -> (String, String) {
    let alike = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let longest = before.chars().count().max(after.chars().count());
    if longest <= SHOWN || alike <= ALIKE {
        return (cut(before), cut(after));
    }
    let from = |text: &str| {
        let rest: String = text.chars().skip(alike - ALIKE).collect();
        format!("…{}", cut(&rest))
    };
    (from(before), from(after))
}
