//! Patterns of dates: Java's letters compiled to items, and the reading of a text by items. Reading is strict, as
//! Elasticsearch's is: a number has the digits that its letters say, and a date must be in the calendar.

use super::fields::{Fields, Part};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A number of so many digits.
    Number { part: Part, least: usize, most: usize },
    /// A year of so many digits; with a sign it may have more. A year of an era, which `y` is, has no minus and is not 0.
    Year { digits: usize, of_era: bool },
    /// The last two digits of a year from 2000 to 2099.
    ShortYear,
    /// A fraction of the second, without its point.
    Fraction { least: usize, most: usize },
    /// This character.
    Literal(char),
    /// Read if it can be.
    Optional(Vec<Item>),
    /// The offset from Greenwich.
    Offset(OffsetStyle),
    /// `Jan`.
    MonthName,
    /// `Mon`; not compared with the date.
    DayName,
    /// `AM` or `PM`.
    Half,
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// `Z` stands for no offset.
    pub zulu: bool,
    /// Whether a colon is between hours and minutes.
    pub colon: Colon,
    /// Hours may stand alone.
    pub hours_alone: bool,
}

/// Whether a colon is between hours and minutes of an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colon {
    Always,
    Never,
    /// And `UTC` and `GMT` stand for no offset too.
    Either,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// As many digits as are there.
const MANY: usize = 18;

/// Compiles a Java pattern; `None` for one with letters that are not known here.
pub(super) fn compile(pattern: &str) -> Option<Vec<Item>> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut open = vec![Vec::new()];
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let count = letters[at..].iter().take_while(|other| **other == letter).count();
        let mut next = at + 1;
        let item = match letter {
            '\'' => {
                next = quoted(&letters, at, open.last_mut()?)?;
                None
            }
            '[' => {
                open.push(Vec::new());
                None
            }
            ']' if open.len() > 1 => Some(Item::Optional(open.pop()?)),
            letter if letter.is_ascii_alphabetic() => {
                next = at + count;
                Some(letter_item(letter, count)?)
            }
            '{' | '}' | '#' | ']' => return None,
            letter => Some(Item::Literal(letter)),
        };
        open.last_mut()?.extend(item);
        at = next;
    }
    // An optional part that is not closed ends with the pattern.
    while open.len() > 1 {
        let inner = open.pop()?;
        open.last_mut()?.push(Item::Optional(inner));
    }
    open.pop()
}

/// Reads a quoted literal into `items` and gives the position after it.
fn quoted(letters: &[char], start: usize, items: &mut Vec<Item>) -> Option<usize> {
    if letters.get(start + 1) == Some(&'\'') {
        items.push(Item::Literal('\''));
        return Some(start + 2);
    }
    let mut at = start + 1;
    loop {
        match letters.get(at)? {
            '\'' if letters.get(at + 1) == Some(&'\'') => {
                items.push(Item::Literal('\''));
                at += 2;
            }
            '\'' => return Some(at + 1),
            letter => {
                items.push(Item::Literal(*letter));
                at += 1;
            }
        }
    }
}

fn letter_item(letter: char, count: usize) -> Option<Item> {
    let number = |part| match count {
        1 => Some(Item::Number { part, least: 1, most: MANY }),
        2 => Some(Item::Number { part, least: 2, most: 2 }),
        _ => None,
    };
    let offset = |zulu, colon, hours_alone| Some(Item::Offset(OffsetStyle { zulu, colon, hours_alone }));
    match (letter, count) {
        ('y' | 'u', 2) => Some(Item::ShortYear),
        ('y' | 'u', _) => Some(Item::Year { digits: count, of_era: letter == 'y' }),
        // Full names depend on the locale data of the server's Java.
        ('M' | 'L', 3) => Some(Item::MonthName),
        ('M' | 'L', _) => number(Part::Month),
        ('d', _) => number(Part::Day),
        ('D', 3) => Some(Item::Number { part: Part::DayOfYear, least: 3, most: 3 }),
        ('E', 1..=3) => Some(Item::DayName),
        ('H', _) => number(Part::Hour),
        ('h', _) => number(Part::HourOfHalf),
        ('a', 1) => Some(Item::Half),
        ('m', _) => number(Part::Minute),
        ('s', _) => number(Part::Second),
        ('S', 1..=9) => Some(Item::Fraction { least: count, most: count }),
        ('X', 1) => offset(true, Colon::Never, true),
        ('X', 2) => offset(true, Colon::Never, false),
        ('X', 3) | ('Z', 5) => offset(true, Colon::Always, false),
        ('x', 1) => offset(false, Colon::Never, true),
        ('x', 2) | ('Z', 1..=3) => offset(false, Colon::Never, false),
        ('x', 3) => offset(false, Colon::Always, false),
        _ => None,
    }
}

/// Reads the text by the items and gives what is left of it; `None` where it does not fit.
pub(super) fn read<'a>(items: &[Item], text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    items.iter().try_fold(text, |rest, item| read_one(item, rest, fields))
}

fn read_one<'a>(item: &Item, text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    match item {
        Item::Literal(letter) => text.strip_prefix(*letter),
        Item::Number { part, least, most } => {
            let (value, _, rest) = digits(text, *least, *most)?;
            fields.set(*part, value).then_some(rest)
        }
        Item::Year { digits: width, of_era } => {
            let (sign, unsigned) = match text.strip_prefix('-') {
                Some(_) if *of_era => return None,
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(text)),
            };
            // Without a sign, further digits belong to what follows; a plus stands only before more digits than the letters say.
            let most = if unsigned.len() == text.len() && *width > 1 { *width } else { MANY };
            let (value, count, rest) = digits(unsigned, *width, most)?;
            if (text.starts_with('+') && (*width == 1 || count <= *width)) || (*of_era && value == 0) {
                return None;
            }
            fields.set(Part::Year, sign * value).then_some(rest)
        }
        Item::ShortYear => {
            let (value, _, rest) = digits(text, 2, 2)?;
            fields.set(Part::Year, 2000 + value).then_some(rest)
        }
        Item::Fraction { least, most } => {
            let (value, count, rest) = digits(text, *least, *most)?;
            fields.set_fraction(value, u32::try_from(count).ok()?).then_some(rest)
        }
        Item::Optional(items) => {
            let mut tried = *fields;
            match read(items, text, &mut tried) {
                Some(rest) => {
                    *fields = tried;
                    Some(rest)
                }
                None => Some(text),
            }
        }
        Item::Offset(style) => read_offset(*style, text, fields),
        Item::MonthName => {
            let (index, rest) = name(&MONTHS, text)?;
            fields.set(Part::Month, index + 1).then_some(rest)
        }
        Item::DayName => name(&DAYS, text).map(|(_, rest)| rest),
        Item::Half => {
            let (value, rest) = name(&["AM", "PM"], text)?;
            fields.set(Part::Half, value).then_some(rest)
        }
    }
}

fn read_offset<'a>(style: OffsetStyle, text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    if let Some(rest) = style.zulu.then(|| text.strip_prefix('Z')).flatten() {
        return fields.set_offset(0).then_some(rest);
    }
    if style.colon == Colon::Either
        && let Some((_, rest)) = name(&["UTC", "GMT"], text)
    {
        return fields.set_offset(0).then_some(rest);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, _, after_hours) = digits(&text[1..], 2, 2)?;
    let minutes_text = match style.colon {
        Colon::Always => after_hours.strip_prefix(':'),
        Colon::Never => Some(after_hours),
        Colon::Either => Some(after_hours.strip_prefix(':').unwrap_or(after_hours)),
    };
    let (minutes, rest) = match minutes_text.and_then(|text| digits(text, 2, 2)) {
        Some((minutes, _, rest)) if minutes < 60 => (minutes, after_seconds(style, rest)),
        None if style.hours_alone => (0, after_hours),
        _ => return None,
    };
    fields.set_offset(sign * (hours * 3600 + minutes * 60)).then_some(rest)
}

/// The rest after seconds of an offset that are `:00`; others are nobody's.
fn after_seconds(style: OffsetStyle, text: &str) -> &str {
    if style.colon == Colon::Either { text.strip_prefix(":00").unwrap_or(text) } else { text }
}

/// A number of `least` to `most` digits, how many there were, and the rest.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, usize, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(count);
    (count >= least && count > 0).then(|| number.parse().ok().map(|value| (value, count, rest)))?
}

fn name<'a>(names: &[&str], text: &'a str) -> Option<(i64, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| text.strip_prefix(name).map(|rest| (index, rest)))
}
