//! What strings are: dates by format, prose, or exact text.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use pillowtop_core::date::DateFormats;
use serde_json::{Value, json};

use super::model::{EsItem, EsValue, RustType};

/// Formats that are tried where serde's own do not fit, the commonest first.
const FORMATS: [&str; 7] = [
    "strict_date_optional_time",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "yyyy/MM/dd",
    "yyyy/MM/dd HH:mm:ss",
    "dd/MM/yyyy",
    "dd.MM.yyyy",
];
/// Strings of so many words, or so many characters, are prose.
const PROSE_WORDS: usize = 8;
const PROSE_LENGTH: usize = 256;

/// The type and attribute items of a place that holds strings alone.
pub(super) fn field(texts: &[String]) -> (RustType, Vec<EsItem>) {
    if let Some(found) = date(texts) {
        return found;
    }
    let is_prose = |text: &String| {
        text.split_whitespace().nth(PROSE_WORDS - 1).is_some()
            || text.contains(char::is_whitespace) && text.chars().nth(PROSE_LENGTH).is_some()
    };
    if texts.iter().any(is_prose) {
        let exact = vec![EsItem::flag("keyword"), EsItem::json("ignore_above", json!(PROSE_LENGTH))];
        let fields =
            EsItem { name: "fields".to_owned(), value: EsValue::Mappings(vec![("exact".to_owned(), exact)]) };
        return (RustType::Text, vec![EsItem::flag("text"), fields]);
    }
    (RustType::Text, Vec::new())
}

/// Whether a string is a date of a known format.
pub(super) fn is_date(text: &str) -> bool {
    static KNOWN: LazyLock<DateFormats> = LazyLock::new(|| {
        DateFormats::new(&format!("{}||strict_date_optional_time_nanos", FORMATS.join("||")))
    });
    looks_like_date(text) && KNOWN.parse(text).is_ok()
}

/// A year or a month alone is as likely a number or a code.
fn looks_like_date(text: &str) -> bool {
    text.chars().filter(|letter| ['-', '/', '.', ':'].contains(letter)).count() >= 2
        && text.len() >= 8
        && text.starts_with(|first: char| first.is_ascii_digit())
}

fn date(texts: &[String]) -> Option<(RustType, Vec<EsItem>)> {
    let filled: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    if filled.is_empty() || !filled.iter().all(|text| looks_like_date(text)) {
        return None;
    }
    let all_are = |format: &str| {
        let formats = DateFormats::new(format);
        filled.iter().all(|text| formats.parse(text).is_ok())
    };
    let is_whole = filled.len() == texts.len();
    // Only what serde writes back as it was: chrono moves offsets to UTC and drops zeros.
    let instant = |text: &&str| {
        DateTime::<Utc>::from_str(text)
            .is_ok_and(|read| read.to_rfc3339_opts(SecondsFormat::AutoSi, true) == **text)
    };
    if is_whole && filled.iter().all(instant) && all_are("strict_date_optional_time_nanos") {
        return Some((RustType::Instant, Vec::new()));
    }
    let is_same = |text: &&str, read: &dyn Display| read.to_string() == **text;
    let day = |text: &&str| NaiveDate::from_str(text).is_ok_and(|read| is_same(text, &read));
    if is_whole && filled.iter().all(day) && all_are("strict_date") {
        return Some((RustType::Date, Vec::new()));
    }
    let mut needed: Vec<&str> = Vec::new();
    let mut rest = filled.clone();
    for format in FORMATS {
        let formats = DateFormats::new(format);
        let before = rest.len();
        rest.retain(|text| formats.parse(text).is_err());
        if rest.len() < before {
            needed.push(format);
        }
    }
    let format = needed.join("||");
    if !rest.is_empty() || !all_are(&format) {
        return None;
    }
    let mut items = vec![EsItem::flag("date"), EsItem::json("format", Value::from(format))];
    if !is_whole {
        items.push(EsItem::json("ignore_malformed", json!(true)));
    }
    Some((RustType::Text, items))
}
