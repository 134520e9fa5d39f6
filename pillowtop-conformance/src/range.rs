//! Ranges: objects with `gt`, `gte`, `lt` and `lte`, whose lower bound lies not above the upper
//! one.

use super::finding::{Fault, Fit, refused, unknown};
use super::json::Json;
use super::numeric::{self, Amount, Numeric, cut};
use super::value::{ip, moment};
use pillowtop_core::date::DateFormats;
use pillowtop_core::field_types::{Product, Target};

/// The bounds of a range; of several of a side the last counts.
struct Bounds<'a, 'text> {
    /// The bound and whether it belongs to the range.
    lower: Option<(&'a Json<'text>, bool)>,
    upper: Option<(&'a Json<'text>, bool)>,
    /// A bound of the same side that counts for nothing, yet is read.
    covered: Vec<&'a Json<'text>>,
}

fn bounds<'a, 'text>(value: &'a Json<'text>, target: Target) -> Result<Bounds<'a, 'text>, Fault> {
    let Json::Object(members) = value else {
        return refused(format!("{} is not a range such as {{\"gte\": 1, \"lte\": 5}}", value.kind()));
    };
    let mut found = Bounds { lower: None, upper: None, covered: Vec::new() };
    for (name, bound) in members {
        let side = match name.as_str() {
            "gt" | "gte" => &mut found.lower,
            "lt" | "lte" => &mut found.upper,
            _ if *bound == Json::Null && target.product == Product::OpenSearch => {
                return unknown(format!("`{}` is not a bound of a range, and null", cut(name)));
            }
            _ => return refused(format!("`{}` is not a bound of a range", cut(name))),
        };
        if let Some((covered, _)) = side.replace((bound, name.ends_with('e'))) {
            if target.product == Product::OpenSearch && target.version.major >= 3 {
                return refused("a range has one lower and one upper bound");
            }
            found.covered.push(covered);
        }
    }
    Ok(found)
}

/// What only the index of a range is against.
pub(super) const UPSIDE_DOWN: &str = "the lower bound lies above the upper one";

fn upside_down<T>() -> Result<T, Fault> {
    refused(UPSIDE_DOWN)
}

/// A range of numbers.
pub(super) fn numbers(numeric: Numeric, coerce: bool, value: &Json<'_>, target: Target) -> Fit {
    let found = bounds(value, target)?;
    let read = |bound: &Json<'_>| match bound {
        Json::Null => Ok(None),
        Json::Text(text) if text.is_empty() => refused("an empty string is not a number"),
        bound => numeric::amount(numeric, coerce, bound, target).map(Some),
    };
    for covered in &found.covered {
        read(covered)?;
    }
    let side = |bound: Option<(&Json<'_>, bool)>| match bound {
        Some((bound, inclusive)) => Ok(read(bound)?.map(|amount| (amount, inclusive))),
        None => Ok(None),
    };
    let (Some((lower, from)), Some((upper, to))) = (side(found.lower)?, side(found.upper)?) else {
        return Ok(());
    };
    let is_above = match (lower, upper) {
        (Amount::Whole(lower), Amount::Whole(upper)) => {
            let (least, most) = if numeric == Numeric::Integer {
                (i128::from(i32::MIN), i128::from(i32::MAX))
            } else {
                (i128::from(i64::MIN), i128::from(i64::MAX))
            };
            // Beyond the end Java continues at the other one.
            let lower = if from {
                lower
            } else if lower == most {
                least
            } else {
                lower + 1
            };
            let upper = if to {
                upper
            } else if upper == least {
                most
            } else {
                upper - 1
            };
            lower > upper
        }
        (Amount::Floating(lower), Amount::Floating(upper)) => {
            let next = |value: f64| step(numeric, value, true);
            let before = |value: f64| step(numeric, value, false);
            (if from { lower } else { next(lower) }) > (if to { upper } else { before(upper) })
        }
        _ => false,
    };
    if is_above { upside_down() } else { Ok(()) }
}

fn step(numeric: Numeric, value: f64, up: bool) -> f64 {
    if numeric == Numeric::Float {
        #[expect(clippy::cast_possible_truncation, reason = "it was read as one of 32 bits")]
        let single = value as f32;
        return f64::from(if up { single.next_up() } else { single.next_down() });
    }
    if up { value.next_up() } else { value.next_down() }
}

/// A range of dates, whose bounds may be calculated from a date: `2024-01-01||+1d`.
pub(super) fn dates(formats: &DateFormats, value: &Json<'_>, target: Target) -> Fit {
    let found = bounds(value, target)?;
    let read = |bound: &Json<'_>| -> Result<Option<i128>, Fault> {
        let string = match bound {
            Json::Null => return Ok(None),
            bound => bound
                .scalar_text()
                .ok_or_else(|| Fault::Refused(format!("{} is not a bound of a range", bound.kind())))?,
        };
        if string.starts_with("now") {
            return refused("`now` is not known when a document is indexed");
        }
        let Some((start, calculation)) = string.split_once("||") else {
            return Ok(Some(moment(formats, string, target)?.start.div_euclid(1_000_000)));
        };
        moment(formats, start, target)?;
        if is_calculation(calculation) {
            Ok(None)
        } else {
            refused(format!("`{}` is not a calculation", cut(string)))
        }
    };
    for covered in &found.covered {
        read(covered)?;
    }
    let side = |bound: Option<(&Json<'_>, bool)>| match bound {
        Some((bound, inclusive)) => Ok(read(bound)?.map(|millis| (millis, inclusive))),
        None => Ok(None),
    };
    let has_calculation = [found.lower, found.upper].into_iter().flatten().any(|(bound, _)| {
        bound.scalar_text().is_some_and(|string| string.contains("||") && !string.ends_with("||"))
    });
    let (lower, upper) = (side(found.lower)?, side(found.upper)?);
    if has_calculation && found.lower.is_some() && found.upper.is_some() {
        return unknown("the order of calculated bounds is not checked");
    }
    let (Some((lower, from)), Some((upper, to))) = (lower, upper) else { return Ok(()) };
    let is_above = lower + i128::from(!from) > upper - i128::from(!to);
    // Elasticsearch 9 takes a date without a time as the end of the day where that is meant.
    let rounds = target.product == Product::Elasticsearch && target.version.major >= 9;
    if rounds && (lower - upper).abs() <= 2 * 86_400_000 {
        return unknown("how the bounds are rounded is not checked");
    }
    if is_above { upside_down() } else { Ok(()) }
}

/// Steps such as `+1d`, `-3M` and `/M`, one after the other.
fn is_calculation(text: &str) -> bool {
    let mut rest = text;
    while let Some(operator) = rest.chars().next() {
        if !matches!(operator, '+' | '-' | '/') {
            return false;
        }
        rest = &rest[1..];
        if operator != '/' {
            rest = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        }
        match rest.chars().next() {
            Some('y' | 'M' | 'w' | 'd' | 'h' | 'H' | 'm' | 's') => rest = &rest[1..],
            _ => return false,
        }
    }
    true
}

/// A range of addresses: bounds, or a string such as `10.0.0.0/8`.
pub(super) fn addresses(value: &Json<'_>, target: Target) -> Fit {
    if let Json::Text(text) = value {
        let Some((address, length)) = text.split_once('/') else {
            return bound_text(text);
        };
        if length.is_empty() {
            return bound_text(text);
        }
        ip(address, target)?;
        let most = if address.contains(':') { 128 } else { 32 };
        return match length.parse::<i32>() {
            Ok(length) if (0..=most).contains(&length) => Ok(()),
            _ => Err(Fault::Malformed(format!("`{}` has no prefix from 0 to {most}", cut(text)))),
        };
    }
    let found = bounds(value, target)?;
    let read = |bound: &Json<'_>| match bound {
        Json::Null => Ok(None),
        bound => match bound.scalar_text() {
            Some(string) => ip(string, target).map(Some),
            None => refused(format!("{} is not an address", bound.kind())),
        },
    };
    for covered in &found.covered {
        read(covered)?;
    }
    let lower =
        found.lower.map(|(bound, inclusive)| Ok::<_, Fault>((read(bound)?, inclusive))).transpose()?;
    let upper =
        found.upper.map(|(bound, inclusive)| Ok::<_, Fault>((read(bound)?, inclusive))).transpose()?;
    let (Some((Some(lower), from)), Some((Some(upper), to))) = (lower, upper) else { return Ok(()) };
    let lower = if from { lower } else { lower.saturating_add(1) };
    let upper = if to { upper } else { upper.saturating_sub(1) };
    if lower > upper { upside_down() } else { Ok(()) }
}

fn bound_text(text: &str) -> Fit {
    Err(Fault::Malformed(format!("`{}` is not a network such as `10.0.0.0/8`", cut(text))))
}
