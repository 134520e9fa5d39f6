//! From a document's JSON text to the user's struct, with or without the members that the struct
//! does not name.
//!
//! serde tells a deserializer which members a struct knows, so unknown ones are told apart while
//! decoding and kept as the text they are, borrowed from the change and never parsed.
//! (`#[serde(flatten)]` into a map would buffer every member.)

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use crate::cow_str::CowStr;
use crate::raw_json::RawObject;

/// Why a document is not what its struct says.
#[derive(Debug, thiserror::Error)]
#[error("at `{path}`: {message}")]
pub struct DecodeError {
    /// The path in the document, `.` for the document itself.
    pub path: String,
    /// What serde says.
    pub message: String,
}

impl DecodeError {
    /// What serde says, without the value that it quotes: for what must not show documents. A
    /// message of the struct's own is left as it is.
    pub fn without_value(&self) -> String {
        let quoting = ["invalid type: ", "invalid value: ", "unknown variant"];
        let Some(start) = quoting.iter().find(|start| self.message.starts_with(**start)) else {
            return self.message.clone();
        };
        let rest = &self.message[start.len()..];
        // A value may contain anything, even what follows it.
        let end = rest.rfind(", expected ").or_else(|| rest.rfind(", there are no variants"));
        match (rest.find(['"', '`']), end) {
            (Some(quote), Some(end)) if quote < end => {
                format!("{start}{}{}", rest[..quote].trim_end(), &rest[end..])
            }
            _ => self.message.clone(),
        }
    }
}

/// Decodes a document; members that the struct does not name are skipped.
///
/// # Errors
///
/// With the path of the member that does not fit.
pub fn decode<'text, T: Deserialize<'text>>(text: &'text str) -> Result<T, DecodeError> {
    serde_json::from_str(text).map_err(|_| explain::<T>(text))
}

/// Decodes a document and returns the members that the struct does not name.
///
/// # Errors
///
/// With the path of the member that does not fit.
pub fn decode_carrying<'text, T: Deserialize<'text>>(
    text: &'text str,
) -> Result<(T, RawObject<'text>), DecodeError> {
    let mut carried = RawObject::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let decoded = T::deserialize(Carrying { inner: &mut deserializer, carried: &mut carried });
    match decoded {
        Ok(document) => Ok((document, carried)),
        Err(_) => Err(explain::<T>(text)),
    }
}

/// The slow way, for an error with its path: a document that does not fit is rare.
fn explain<'text, T: Deserialize<'text>>(text: &'text str) -> DecodeError {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => DecodeError { path: error.path().to_string(), message: error.inner().to_string() },
        Ok(_) => DecodeError { path: ".".to_owned(), message: "the document is malformed".to_owned() },
    }
}

struct Carrying<'a, 'text, D> {
    inner: D,
    carried: &'a mut RawObject<'text>,
}

impl<'text, D: Deserializer<'text>> Deserializer<'text> for Carrying<'_, 'text, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'text>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'text>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Sifting { known: fields, visitor, carried: self.carried })
    }

    fn deserialize_newtype_struct<V: Visitor<'text>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    // A struct that flattens asks for a map and takes every member, so nothing is left to carry.
    forward_to_deserialize_any! { <W: Visitor<'text>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

struct Sifting<'a, 'text, V> {
    known: &'static [&'static str],
    visitor: V,
    carried: &'a mut RawObject<'text>,
}

impl<'text, V: Visitor<'text>> Visitor<'text> for Sifting<'_, 'text, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_map<A: MapAccess<'text>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Sieve { known: self.known, inner, carried: self.carried })
    }
}

struct Sieve<'a, 'text, A> {
    known: &'static [&'static str],
    inner: A,
    carried: &'a mut RawObject<'text>,
}

impl<'text, A: MapAccess<'text>> MapAccess<'text> for Sieve<'_, 'text, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'text>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.inner.next_key::<CowStr<'text>>()? {
            if self.known.contains(&name.as_str()) {
                return seed.deserialize(name.as_str().into_deserializer()).map(Some);
            }
            let value: &'text RawValue = self.inner.next_value()?;
            self.carried.push(name, value);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'text>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Person {
        #[serde(rename = "_id")]
        id: String,
        #[serde(alias = "years")]
        age: Option<u32>,
        #[serde(default)]
        tags: Vec<String>,
    }

    const TEXT: &str = r#"{"_id": "a", "big": 12345678901234567890123, "x\u0041": {"deep": [1, {"age": 2}]}, "years": 7, "tags": ["t"]}"#;

    #[test]
    fn unknown_members_are_carried_as_they_are() {
        let (person, carried) = decode_carrying::<Person>(TEXT).unwrap();
        assert_eq!(person, Person { id: "a".to_owned(), age: Some(7), tags: vec!["t".to_owned()] });
        let carried: Vec<_> = carried.iter().map(|(name, value)| (name, value.text().unwrap())).collect();
        assert_eq!(carried, [("big", "12345678901234567890123"), ("xA", r#"{"deep": [1, {"age": 2}]}"#)]);
        assert_eq!(decode::<Person>(TEXT).unwrap(), person);
    }

    #[test]
    fn an_error_names_the_path() {
        let text = r#"{"_id": "a", "tags": ["t", 3]}"#;
        let error = decode::<Person>(text).unwrap_err();
        assert_eq!(error.path, "tags[1]");
        assert!(error.message.contains("expected a string"), "{error}");
        assert_eq!(decode_carrying::<Person>(text).unwrap_err().path, "tags[1]");
        assert_eq!(decode::<Person>("[]").unwrap_err().path, ".");
    }

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
    }

    #[test]
    fn an_error_can_be_told_without_the_value() {
        let told = |text: &str| decode::<Person>(text).unwrap_err().without_value();
        let rest = |told: String| told.split(" at line").next().unwrap().to_owned();
        let hostile = r#"{"_id": "a", "years": "x, expected \"y\", expected z"}"#;
        assert_eq!(rest(told(hostile)), "invalid type: string, expected u32");
        assert_eq!(rest(told(r#"{"_id": 5}"#)), "invalid type: integer, expected a string");
        assert_eq!(rest(told(r#"{"_id": "a", "years": -4711}"#)), "invalid value: integer, expected u32");
        assert_eq!(rest(told(r#"{"_id": {}}"#)), "invalid type: map, expected a string");
        assert_eq!(rest(told("{}")), "missing field `_id`");
        let colour = decode::<Colour>("\"secret\"").unwrap_err().without_value();
        assert_eq!(rest(colour), "unknown variant, expected `Red`");
    }
}
