//! A string that points into the document it was read from.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A string that is read without a copy: it points into the document's own text, and owns itself
/// only where that text has escapes.
///
/// Reading spends much of its time on a `String` for each field; a pillow of many documents saves
/// that with a lifetime:
///
/// ```
/// use pillowtop_core::CowStr;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Visit<'a> {
///     #[serde(borrow)]
///     village: CowStr<'a>,
///     notes: Option<CowStr<'a>>,
/// }
///
/// let visit: Visit<'_> = serde_json::from_str(r#"{"village": "Kano", "notes": "a \"quiet\" day"}"#)?;
/// assert_eq!(visit.village, "Kano");
/// assert_eq!(visit.notes.as_deref(), Some("a \"quiet\" day"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// serde wants `#[serde(borrow)]` at one field of the struct at least. A `Cow<'a, str>` inside of
/// an `Option` or a `Vec` copies, and a `&'a str` cannot be read from a string with escapes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CowStr<'text>(Cow<'text, str>);

impl<'text> CowStr<'text> {
    /// A string that points into another one.
    pub const fn borrowed(text: &'text str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it points into another text.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }
}

impl Deref for CowStr<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for CowStr<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for CowStr<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'text> From<&'text str> for CowStr<'text> {
    fn from(text: &'text str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for CowStr<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'text> From<Cow<'text, str>> for CowStr<'text> {
    fn from(text: Cow<'text, str>) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for CowStr<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for CowStr<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for CowStr<'_> {
    fn eq(&self, other: &String) -> bool {
        *self.0 == **other
    }
}

impl fmt::Debug for CowStr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl fmt::Display for CowStr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for CowStr<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = CowStr<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As serde says it of a `String`.
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_string_with_escapes_is_copied() {
        let texts: Vec<Option<CowStr<'_>>> = serde_json::from_str(r#"["plain", null, "a\nb", "ü"]"#).unwrap();
        let borrowed: Vec<_> = texts.iter().map(|text| text.as_ref().map(CowStr::is_borrowed)).collect();
        assert_eq!(borrowed, [Some(true), None, Some(false), Some(true)]);
        assert_eq!(serde_json::to_string(&texts).unwrap(), r#"["plain",null,"a\nb","ü"]"#);
    }

    #[test]
    fn what_is_not_a_string_is_reported_as_one() {
        let message = |error: serde_json::Error| error.to_string();
        assert_eq!(
            serde_json::from_str::<CowStr<'_>>("3").map_err(message),
            serde_json::from_str::<String>("3").map(CowStr::from).map_err(message),
        );
    }
}
