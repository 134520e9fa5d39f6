//! Finding the members of a JSON object without parsing what is inside them.
//!
//! The document-type filter needs the id, the revision and the type of a document, and most of a
//! feed is of other types. So the text of a row is walked once, and nothing is copied. Only the
//! structure is checked; serde checks what is decoded later.

/// Why a string is not a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed JSON at byte {position}")]
pub struct ScanError {
    /// Where, from the start of the scanned string.
    pub position: usize,
}

/// The members of an object, in order: the name as it is written between its quotes, and the
/// value's JSON.
#[derive(Debug)]
pub struct Members<'text> {
    text: &'text str,
    position: usize,
    state: State,
    /// Whether anything may follow the object.
    is_prefix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Next,
    Done,
}

/// The members of the object that `text` is.
///
/// # Errors
///
/// When it does not start with a brace.
pub fn members(text: &str) -> Result<Members<'_>, ScanError> {
    Members::start(text, false)
}

impl<'text> Members<'text> {
    fn start(text: &'text str, is_prefix: bool) -> Result<Self, ScanError> {
        let position = skip_space(text.as_bytes(), 0);
        if text.as_bytes().get(position) != Some(&b'{') {
            return Err(ScanError { position });
        }
        Ok(Self { text, position: position + 1, state: State::First, is_prefix })
    }

    /// The next member's name; its value is then read by [`Members::value`] or [`Members::object`].
    ///
    /// # Errors
    ///
    /// When the JSON is malformed here.
    pub fn name(&mut self) -> Result<Option<&'text str>, ScanError> {
        let bytes = self.text.as_bytes();
        let mut position = skip_space(bytes, self.position);
        match (bytes.get(position), self.state) {
            (Some(b'}'), _) => {
                self.state = State::Done;
                self.position = position + 1;
                let rest = if self.is_prefix { bytes.len() } else { skip_space(bytes, position + 1) };
                return if rest == bytes.len() { Ok(None) } else { Err(ScanError { position: rest }) };
            }
            (Some(b','), State::Next) => position = skip_space(bytes, position + 1),
            (Some(b'"'), State::First) => {}
            _ => return Err(ScanError { position }),
        }
        let name_end = skip_string(bytes, position)?;
        let name = &self.text[position + 1..name_end - 1];
        position = skip_space(bytes, name_end);
        if bytes.get(position) != Some(&b':') {
            return Err(ScanError { position });
        }
        self.position = skip_space(bytes, position + 1);
        self.state = State::Next;
        Ok(Some(name))
    }

    /// The JSON of the value at this position.
    ///
    /// # Errors
    ///
    /// When the JSON is malformed here.
    pub fn value(&mut self) -> Result<&'text str, ScanError> {
        let start = self.position;
        self.position = skip_value(self.text.as_bytes(), start)?;
        Ok(&self.text[start..self.position])
    }

    /// The members of the object at this position, if it is one: read them all, then call
    /// [`Members::resume`].
    pub fn object(&self) -> Option<Members<'text>> {
        Members::start(&self.text[self.position..], true).ok()
    }

    /// Continues after an object whose members were read. Returns its JSON.
    pub fn resume(&mut self, object: &Members<'text>) -> &'text str {
        let start = self.position;
        self.position += object.position;
        &self.text[start..self.position]
    }

    fn step(&mut self) -> Result<Option<(&'text str, &'text str)>, ScanError> {
        match self.name()? {
            Some(name) => Ok(Some((name, self.value()?))),
            None => Ok(None),
        }
    }
}

impl<'text> Iterator for Members<'text> {
    type Item = Result<(&'text str, &'text str), ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let member = self.step();
        if member.is_err() {
            self.state = State::Done;
        }
        member.transpose()
    }
}

/// The JSON of one member's value; `None` when the object has no such member or is malformed before
/// it.
pub fn member<'text>(object: &'text str, name: &str) -> Option<&'text str> {
    members(object).ok()?.map_while(Result::ok).find_map(|(found, value)| (found == name).then_some(value))
}

fn skip_space(bytes: &[u8], mut position: usize) -> usize {
    while matches!(bytes.get(position), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        position += 1;
    }
    position
}

/// The position after the string that starts here.
fn skip_string(bytes: &[u8], start: usize) -> Result<usize, ScanError> {
    if bytes.get(start) != Some(&b'"') {
        return Err(ScanError { position: start });
    }
    let mut position = start + 1;
    // Eight bytes at a time: most strings are too short for a call of `memchr` and too long for one
    // byte at a time (measured).
    while let Some(eight) = bytes.get(position..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let found =
            zero_bytes(word ^ (ONES * u64::from(b'"'))) | zero_bytes(word ^ (ONES * u64::from(b'\\')));
        if found == 0 {
            position += 8;
            continue;
        }
        position += found.trailing_zeros() as usize / 8;
        if bytes[position] == b'"' {
            return Ok(position + 1);
        }
        position += 2;
    }
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'"' => return Ok(position + 1),
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    Err(ScanError { position: bytes.len() })
}

/// A one in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// The highest bit of the first byte that is zero; bytes after that one may have it too.
/// (Mycroft's test, as in "Bit Twiddling Hacks".)
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The position after the value that starts here.
fn skip_value(bytes: &[u8], start: usize) -> Result<usize, ScanError> {
    match bytes.get(start) {
        Some(b'"') => skip_string(bytes, start),
        Some(b'{') => skip_nested(bytes, start, b'{', b'}'),
        Some(b'[') => skip_nested(bytes, start, b'[', b']'),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let length = bytes[start..]
                .iter()
                .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E'))
                .count();
            Ok(start + length)
        }
        _ => Err(ScanError { position: start }),
    }
}

/// Skips an object or a list by counting its own kind of bracket outside strings: the other kind is
/// balanced whenever the string is JSON.
fn skip_nested(bytes: &[u8], start: usize, open: u8, close: u8) -> Result<usize, ScanError> {
    let mut depth = 0_usize;
    let mut position = start;
    while let Some(&byte) = bytes.get(position) {
        if byte == b'"' {
            position = skip_string(bytes, position)?;
            continue;
        }
        position += 1;
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Ok(position);
            }
        }
    }
    Err(ScanError { position: bytes.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1.0e30..1.0e30).prop_map(Value::from),
            r#"[\PC"\\{}\[\],:\n]{0,20}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(r#"[a-z"\\{]{0,6}"#, inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_are_those_that_serde_reads(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            if let Value::Object(expected) = &value {
                let mut found = Map::new();
                for member in members(&text).unwrap() {
                    let (name, value) = member.unwrap();
                    let name: String = serde_json::from_str(&format!("\"{name}\"")).unwrap();
                    found.insert(name, serde_json::from_str(value).unwrap());
                }
                prop_assert_eq!(&found, expected);
            } else {
                prop_assert!(members(&text).is_err());
            }
        }

        #[test]
        fn a_torn_text_is_an_error(value in any_json(), cut in 0.0..1.0_f64) {
            let text = serde_json::json!({"a": value}).to_string();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a short text")]
            let cut = (text.len() as f64 * cut) as usize;
            prop_assume!(text.is_char_boundary(cut));
            let torn = &text[..cut];
            prop_assert!(members(torn).map_or(true, |mut all| all.any(|member| member.is_err())));
        }
    }

    #[test]
    fn one_member_is_found() {
        let text = r#"{"a": {"doc_type": "x"}, "doc_type": "y"}"#;
        assert_eq!(member(text, "doc_type"), Some("\"y\""));
        assert_eq!(member(text, "b"), None);
        assert_eq!(member("[1]", "b"), None);
    }
}
