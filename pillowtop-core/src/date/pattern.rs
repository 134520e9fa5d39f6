//! Patterns of dates: Java's letters compiled to items, and the reading of a string by items.
//! Reading is strict, as Elasticsearch's is: a number has the digits that its letters say, and a
//! date must be in the calendar.

use super::fields::{Fields, Names, Part};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A number of so many digits.
    Number { part: Part, least: usize, most: usize },
    /// A year of so many digits; with a sign, or where they are fewer than four, it may have more.
    /// A year of an era, which `y` is, has no minus and is not 0.
    Year { part: Part, digits: usize, of_era: bool },
    /// The last two digits of a year from 2000 to 2099.
    ShortYear { part: Part },
    /// A number that counts for nothing.
    Ignored { least: usize, most: usize },
    /// A fraction of the second, without its point.
    Fraction { least: usize, most: usize },
    /// This character.
    Literal(char),
    /// Read if it can be.
    Optional(Vec<Item>),
    /// The offset from Greenwich.
    Offset(OffsetStyle),
    /// `GMT`, alone or with an offset: `GMT+1`, or in full `GMT+01:00`.
    Greenwich { in_full: bool },
    /// An offset or the name of a zone.
    Zone,
    /// `Jan`, or in full `January`.
    MonthName { in_full: bool },
    /// `Mon`, or in full `Monday`; not compared with the date.
    DayName { in_full: bool },
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
    /// Hours may come without minutes.
    pub hours_alone: bool,
    /// Seconds may follow.
    pub seconds: bool,
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
const FULL_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FULL_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

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
    let offset = |zulu, colon, hours_alone, seconds| {
        Some(Item::Offset(OffsetStyle { zulu, colon, hours_alone, seconds }))
    };
    match (letter, count) {
        ('y' | 'u', 2) => Some(Item::ShortYear { part: Part::Year }),
        ('y' | 'u', _) => Some(Item::Year { part: Part::Year, digits: count, of_era: letter == 'y' }),
        ('Y', 2) => Some(Item::ShortYear { part: Part::WeekYear }),
        ('Y', _) => Some(Item::Year { part: Part::WeekYear, digits: count, of_era: false }),
        ('w', _) => number(Part::Week),
        ('e' | 'c', 1) => Some(Item::Number { part: Part::DayOfWeek, least: 1, most: 1 }),
        ('e', 2) => number(Part::DayOfWeek),
        ('Q' | 'q', 1) => Some(Item::Ignored { least: 1, most: MANY }),
        ('Q' | 'q', 2) => Some(Item::Ignored { least: 2, most: 2 }),
        ('M' | 'L', 3 | 4) => Some(Item::MonthName { in_full: count == 4 }),
        ('M' | 'L', _) => number(Part::Month),
        ('d', _) => number(Part::Day),
        ('D', 1) => Some(Item::Number { part: Part::DayOfYear, least: 1, most: MANY }),
        ('D', 2 | 3) => Some(Item::Number { part: Part::DayOfYear, least: count, most: 3 }),
        ('E', 1..=3) | ('e' | 'c', 3) => Some(Item::DayName { in_full: false }),
        ('E' | 'e' | 'c', 4) => Some(Item::DayName { in_full: true }),
        ('H', _) => number(Part::Hour),
        ('k', _) => number(Part::ClockHour),
        ('h', _) => number(Part::HourOfHalf),
        ('K', _) => number(Part::HourOfHalfFromZero),
        ('a', 1) => Some(Item::Half),
        ('m', _) => number(Part::Minute),
        ('s', _) => number(Part::Second),
        ('S', 1..=9) => Some(Item::Fraction { least: count, most: count }),
        ('X', 1) => offset(true, Colon::Never, true, false),
        ('X', 2) => offset(true, Colon::Never, false, false),
        ('X', 3) => offset(true, Colon::Always, false, false),
        ('X', 4) => offset(true, Colon::Never, false, true),
        ('X' | 'Z', 5) => offset(true, Colon::Always, false, true),
        ('x', 1) => offset(false, Colon::Never, true, false),
        ('x', 2) | ('Z', 1..=3) => offset(false, Colon::Never, false, false),
        ('x', 3) => offset(false, Colon::Always, false, false),
        ('x', 4) => offset(false, Colon::Never, false, true),
        ('x', 5) => offset(false, Colon::Always, false, true),
        ('O', 1) => Some(Item::Greenwich { in_full: false }),
        ('O' | 'Z', 4) => Some(Item::Greenwich { in_full: true }),
        ('V', 2) | ('z', 1..=4) => Some(Item::Zone),
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
        Item::Ignored { least, most } => digits(text, *least, *most).map(|(.., rest)| rest),
        Item::Year { part, digits: width, of_era } => {
            let (sign, unsigned) = match text.strip_prefix('-') {
                Some(_) if *of_era => return None,
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(text)),
            };
            // Without a sign, further digits belong to what follows; a plus stands only before more digits
            // than the letters say.
            let most = if unsigned.len() == text.len() && *width > 3 { *width } else { MANY };
            let (value, count, rest) = digits(unsigned, *width, most)?;
            if (text.starts_with('+') && (*width < 4 || count <= *width)) || (*of_era && value == 0) {
                return None;
            }
            fields.set(*part, sign * value).then_some(rest)
        }
        Item::ShortYear { part } => {
            let (value, _, rest) = digits(text, 2, 2)?;
            fields.set(*part, 2000 + value).then_some(rest)
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
                None => {
                    fields.is_unsure |= tried.is_unsure;
                    Some(text)
                }
            }
        }
        Item::Offset(style) => read_offset(*style, text, fields),
        Item::Greenwich { in_full } => read_greenwich(*in_full, text, fields),
        Item::Zone => read_zone(text, fields),
        Item::MonthName { in_full } => {
            let (index, rest) = spelt(*in_full, (&MONTHS, &FULL_MONTHS), text, fields.names)?;
            fields.set(Part::Month, index + 1).then_some(rest)
        }
        Item::DayName { in_full } => {
            spelt(*in_full, (&DAYS, &FULL_DAYS), text, fields.names).map(|(_, rest)| rest)
        }
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

/// The rest after seconds of an offset. Where none belong, `:00` is read all the same, and others
/// are nobody's.
fn after_seconds(style: OffsetStyle, text: &str) -> &str {
    let after = match style.colon {
        Colon::Either => return text.strip_prefix(":00").unwrap_or(text),
        Colon::Always => text.strip_prefix(':'),
        Colon::Never => Some(text),
    };
    match after.filter(|_| style.seconds).and_then(|text| digits(text, 2, 2)) {
        Some((seconds, _, rest)) if seconds < 60 => rest,
        _ => text,
    }
}

fn read_greenwich<'a>(in_full: bool, text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    let rest = text.strip_prefix("GMT")?;
    let sign = match rest.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return fields.set_offset(0).then_some(rest),
    };
    let (hours, _, mut rest) = digits(&rest[1..], if in_full { 2 } else { 1 }, 2)?;
    let mut seconds = hours * 3600;
    match rest.strip_prefix(':').and_then(|text| digits(text, 2, 2)) {
        Some((minutes, _, after)) => (seconds, rest) = (seconds + minutes * 60, after),
        None if in_full => return None,
        None => {}
    }
    fields.set_offset(sign * seconds).then_some(rest)
}

/// An offset or a name. Which names there are, only the server's Java knows.
fn read_zone<'a>(text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    const OF_NAMES: [char; 6] = ['/', '_', '+', '-', '~', '.'];
    let style = OffsetStyle { zulu: false, colon: Colon::Always, hours_alone: false, seconds: true };
    let known = ["UTC", "GMT", "UT", "Z"].iter().find_map(|known| text.strip_prefix(known));
    if text.starts_with(['+', '-']) {
        return read_offset(style, text, fields);
    }
    match known {
        Some(rest) if !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '/') => {
            let before = *fields;
            read_offset(style, rest, fields).or_else(|| {
                // An offset that was read before counts.
                *fields = before;
                fields.set_greenwich();
                Some(rest)
            })
        }
        _ => {
            let of_name = |letter: char| letter.is_ascii_alphanumeric() || OF_NAMES.contains(&letter);
            let rest = text.trim_start_matches(of_name);
            fields.is_unsure |= text.starts_with(|first: char| first.is_alphabetic());
            (rest.len() < text.len()).then_some(rest)
        }
    }
}

/// A number of `least` to `most` digits, how many there were, and the rest.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, usize, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(count);
    (count >= least && count > 0).then(|| number.parse().ok().map(|value| (value, count, rest)))?
}

/// A name in short or in full, and its place.
fn spelt<'a>(
    in_full: bool,
    (short, full): (&[&str], &[&str]),
    text: &'a str,
    names: Names,
) -> Option<(i64, &'a str)> {
    match names {
        _ if !in_full => name(short, text),
        Names::Short => name(short, text),
        Names::Full => name(full, text),
        Names::Either => name(full, text).or_else(|| name(short, text)),
    }
}

fn name<'a>(names: &[&str], text: &'a str) -> Option<(i64, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| text.strip_prefix(name).map(|rest| (index, rest)))
}
