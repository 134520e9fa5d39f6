//! The `format` of a date field: a list of which the first that fits reads the text.

use super::fields::{Fields, Moment, Part};
use super::pattern::{Item, OffsetStyle, compile, read};

/// What a `date` field has when its mapping says nothing.
pub(crate) const DEFAULT_DATE_FORMAT: &str = "strict_date_optional_time||epoch_millis";

const MILLI: i128 = 1_000_000;
const SECOND: i128 = 1_000_000_000;

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DateProblem {
    /// None of the formats reads it.
    NoFormatFits,
    /// One of the formats is not known here, so nothing can be said.
    UnknownFormat,
}

/// The formats of a field.
#[derive(Debug, Clone)]
pub(crate) struct DateFormats {
    formats: Vec<Format>,
    said: String,
}

#[derive(Debug, Clone)]
enum Format {
    Items(Vec<Item>),
    EpochMillis,
    EpochSecond,
    Unknown,
}

impl DateFormats {
    /// Formats joined by `||`.
    pub(crate) fn new(said: &str) -> Self {
        Self { formats: said.split("||").map(one_format).collect(), said: said.to_owned() }
    }

    /// As the mapping has it.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Reads a date.
    pub(crate) fn parse(&self, text: &str) -> Result<Moment, DateProblem> {
        let unknown = self.formats.iter().any(|format| matches!(format, Format::Unknown));
        let problem = if unknown { DateProblem::UnknownFormat } else { DateProblem::NoFormatFits };
        self.formats.iter().find_map(|format| format.parse(text)).ok_or(problem)
    }
}

impl Format {
    fn parse(&self, text: &str) -> Option<Moment> {
        match self {
            Self::Items(items) => {
                let mut fields = Fields::default();
                let rest = read(items, text, &mut fields)?;
                rest.is_empty().then(|| fields.moment())?
            }
            Self::EpochMillis => epoch(text, MILLI, 6),
            Self::EpochSecond => epoch(text, SECOND, 9),
            Self::Unknown => None,
        }
    }
}

/// A decimal number of units with as many digits after the point as make nanoseconds.
fn epoch(text: &str, unit: i128, most_digits: usize) -> Option<Moment> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if fraction.len() > most_digits || unsigned.ends_with('.') {
        return None;
    }
    let mut nanos = whole.parse::<i128>().ok()? * unit;
    if !fraction.is_empty() {
        let step = unit / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        nanos += fraction.parse::<i128>().ok()? * step;
    }
    let start = if negative { -nanos } else { nanos };
    Some(Moment { start, end: start + unit })
}

fn one_format(name: &str) -> Format {
    match name {
        "epoch_millis" => Format::EpochMillis,
        "epoch_second" => Format::EpochSecond,
        "strict_date_optional_time" | "strict_date_optional_time_nanos" | "iso8601" => {
            Format::Items(optional_time(true))
        }
        "date_optional_time" => Format::Items(optional_time(false)),
        _ => compile(named(name)).map_or(Format::Unknown, Format::Items),
    }
}

/// The pattern of a named format, or the name itself as a pattern.
fn named(name: &str) -> &str {
    match name.strip_prefix("strict_").unwrap_or(name) {
        "basic_date" => "yyyyMMdd",
        "basic_date_time" => "yyyyMMdd'T'HHmmss.SSSX",
        "basic_date_time_no_millis" => "yyyyMMdd'T'HHmmssX",
        "date" | "year_month_day" => "yyyy-MM-dd",
        "year_month" => "yyyy-MM",
        "year" => "yyyy",
        "date_hour" => "yyyy-MM-dd'T'HH",
        "date_hour_minute" => "yyyy-MM-dd'T'HH:mm",
        "date_hour_minute_second" => "yyyy-MM-dd'T'HH:mm:ss",
        "date_hour_minute_second_millis" | "date_hour_minute_second_fraction" => "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "date_time" => "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "date_time_no_millis" => "yyyy-MM-dd'T'HH:mm:ssXXX",
        "ordinal_date" => "yyyy-DDD",
        "hour_minute" => "HH:mm",
        "hour_minute_second" => "HH:mm:ss",
        _ => name,
    }
}

/// `strict_date_optional_time`, a year with as much after it as there is; not strict, one digit is enough for most numbers.
fn optional_time(strict: bool) -> Vec<Item> {
    let number = |part| Item::Number { part, least: if strict { 2 } else { 1 }, most: 2 };
    let optional = |items: Vec<Item>| Item::Optional(items);
    let offset = |colon| optional(vec![Item::Offset(OffsetStyle { zulu: true, colon, hours_alone: true })]);
    let fraction = |point| optional(vec![Item::Literal(point), Item::Fraction { least: 1, most: 9 }]);
    let seconds = optional(vec![Item::Literal(':'), number(Part::Second), fraction('.'), fraction(',')]);
    let minutes = optional(vec![Item::Literal(':'), number(Part::Minute), seconds]);
    let time = optional(vec![number(Part::Hour), minutes, offset(true), offset(false)]);
    let day = optional(vec![Item::Literal('-'), number(Part::Day), optional(vec![Item::Literal('T'), time])]);
    vec![Item::Year { digits: 4 }, optional(vec![Item::Literal('-'), number(Part::Month), day])]
}
