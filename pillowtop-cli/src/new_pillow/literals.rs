//! Attributes and literals as Rust text, on one line where they fit.

use serde_json::{Map, Value};

use crate::new_pillow::model::{EsItem, EsValue};

/// Lines are broken at rustfmt's default width.
const WIDTH: usize = 100;

/// Text with places where lines may be broken.
pub(super) enum Piece {
    Text(String),
    /// `open`, pieces between commas, `close`.
    List(String, Vec<Piece>, &'static str),
}

impl Piece {
    fn one_line(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(open, pieces, close) => {
                let pieces: Vec<String> = pieces.iter().map(Self::one_line).collect();
                format!("{open}{}{close}", pieces.join(", "))
            }
        }
    }

    /// The text where a line is indented by some spaces; `after` is the width of what follows on
    /// the last line.
    pub(super) fn text(&self, indent: usize, after: usize) -> String {
        let short = self.one_line();
        let Self::List(open, pieces, close) = self else { return short };
        let width = short.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        if indent + width + after <= WIDTH || pieces.is_empty() {
            return short;
        }
        let inner = indent + 4;
        let spaces = " ".repeat(inner);
        let lines: Vec<String> =
            pieces.iter().map(|piece| format!("{spaces}{},\n", piece.text(inner, 1))).collect();
        format!("{open}\n{}{}{close}", lines.concat(), " ".repeat(indent))
    }
}

/// An attribute line.
pub(super) fn attribute(name: &str, pieces: Vec<Piece>, indent: usize) -> String {
    let list = Piece::List(format!("#[{name}("), pieces, ")]");
    format!("{}{}\n", " ".repeat(indent), list.text(indent, 0))
}

/// The items of `#[es(...)]`.
pub(super) fn items(items: &[EsItem]) -> Vec<Piece> {
    items.iter().map(item).collect()
}

fn item(item: &EsItem) -> Piece {
    let name = name(&item.name);
    match &item.value {
        EsValue::Flag => Piece::Text(name),
        EsValue::Json(value) => member(&item.name, value),
        EsValue::Mappings(mappings) => {
            let inner = mappings
                .iter()
                .map(|(inner, of)| Piece::List(format!("{}(", self::name(inner)), items(of), ")"));
            Piece::List(format!("{name}("), inner.collect(), ")")
        }
    }
}

/// `name = value`, or `name(…)` for an object.
fn member(text: &str, value: &Value) -> Piece {
    let name = name(text);
    let needs_json = match value {
        Value::Object(members) => {
            is_ambiguous(members) || members.values().any(|inner| !inner.is_object() && has_null(inner))
        }
        other => has_null(other),
    };
    if needs_json {
        return Piece::Text(format!("{name}(json = {})", string(&value.to_string())));
    }
    match value {
        Value::Object(members) => Piece::List(format!("{name}("), self::members(members), ")"),
        Value::Array(list) => Piece::List(format!("{name} = ["), list.iter().map(element).collect(), "]"),
        // The words of `dynamic` are written as names.
        Value::String(word) if text == "dynamic" && is_identifier(word) => {
            Piece::Text(format!("{name} = {word}"))
        }
        _ => Piece::Text(format!("{name} = {}", scalar(value))),
    }
}

/// The members of an object: as people write a mapping, the type first and what is inside last.
fn members(members: &Map<String, Value>) -> Vec<Piece> {
    let mut ordered: Vec<(&String, &Value)> = members.iter().collect();
    ordered.sort_by_key(|(name, _)| match name.as_str() {
        "type" => 0,
        "mapping" | "runtime" | "fields" | "properties" => 2,
        _ => 1,
    });
    ordered.into_iter().map(|(name, value)| member(name, value)).collect()
}

fn element(value: &Value) -> Piece {
    match value {
        Value::Array(list) => Piece::List("[".to_owned(), list.iter().map(element).collect(), "]"),
        Value::Object(object) => match object.iter().next() {
            Some((name, Value::Object(inner)))
                if object.len() == 1 && is_identifier(name) && !is_ambiguous(inner) =>
            {
                Piece::List(format!("{name}("), members(inner), ")")
            }
            Some((name, Value::Object(inner))) if object.len() == 1 && !is_ambiguous(inner) => {
                Piece::List(format!("({}(", string(name)), members(inner), "))")
            }
            _ => Piece::List("(".to_owned(), members(object), ")"),
        },
        _ => Piece::Text(scalar(value)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        _ => value.to_string(),
    }
}

/// `(json = "…")` means the JSON in the text.
fn is_ambiguous(members: &Map<String, Value>) -> bool {
    members.len() == 1 && members.get("json").is_some_and(Value::is_string)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn name(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { string(name) }
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' && text.len() > 1)
        && characters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A string with lines of its own is a script from here on, and no name.
const SCRIPT_LENGTH: usize = 40;

/// A string literal, raw where that is easier to read.
pub(super) fn string(text: &str) -> String {
    let plain = format!("{text:?}");
    let has_lines = text.len() > SCRIPT_LENGTH;
    let is_rawable = text.chars().all(|letter| has_lines && letter == '\n' || !letter.is_control())
        && text.lines().all(|line| line.trim_end() == line)
        && plain.len() > text.len() + 2
        && !plain.contains("\\u");
    if !is_rawable {
        return plain;
    }
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_the_reader_takes_them() {
        for (name, value, expected) in [
            ("dynamic", json!("strict"), "dynamic = strict"),
            ("null_value", json!(-1.5), "null_value = -1.5"),
            ("en.us", json!("a\"b"), "\"en.us\" = r#\"a\"b\"#"),
            ("meta", json!({"a": null}), "meta(json = r#\"{\"a\":null}\"#)"),
            ("method", json!({"name": "hnsw", "parameters": {}}), "method(name = \"hnsw\", parameters())"),
            (
                "templates",
                json!([{"x": {"match": "*"}}, {"a.b": {}}]),
                "templates = [x(match = \"*\"), (\"a.b\"())]",
            ),
        ] {
            assert_eq!(member(name, &value).one_line(), expected);
        }
        assert_eq!(string("a\tb"), "\"a\\tb\"");
        assert_eq!(string("a\nb"), "\"a\\nb\"");
    }
}
