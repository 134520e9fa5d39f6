//! Free JSON that goes along as the text that it is, and is parsed as far as a transform looks into
//! it.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::cow_str::CowStr;

/// Any JSON. Until somebody looks into it, it is the text that it is in the document: checked, not
/// parsed, and written as it was.
///
/// It costs a fraction of a `serde_json::Value`, and keeps the order of members and the digits of
/// numbers. A transform opens what it wants to see or change, level by level:
///
/// ```
/// use pillowtop_core::RawJson;
///
/// let text = r#"{"@name": "Visit", "weight": 3.50, "case": {"@case_id": "a", "create": ""}}"#;
/// let mut form: RawJson<'_> = serde_json::from_str(text)?;
/// let members = form.as_object().expect("a form is an object");
/// let name = members.remove("@name").and_then(|name| name.as_text());
/// assert_eq!(name.as_deref(), Some("Visit"));
/// let case = members.get("case").and_then(RawJson::as_object).expect("this one has a case");
/// *case.get("create").expect("which is new") = RawJson::NULL;
/// assert_eq!(serde_json::to_string(&form)?, r#"{"weight":3.50,"case":{"@case_id":"a","create":null}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// What lies deeper than 128 levels cannot be opened and stays text: whoever walks down a document
/// needs stack for each level.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct RawJson<'text> {
    state: State<'text>,
    /// How many opened values it lies in.
    #[serde(skip)]
    depth: u8,
}

/// As deep as `serde_json` reads.
const MAX_DEPTH: u8 = 128;

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum State<'text> {
    Text(&'text RawValue),
    /// A string that somebody put there.
    String(CowStr<'text>),
    Array(Vec<RawJson<'text>>),
    Object(RawObject<'text>),
}

/// The members of a JSON object, in their order.
///
/// Looking for a member walks the list. A name that stands twice is kept twice, which a server
/// refuses: CouchDB's documents have none.
#[derive(Debug, Clone, Default)]
pub struct RawObject<'text>(Vec<(CowStr<'text>, RawJson<'text>)>);

impl<'text> RawJson<'text> {
    /// `null`.
    pub const NULL: Self = Self::new(State::Text(RawValue::NULL));

    const fn new(state: State<'text>) -> Self {
        Self { state, depth: 0 }
    }

    /// The JSON text that it is, if it was neither opened nor put there.
    pub fn text(&self) -> Option<&'text str> {
        match self.state {
            State::Text(text) => Some(text.get()),
            State::String(_) | State::Array(_) | State::Object(_) => None,
        }
    }

    /// What a JSON string says; `None` when it is something else.
    pub fn as_text(&self) -> Option<CowStr<'text>> {
        match &self.state {
            State::String(text) => Some(text.clone()),
            _ => self.read('"'),
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.text().map_or(matches!(self.state, State::Object(_)), |text| text.starts_with('{'))
    }

    /// The members of an object, which is opened by it; `None` when it is something else.
    pub fn as_object(&mut self) -> Option<&mut RawObject<'text>> {
        if let Some(object) = self.read_object() {
            self.state = State::Object(object);
        }
        match &mut self.state {
            State::Object(object) => Some(object),
            State::Text(_) | State::String(_) | State::Array(_) => None,
        }
    }

    /// The members of an object; `None` when it is something else.
    pub fn into_object(self) -> Option<RawObject<'text>> {
        match self.state {
            State::Object(object) => Some(object),
            _ => self.read_object(),
        }
    }

    /// The elements of an array, which is opened by it; `None` when it is something else.
    pub fn as_array(&mut self) -> Option<&mut Vec<RawJson<'text>>> {
        if let Some(mut array) = self.read::<Vec<RawJson<'text>>>('[') {
            array.iter_mut().for_each(|element| element.depth = self.depth + 1);
            self.state = State::Array(array);
        }
        match &mut self.state {
            State::Array(array) => Some(array),
            State::Text(_) | State::String(_) | State::Object(_) => None,
        }
    }

    fn read_object(&self) -> Option<RawObject<'text>> {
        let mut object: RawObject<'text> = self.read('{')?;
        object.iter_mut().for_each(|(_, value)| value.depth = self.depth + 1);
        Some(object)
    }

    /// Its text read as a type whose JSON begins with a letter.
    fn read<T: Deserialize<'text>>(&self, first: char) -> Option<T> {
        if self.depth >= MAX_DEPTH && first != '"' {
            return None;
        }
        self.text().filter(|text| text.starts_with(first)).and_then(|text| serde_json::from_str(text).ok())
    }
}

impl<'text> From<&'text RawValue> for RawJson<'text> {
    fn from(text: &'text RawValue) -> Self {
        Self::new(State::Text(text))
    }
}

impl<'text> From<CowStr<'text>> for RawJson<'text> {
    fn from(text: CowStr<'text>) -> Self {
        Self::new(State::String(text))
    }
}

impl<'text> From<RawObject<'text>> for RawJson<'text> {
    fn from(object: RawObject<'text>) -> Self {
        Self::new(State::Object(object))
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for RawJson<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl<'text> RawObject<'text> {
    /// No members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a member.
    pub fn get(&mut self, name: &str) -> Option<&mut RawJson<'text>> {
        self.iter_mut().find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<RawJson<'text>> {
        let position = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.remove(position).1)
    }

    /// Adds a member at the end. One of that name must not be there.
    pub fn push(&mut self, name: impl Into<CowStr<'text>>, value: impl Into<RawJson<'text>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &RawJson<'text>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The members, whose values may be opened and replaced.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut RawJson<'text>)> {
        self.0.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// Keeps the members for which the condition holds; it may open and replace their values.
    pub fn retain(&mut self, mut keeps: impl FnMut(&str, &mut RawJson<'text>) -> bool) {
        self.0.retain_mut(|(name, value)| keeps(name, value));
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            members.serialize_entry(name, value)?;
        }
        members.end()
    }
}

impl<'de: 'text, 'text> Deserialize<'de> for RawObject<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = RawObject<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = RawObject::new();
        while let Some((name, value)) = members.next_entry::<CowStr<'de>, &'de RawValue>()? {
            object.push(name, value);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            r#"[\PC"\\{}\[\]]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(r#"[a-z"\\{]{0,6}"#, inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn open_all(json: &mut RawJson<'_>) {
        if let Some(object) = json.as_object() {
            object.iter_mut().for_each(|(_, value)| open_all(value));
        } else if let Some(array) = json.as_array() {
            array.iter_mut().for_each(open_all);
        }
    }

    proptest! {
        #[test]
        fn what_is_opened_is_written_as_what_was_read(value in any_json()) {
            let text = value.to_string();
            let mut json: RawJson<'_> = serde_json::from_str(&text).unwrap();
            let string = json.as_text();
            prop_assert_eq!(string.as_deref(), value.as_str());
            prop_assert_eq!(json.is_object(), value.is_object());
            prop_assert_eq!(serde_json::to_string(&json).unwrap(), text.clone());
            open_all(&mut json);
            prop_assert_eq!(json.text().is_none(), value.is_object() || value.is_array());
            prop_assert_eq!(json.is_object(), value.is_object());
            prop_assert_eq!(serde_json::to_string(&json).unwrap(), text);
        }
    }

    #[test]
    fn members_stay_the_strings_that_they_are() {
        let text = r#"{"b":1.50,"a\u0041":[ 1 ],"c":12345678901234567890123}"#;
        let mut object: RawObject<'_> = serde_json::from_str(text).unwrap();
        object.retain(|name, _| name != "aA");
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"b":1.50,"c":12345678901234567890123}"#);
        assert_eq!(object.remove("b").and_then(|number| number.text()), Some("1.50"));
        assert_eq!((object.len(), object.remove("b").is_some()), (1, false));
    }

    #[test]
    fn a_document_without_bottom_stays_text_down_there() {
        let text = "[".repeat(100_000) + &"]".repeat(100_000);
        let mut json: RawJson<'_> = serde_json::from_str(&text).unwrap();
        open_all(&mut json);
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert!(serde_json::from_str::<RawObject<'_>>("[]").is_err());
        assert!(serde_json::from_str::<RawObject<'_>>(r#"{"a": tru}"#).is_err());
    }
}
