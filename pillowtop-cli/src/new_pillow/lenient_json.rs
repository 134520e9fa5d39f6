//! JSON as consoles and servers also take it: with comments, and with strings between three quotes.

use serde_json::Value;

/// Reads a value; what is strict JSON is read as that.
pub(crate) fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| serde_json::from_str(&strict(text)).map_err(|_| error))
}

/// The text without comments, its strings between three quotes as JSON strings. What is of no use
/// stays as it is.
fn strict(text: &str) -> String {
    let mut strict = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(path) = rest.find(['"', '/', '#']) {
        strict.push_str(&rest[..path]);
        rest = &rest[path..];
        let taken = if let Some((inner, all)) = between(rest, "\"\"\"", "\"\"\"") {
            strict.push_str(&Value::from(inner).to_string());
            all
        } else if let Some((_, all)) = between(rest, "/*", "*/") {
            all
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            let taken = if rest.starts_with('"') { string_length(rest) } else { 1 };
            strict.push_str(&rest[..taken]);
            taken
        };
        rest = &rest[taken..];
    }
    strict + rest
}

/// What stands between two marks at the beginning of a string, and the length with both.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, usize)> {
    let inner = text.strip_prefix(open)?;
    let length = inner.find(close)?;
    Some((&inner[..length], open.len() + length + close.len()))
}

/// The length of the string literal that a text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_and_long_strings_are_read() {
        let text = "{ /* all\n of it */ \"a\": \"http://x\\\" # no\", // the rest\n # more\n \"b\": \"\"\"emit(\"x\")\n\"\"\"}";
        assert_eq!(read(text).unwrap(), json!({"a": "http://x\" # no", "b": "emit(\"x\")\n"}));
        assert_eq!(read("{\"a\": \"\"}").unwrap(), json!({"a": ""}));
        for text in ["{", "{\"a", "/*", "\"\"\"", "{\"a\": 1,, /* */}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
