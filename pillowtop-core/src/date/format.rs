//! The `format` of a date field: a list of which the first that fits reads the text.

use super::fields::{Fields, Moment, Names, Part};
use super::pattern::{Colon, Item, OffsetStyle, compile, read};

/// What a `date` field has when its mapping names none.
pub const DEFAULT_DATE_FORMAT: &str = "strict_date_optional_time||epoch_millis";

/// What a `date_nanos` field has on Elasticsearch since 7.12 when its mapping names none; others
/// have that of `date`.
pub const DEFAULT_NANOS_FORMAT: &str = "strict_date_optional_time_nanos||epoch_millis";

const MILLI: i128 = 1_000_000;
const SECOND: i128 = 1_000_000_000;

/// Why a string is not a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateProblem {
    /// None of the formats reads it.
    NoFormatFits,
    /// One of the formats is not known here, so nothing is known.
    UnknownFormat,
}

/// The formats of a field.
#[derive(Debug, Clone)]
pub struct DateFormats {
    /// Each with its name or pattern.
    formats: Vec<(String, Format)>,
    declared: String,
}

/// How a string is read by one of the formats, where servers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As the format says.
    Plain,
    /// Not by this one.
    Refused,
    /// As the format says, and where it does not fit, nothing is known.
    Lenient,
    /// It is not known whether by this one.
    Unknown,
    /// Not by this one, and no other is tried.
    Fatal,
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
    pub fn new(declared: &str) -> Self {
        Self {
            formats: declared
                .split("||")
                .map(str::trim)
                .map(|name| (name.to_owned(), one_format(name)))
                .collect(),
            declared: declared.to_owned(),
        }
    }

    /// As the mapping has it.
    pub fn declared(&self) -> &str {
        &self.declared
    }

    /// Reads a date.
    pub fn parse(&self, text: &str) -> Result<Moment, DateProblem> {
        self.parse_by(text, Names::Either, |_| Reading::Plain)
    }

    /// Reads a date; `reading` is asked how each format, by its name, reads the text.
    pub fn parse_by(
        &self,
        text: &str,
        names: Names,
        reading: impl Fn(&str) -> Reading,
    ) -> Result<Moment, DateProblem> {
        let mut problem = DateProblem::NoFormatFits;
        for (name, format) in &self.formats {
            match (reading(name), format) {
                (Reading::Refused, _) => {}
                (Reading::Fatal, _) => return Err(DateProblem::NoFormatFits),
                (Reading::Unknown, _) | (_, Format::Unknown) => problem = DateProblem::UnknownFormat,
                (reading, format) => match format.parse(text, names) {
                    Parsed::Fits(moment) => return Ok(moment),
                    Parsed::Unknown => problem = DateProblem::UnknownFormat,
                    Parsed::FitsNot if reading == Reading::Lenient => problem = DateProblem::UnknownFormat,
                    Parsed::FitsNot => {}
                },
            }
        }
        Err(problem)
    }
}

/// What a format makes of a string.
enum Parsed {
    Fits(Moment),
    FitsNot,
    Unknown,
}

impl Format {
    fn parse(&self, text: &str, names: Names) -> Parsed {
        let moment = match self {
            Self::Items(items) => {
                let mut fields = Fields::new(names);
                let rest = read(items, text, &mut fields);
                if fields.is_unsure {
                    return Parsed::Unknown;
                }
                rest.filter(|rest| rest.is_empty()).and_then(|_| fields.moment())
            }
            Self::EpochMillis => epoch(text, MILLI, 6),
            Self::EpochSecond => epoch(text, SECOND, 9),
            Self::Unknown => return Parsed::Unknown,
        };
        moment.map_or(Parsed::FitsNot, Parsed::Fits)
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
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if fraction.len() > most_digits {
        return None;
    }
    let mut nanos = i128::from(whole.parse::<i64>().ok()?) * unit;
    if !fraction.is_empty() {
        let step = unit / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        nanos += fraction.parse::<i128>().ok()? * step;
    }
    let start = if negative { -nanos } else { nanos };
    Some(Moment { start, end: start + unit })
}

/// Whether servers have a format of this name.
pub(super) fn is_named(name: &str) -> bool {
    let others = [
        "epoch_millis",
        "epoch_second",
        "iso8601",
        "strict_date_optional_time",
        "strict_date_optional_time_nanos",
        "date_optional_time",
        "rfc3339_lenient",
        "week_year",
    ];
    others.contains(&name) || named(name.strip_prefix("strict_").unwrap_or(name)).is_some()
}

/// The name in snake case that a name in camel case stands for.
pub(super) fn snake_case(name: &str) -> Option<String> {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    (snake != name && is_named(&snake)).then_some(snake)
}

fn one_format(declared: &str) -> Format {
    let snake = snake_case(declared);
    let name = snake.as_deref().unwrap_or(declared);
    let strict_name = name.strip_prefix("strict_");
    match name {
        "epoch_millis" => Format::EpochMillis,
        "epoch_second" => Format::EpochSecond,
        "strict_date_optional_time" | "iso8601" => Format::Items(optional_time(true, false)),
        "strict_date_optional_time_nanos" => Format::Items(optional_time(true, true)),
        "date" => Format::Items(partial_date(false)),
        "strict_year_month_day" => Format::Items(partial_date(true)),
        "rfc3339_lenient" => Format::Items(rfc3339()),
        "date_optional_time" => Format::Items(optional_time(false, false)),
        _ => match named(strict_name.unwrap_or(name)) {
            // The basic formats have no separators, so their digits are counted even where they are not
            // strict.
            Some(pattern) if strict_name.is_some() || name.starts_with("basic_") => {
                relaxed(name, pattern, true)
            }
            Some(pattern) => relaxed(name, pattern, false),
            // An 8 before a pattern said once that it is one of Java's.
            None => compile(name.strip_prefix('8').unwrap_or(name)),
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
        "week_date" | "weekyear_week_day" => "YYYY-'W'ww-e",
        "week_date_time" => "YYYY-'W'ww-e'T'HH:mm:ss.SSSX",
        "week_date_time_no_millis" => "YYYY-'W'ww-e'T'HH:mm:ssX",
        "basic_week_date" => "YYYY'W'wwe",
        "basic_week_date_time" => "YYYY'W'wwe'T'HHmmss.SSSX",
        "basic_week_date_time_no_millis" => "YYYY'W'wwe'T'HHmmssX",
        "weekyear" => "YYYY",
        "weekyear_week" => "YYYY-'W'ww",
        "ordinal_date" => "uuuu-DDD",
        "ordinal_date_time" => "uuuu-DDD'T'HH:mm:ss.SSSX",
        "ordinal_date_time_no_millis" => "uuuu-DDD'T'HH:mm:ssX",
        "basic_ordinal_date" => "uuuuDDD",
        "basic_ordinal_date_time" => "uuuuDDD'T'HHmmss.SSSX",
        "basic_ordinal_date_time_no_millis" => "uuuuDDD'T'HHmmssX",
        "time" => "HH:mm:ss.SSSX",
        "time_no_millis" => "HH:mm:ssX",
        "t_time" => "'T'HH:mm:ss.SSSX",
        "t_time_no_millis" => "'T'HH:mm:ssX",
        "basic_time" => "HHmmss.SSSX",
        "basic_time_no_millis" => "HHmmssX",
        "basic_t_time" => "'T'HHmmss.SSSX",
        "basic_t_time_no_millis" => "'T'HHmmssX",
        "hour" => "HH",
        "hour_minute" => "HH:mm",
        "hour_minute_second" => "HH:mm:ss",
        "hour_minute_second_millis" | "hour_minute_second_fraction" => "HH:mm:ss.SSS",
        _ => return None,
    })
}

/// The offset of named formats.
const OFFSET: Item =
    Item::Offset(OffsetStyle { zulu: true, colon: Colon::Either, hours_alone: true, seconds: false });

/// Named formats are laxer than their patterns: a fraction has any number of digits, and
/// `strict_date_time` does without one; offsets are of any style; and where they are not strict,
/// one digit is enough for each number.
fn relaxed(name: &str, pattern: &str, strict: bool) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    // Only this one does without seconds, and without an offset.
    let pattern = if name == "date_time_no_millis" { "uuuu-MM-dd'T'HH:mm[:ss][X]" } else { pattern };
    for item in compile(pattern)? {
        match item {
            Item::Fraction { .. } => {
                let most = if !strict && name.ends_with("_second_millis") { 3 } else { 9 };
                let fraction = Item::Fraction { least: 1, most };
                if name == "strict_date_time" {
                    let point = items.pop()?;
                    items.push(Item::Optional(vec![point, fraction]));
                } else {
                    items.push(fraction);
                }
            }
            item => items.push(relaxed_item(name, item, strict)),
        }
    }
    Some(items)
}

fn relaxed_item(name: &str, item: Item, strict: bool) -> Item {
    match item {
        Item::Offset(_) => OFFSET,
        Item::Optional(items) => {
            Item::Optional(items.into_iter().map(|item| relaxed_item(name, item, strict)).collect())
        }
        Item::Number { part, most, .. } if !strict => Item::Number { part, least: 1, most },
        // Years of weeks have four digits even where they are not strict.
        Item::Year { part: Part::WeekYear, .. } if name.starts_with("week_") => item,
        Item::Year { part, .. } if !strict => Item::Year { part, digits: 1, of_era: false },
        item => item,
    }
}

/// A year, a month, a day, or a time with its offset.
fn rfc3339() -> Vec<Item> {
    let number = |part, count| Item::Number { part, least: count, most: count };
    let style = OffsetStyle { zulu: true, colon: Colon::Always, hours_alone: false, seconds: false };
    let fraction = Item::Optional(vec![Item::Literal('.'), Item::Fraction { least: 1, most: 9 }]);
    let seconds = vec![Item::Literal(':'), number(Part::Second, 2), fraction];
    let time = vec![
        Item::Literal('T'),
        number(Part::Hour, 2),
        Item::Literal(':'),
        number(Part::Minute, 2),
        Item::Optional(seconds),
        Item::Offset(style),
    ];
    let day = vec![Item::Literal('-'), number(Part::Day, 2), Item::Optional(time)];
    let month = vec![Item::Literal('-'), number(Part::Month, 2), Item::Optional(day)];
    vec![number(Part::Year, 4), Item::Optional(month)]
}

/// `strict_date_optional_time`, a year with as much after it as there is. Not strict, one digit is
/// enough for each number; with `whole_time`, a time has seconds.
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
    let mut items = partial_date(strict);
    items.push(Item::Optional(time));
    items
}

/// A year with a month and a day after it, or as much of them as there is.
fn partial_date(strict: bool) -> Vec<Item> {
    let number = |part| Item::Number { part, least: if strict { 2 } else { 1 }, most: 2 };
    let day = vec![Item::Literal('-'), number(Part::Day)];
    let month = vec![Item::Literal('-'), number(Part::Month), Item::Optional(day)];
    vec![
        Item::Year { part: Part::Year, digits: if strict { 4 } else { 1 }, of_era: false },
        Item::Optional(month),
    ]
}
