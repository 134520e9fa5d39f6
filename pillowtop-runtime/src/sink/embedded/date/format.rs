//! The `format` of a date field: a list of which the first that fits reads the text.

use super::fields::{Fields, Moment, Part};
use super::pattern::{Colon, Item, OffsetStyle, compile, read};

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
    if fraction.len() > most_digits {
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
    let strict_name = name.strip_prefix("strict_");
    match name {
        "epoch_millis" => Format::EpochMillis,
        "epoch_second" => Format::EpochSecond,
        "strict_date_optional_time" | "iso8601" => Format::Items(optional_time(true, false)),
        "strict_date_optional_time_nanos" => Format::Items(optional_time(true, true)),
        "date_optional_time" => Format::Items(optional_time(false, false)),
        _ => match named(strict_name.unwrap_or(name)) {
            // The basic formats have no separators, so their digits are counted even where they are not strict.
            Some(pattern) if strict_name.is_some() || name.starts_with("basic_") => relaxed(pattern, true),
            Some(pattern) => relaxed(pattern, false),
            None => compile(name),
        }
        .map_or(Format::Unknown, Format::Items),
    }
}

/// The pattern of a named format.
fn named(name: &str) -> Option<&'static str> {
    Some(match name {
        "basic_date" => "uuuuMMdd",
        "basic_date_time" => "uuuuMMdd'T'HHmmss.SSSX",
        "basic_date_time_no_millis" => "uuuuMMdd'T'HHmmssX",
        "date" | "year_month_day" => "uuuu-MM-dd",
        "year_month" => "uuuu-MM",
        "year" => "uuuu",
        "date_hour" => "uuuu-MM-dd'T'HH",
        "date_hour_minute" => "uuuu-MM-dd'T'HH:mm",
        "date_hour_minute_second" => "uuuu-MM-dd'T'HH:mm:ss",
        "date_hour_minute_second_millis" | "date_hour_minute_second_fraction" => "uuuu-MM-dd'T'HH:mm:ss.SSS",
        "date_time" => "uuuu-MM-dd'T'HH:mm:ss.SSSX",
        "date_time_no_millis" => "uuuu-MM-dd'T'HH:mm:ssX",
        "ordinal_date" => "uuuu-DDD",
        "hour_minute" => "HH:mm",
        "hour_minute_second" => "HH:mm:ss",
        _ => return None,
    })
}

/// The offset of named formats.
const OFFSET: Item = Item::Offset(OffsetStyle { zulu: true, colon: Colon::Either, hours_alone: true });

/// Named formats are laxer than their patterns: a fraction has any number of digits or is absent, offsets are of any style, and
/// where they are not strict, one digit is enough for each number.
fn relaxed(pattern: &str, strict: bool) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for item in compile(pattern)? {
        match item {
            Item::Fraction { .. } => {
                let point = items.pop()?;
                items.push(Item::Optional(vec![point, Item::Fraction { least: 1, most: 9 }]));
            }
            Item::Offset(_) => items.push(OFFSET),
            Item::Number { part, most, .. } if !strict => items.push(Item::Number { part, least: 1, most }),
            Item::Year { .. } if !strict => items.push(Item::Year { digits: 1, of_era: false }),
            item => items.push(item),
        }
    }
    Some(items)
}

/// `strict_date_optional_time`, a year with as much after it as there is. Not strict, one digit is enough for each number; with
/// `whole_time`, a time has seconds.
fn optional_time(strict: bool, whole_time: bool) -> Vec<Item> {
    let number = |part| Item::Number { part, least: if strict { 2 } else { 1 }, most: 2 };
    let fraction = |point| Item::Optional(vec![Item::Literal(point), Item::Fraction { least: 1, most: 9 }]);
    let seconds = vec![Item::Literal(':'), number(Part::Second), fraction('.'), fraction(',')];
    let minutes = [Item::Literal(':'), number(Part::Minute)];
    let offset = Item::Optional(vec![OFFSET]);
    let time = if whole_time {
        [number(Part::Hour)].into_iter().chain(minutes).chain(seconds).chain([offset]).collect()
    } else {
        let minutes = minutes.into_iter().chain([Item::Optional(seconds)]).collect();
        vec![Item::Optional(vec![number(Part::Hour), Item::Optional(minutes), offset])]
    };
    let time = [Item::Literal('T')].into_iter().chain(time).collect();
    let day = vec![Item::Literal('-'), number(Part::Day), Item::Optional(time)];
    let month = vec![Item::Literal('-'), number(Part::Month), Item::Optional(day)];
    vec![Item::Year { digits: if strict { 4 } else { 1 }, of_era: false }, Item::Optional(month)]
}
