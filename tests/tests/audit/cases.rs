//! The table of cases: mappings of a field, and values for it as JSON text.

use serde_json::value::RawValue;
use serde_json::{Value, json};

/// One line of the files in `cases`.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) mapping: Value,
    /// As text, since `1e3` and `1000` are not the same to a server.
    pub(crate) values: Vec<String>,
}

const FILES: [&str; 8] = [
    include_str!("cases/dates.jsonl"),
    include_str!("cases/formats.jsonl"),
    include_str!("cases/geo.jsonl"),
    include_str!("cases/numbers.jsonl"),
    include_str!("cases/others.jsonl"),
    include_str!("cases/ranges.jsonl"),
    include_str!("cases/shapes.jsonl"),
    include_str!("cases/strings.jsonl"),
];

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    FILES.into_iter().flat_map(read).chain(named_formats()).collect()
}

/// Each format that has a name, with the same values.
fn named_formats() -> Vec<Case> {
    let stated: Value = serde_json::from_str(include_str!("cases/named_formats.json")).unwrap();
    let values: Vec<String> = stated["values"].as_array().unwrap().iter().map(Value::to_string).collect();
    let formats = stated["formats"].as_array().unwrap().iter();
    formats
        .map(|format| Case { mapping: json!({"type": "date", "format": format}), values: values.clone() })
        .collect()
}

/// Cases of a file whose mappings are bodies of indices, and whose values are documents, one after
/// the other.
pub(crate) fn indices() -> Vec<Case> {
    read(include_str!("cases/dynamic.jsonl")).collect()
}

fn read(file: &'static str) -> impl Iterator<Item = Case> {
    file.lines().filter(|line| !line.is_empty()).map(case)
}

fn case(line: &str) -> Case {
    let (mapping, values) = line.split_once(",\"values\":").unwrap();
    let mapping = serde_json::from_str(mapping.strip_prefix("{\"mapping\":").unwrap()).unwrap();
    let list = values.strip_suffix('}').unwrap();
    let values: Vec<&RawValue> = serde_json::from_str(list).unwrap();
    Case { mapping, values: values.into_iter().map(|value| repeated(value.get())).collect() }
}

/// `{"$repeat": "x", "times": 3}` is `"xxx"`, also below other members, and `{"$key": …}` is an
/// object with such a key.
fn repeated(text: &str) -> String {
    let Some(start) = text.find("{\"$") else { return text.to_owned() };
    if let Some(inner) = text[start..].strip_prefix("{\"$key\":") {
        let end = inner.find('}').unwrap() + 1;
        return format!("{}{{{}:1}}{}", &text[..start], repeated(&inner[..end]), &inner[end + 1..]);
    }
    let end = start + text[start..].find('}').unwrap() + 1;
    let stated: Value = serde_json::from_str(&text[start..end]).unwrap();
    let times = usize::try_from(stated["times"].as_u64().unwrap()).unwrap();
    let long = Value::from(stated["$repeat"].as_str().unwrap().repeat(times));
    repeated(&format!("{}{long}{}", &text[..start], &text[end..]))
}
