//! A document as the servers see it: numbers keep their text, and a duplicate member is seen.
//!
//! `serde_json::Value` would turn `1e3` into `1000.0`, which a date field refuses in one spelling
//! and takes in the other, and could not hold `1e400` at all.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most levels of objects and lists that newer servers read.
pub(super) const DEEPEST: usize = 1000;

/// A JSON value; numbers are their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json<'text> {
    Null,
    Boolean(bool),
    Number(&'text str),
    Text(String),
    List(Vec<Json<'text>>),
    Object(Vec<(String, Json<'text>)>),
}

impl<'text> Json<'text> {
    /// Reads a document; the error is a clause for people.
    pub(super) fn parse(text: &'text str) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| error.to_string())?;
        value(raw.get())
    }

    /// How many levels of objects and lists a document has.
    pub(super) fn levels(text: &str) -> usize {
        let (mut levels, mut most, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
        for byte in text.bytes() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = in_string,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => {
                    levels += 1;
                    most = most.max(levels);
                }
                b'}' | b']' => levels = levels.saturating_sub(1),
                _ => {}
            }
        }
        most
    }

    /// How deep lists are nested in it, objects aside: 0 for what is none.
    pub(super) fn list_depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::list_depth).max().unwrap_or_default(),
            _ => 0,
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text that a server reads from a scalar; `None` for what is none.
    pub(super) fn scalar_text(&self) -> Option<&str> {
        match self {
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::Number(text) => Some(text),
            Self::Text(text) => Some(text),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Boolean(truth) => write!(formatter, "{truth}"),
            Self::Number(text) => formatter.write_str(text),
            Self::Text(text) => formatter.write_str(&serde_json::Value::from(text.as_str()).to_string()),
            Self::List(items) => {
                formatter.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    write!(formatter, "{}{item}", if position == 0 { "" } else { "," })?;
                }
                formatter.write_str("]")
            }
            Self::Object(members) => {
                formatter.write_str("{")?;
                for (position, (name, value)) in members.iter().enumerate() {
                    let name = serde_json::Value::from(name.as_str());
                    write!(formatter, "{}{name}:{value}", if position == 0 { "" } else { "," })?;
                }
                formatter.write_str("}")
            }
        }
    }
}

fn value(text: &str) -> Result<Json<'_>, String> {
    let string = |error: serde_json::Error| error.to_string();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members = deserializer.deserialize_map(Members).map_err(string)?;
            let mut read: Vec<(String, Json<'_>)> = Vec::with_capacity(members.len());
            for (name, raw) in members {
                if read.iter().any(|(known, _)| *known == name) {
                    return Err(format!("duplicate member `{name}`"));
                }
                read.push((name, value(raw.get())?));
            }
            Json::Object(read)
        }
        Some(b'[') => {
            let items = deserializer.deserialize_seq(Items).map_err(string)?;
            let read: Result<_, _> = items.into_iter().map(|raw| value(raw.get())).collect();
            Json::List(read?)
        }
        Some(b'"') => Json::Text(serde_json::from_str(text).map_err(string)?),
        Some(b't') => Json::Boolean(true),
        Some(b'f') => Json::Boolean(false),
        Some(b'n') | None => Json::Null,
        Some(_) => Json::Number(text),
    })
}

struct Members;

impl<'text> Visitor<'text> for Members {
    type Value = Vec<(String, &'text RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

struct Items;

impl<'text> Visitor<'text> for Items {
    type Value = Vec<&'text RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'text>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text_and_duplicates_are_seen() {
        let text = r#"{"a":[1e3,-0.0,1e400,{"b":"\u00e9"}],"c":null,"d":true}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(json.to_string(), text.replace("\\u00e9", "é"));
        assert!(Json::parse(r#"{"a":{"b":1,"b":2}}"#).unwrap_err().contains("duplicate member `b`"));
        assert!(Json::parse("{").is_err());
        assert_eq!(Json::levels(&format!("{}{}", "[".repeat(1500), "]".repeat(1500))), 1500);
        assert_eq!(Json::levels(r#"{"a\"[[": [{"b": "[["}], "c": {}}"#), 3);
    }
}
