//! Whether one value fits a field of strings, booleans, dates or addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::finding::{Fault, Fit, malformed, refused, unknown};
use super::json::Json;
use super::numeric::cut;
use super::plan::{LeafPlan, text};
use pillowtop_core::date::{DateFormats, DateProblem, Moment, Names, Reading};
use pillowtop_core::field_types::{Product, Target, Version};

/// The longest term of Lucene in bytes; a longer one refuses the document.
pub(crate) const LONGEST_TERM: usize = 32_766;

pub(super) fn scalar<'a>(value: &'a Json<'_>) -> Result<&'a str, Fault> {
    value
        .scalar_text()
        .ok_or_else(|| Fault::Refused(format!("{} found where a value is expected", value.kind())))
}

pub(super) fn full_text(leaf: &LeafPlan, value: &Json<'_>, custom_default: bool) -> Fit {
    let string = scalar(value)?;
    let analyzer = text(&leaf.mapping, "analyzer");
    if !leaf.index || string.len() <= LONGEST_TERM {
        return Ok(());
    }
    match analyzer {
        None | Some("standard") if !custom_default => Ok(()),
        Some("keyword") => immense(string.len()),
        _ => unknown("whether the analyzer makes terms of more than 32766 bytes is not checked"),
    }
}

fn immense(length: usize) -> Fit {
    let reason =
        format!("a term of {length} bytes is longer than the {LONGEST_TERM} that the index can hold");
    Err(Fault::Immense(reason))
}

/// Whether a string is longer than an `ignore_above`. Java counts UTF-16 units.
#[must_use]
pub fn exceeds(most: Option<usize>, string: &str) -> bool {
    most.is_some_and(|most| string.len() > most && string.encode_utf16().count() > most)
}

fn too_long(most: Option<usize>) -> Fit {
    let most = most.unwrap_or_default();
    Err(Fault::TooLong(format!("it is longer than the {most} characters of `ignore_above`")))
}

pub(super) fn keyword(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    let string = scalar(value)?;
    if exceeds(leaf.ignore_above, string) {
        return too_long(leaf.ignore_above);
    }
    let kept = leaf.index || leaf.doc_values.unwrap_or(true);
    match text(&leaf.mapping, "normalizer") {
        _ if !kept => Ok(()),
        Some(name) if string.len() > LONGEST_TERM / 3 && !(name == "lowercase" && string.is_ascii()) => {
            unknown("how long the normalizer makes it is not checked")
        }
        _ if string.len() > LONGEST_TERM => immense(string.len()),
        _ => Ok(()),
    }
}

pub(super) fn wildcard(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let string = scalar(value)?;
    if exceeds(leaf.ignore_above, string) {
        return too_long(leaf.ignore_above);
    }
    if string.len() <= LONGEST_TERM {
        return Ok(());
    }
    match target.product {
        Product::OpenSearch if target.version.major >= 3 && leaf.doc_values.unwrap_or(true) => {
            immense(string.len())
        }
        Product::OpenSearch => Ok(()),
        Product::Elasticsearch => unknown("whether so long a string is accepted is not checked"),
    }
}

pub(super) fn constant(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    let string = scalar(value)?;
    match text(&leaf.mapping, "value") {
        Some(constant) if constant == string => Ok(()),
        Some(constant) => refused(format!("the field is always `{constant}`")),
        None => unknown("the first document decides what the field is"),
    }
}

/// `OpenSearch` takes semantic versions alone.
pub(super) fn version(value: &Json<'_>, target: Target) -> Fit {
    let string = scalar(value)?;
    if target.product == Product::Elasticsearch {
        return if string.len() <= LONGEST_TERM / 2 {
            Ok(())
        } else {
            unknown("so long a version is not checked")
        };
    }
    let (rest, build) = string.split_once('+').map_or((string, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str| digits(part) && (part == "0" || !part.starts_with('0'));
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits = core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(|pre| pre.split('.').all(|part| word(part) && (!digits(part) || number(part))))
        && build.is_none_or(|build| build.split('.').all(word));
    if fits {
        Ok(())
    } else {
        refused(format!("`{}` is not a semantic version such as `1.2.3`", cut(string)))
    }
}

pub(super) fn boolean(value: &Json<'_>) -> Fit {
    match value {
        Json::Boolean(_) => Ok(()),
        Json::Text(text) if matches!(text.as_str(), "" | "true" | "false") => Ok(()),
        Json::Text(text) => malformed(format!("`{}` is neither `true` nor `false`", cut(text))),
        other => malformed(format!("{} is neither `true` nor `false`", other.kind())),
    }
}

pub(super) fn date(formats: &DateFormats, nanos: bool, value: &Json<'_>, target: Target) -> Fit {
    let string = scalar(value)?;
    let moment = moment(formats, string, target)?;
    let millis = moment.start.div_euclid(1_000_000);
    if !nanos {
        // The others cut it at the ends of what they can hold.
        let fits = target.product == Product::OpenSearch || i64::try_from(millis).is_ok();
        return if fits { Ok(()) } else { malformed(format!("`{}` is out of range", cut(string))) };
    }
    let is_before = moment.start < 0;
    if !is_before && i64::try_from(moment.start).is_ok() {
        return Ok(());
    }
    // Elasticsearch 9 counts some numbers beyond the ends.
    let is_newest = target.product == Product::Elasticsearch && target.version.major >= 9;
    if is_newest && !matches!(value, Json::Text(_)) {
        return unknown("whether Elasticsearch 9 accepts such a number is not checked");
    }
    let side = if is_before { "before 1970" } else { "after 2262" };
    malformed(format!("`{}` is {side}, which no `date_nanos` can be", cut(string)))
}

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

/// The moment that a string means.
pub(super) fn moment(formats: &DateFormats, string: &str, target: Target) -> Result<Moment, Fault> {
    if string.is_empty() {
        return malformed("an empty string is not a date");
    }
    let fits_none =
        || Fault::Malformed(format!("`{}` fits none of the formats `{}`", cut(string), formats.declared()));
    let is_newer = target.product == Product::Elasticsearch && target.version.major >= 8;
    let names = if is_newer { Names::Full } else { Names::Short };
    let moment = match formats.parse_by(string, names, |format| reading(format, string, target)) {
        Ok(moment) => moment,
        Err(DateProblem::UnknownFormat) => {
            return unknown(format!("the format `{}` is not checked in full", formats.declared()));
        }
        Err(DateProblem::NoFormatFits) => return Err(fits_none()),
    };
    // What Java's calendar holds.
    if (-365_243_219_162..=365_241_780_471).contains(&moment.start.div_euclid(DAY)) {
        Ok(moment)
    } else {
        malformed(format!("`{}` is out of range", cut(string)))
    }
}

/// How a target reads a string by a format, where targets differ.
fn reading(format: &str, string: &str, target: Target) -> Reading {
    let elastic = (target.product == Product::Elasticsearch).then_some(target.version.major);
    let is_optional_time =
        matches!(format, "strict_date_optional_time" | "strict_date_optional_time_nanos" | "iso8601");
    if let Some(reading) = reading_of_weeks(format, string, elastic) {
        return reading;
    }
    if format == "rfc3339_lenient" {
        return match string {
            string if string.ends_with("-00:00") => Reading::Refused,
            string if string.contains(['t', 'z', ' ', ',', '_']) => Reading::Lenient,
            _ => Reading::Plain,
        };
    }
    // By these a day has an hour 24, and the others do not.
    let hour = string.rsplit_once('T').map_or(string, |(_, time)| time);
    if format.starts_with("strict_") && format.contains("hour") && hour.starts_with("24") {
        return Reading::Lenient;
    }
    let digits_of_year = string.trim_start_matches(['+', '-']).bytes().take_while(u8::is_ascii_digit).count();
    if format == "epoch_millis" && elastic == Some(7) && string.starts_with('-') {
        return Reading::Refused;
    }
    // A year of ten digits is read and then out of Java's range, and no other format is tried.
    let is_year = string.starts_with('-') && digits_of_year == 10 && string.len() == 11;
    if is_optional_time && elastic.is_none_or(|major| major < 8) && is_year && !string.starts_with("-0") {
        return Reading::Fatal;
    }
    if (is_optional_time || format == "strict_year_month_day")
        && elastic.is_some()
        && target.version >= Version::new(7, 17)
        && digits_of_year > 4
    {
        return Reading::Refused;
    }
    // A zone's name after the time is read by the time zones of the server's Java.
    let zone =
        string.rfind(|character: char| character.is_ascii_digit()).map_or("", |last| &string[last + 1..]);
    let has_zone =
        zone.len() > 2 && zone.starts_with(|c: char| c.is_ascii_alphabetic()) && string.contains('T');
    let has_zone = has_zone && !matches!(zone, "UTC" | "GMT");
    let is_plain_name = format.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_plain_name
        && format.contains("time")
        && (has_zone || string.contains("UTC+") || string.contains("GMT+"))
    {
        return Reading::Unknown;
    }
    // Only Elasticsearch 9 wants the whole date before a time.
    if is_optional_time
        && elastic.is_some_and(|major| major >= 9)
        && string.find('T').is_some_and(|position| position < 10)
    {
        return Reading::Unknown;
    }
    let is_lenient = is_plain_name && !format.starts_with("strict_") && !format.starts_with("basic_");
    if is_lenient
        && !format.starts_with("epoch")
        && !matches!(format, "year" | "iso8601")
        && digits_of_year > 5
    {
        return Reading::Unknown;
    }
    // All servers take days that are in no calendar by this format, and by it alone.
    let parts: Vec<&str> = string.trim_start_matches(['+', '-']).split('-').collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_shape = matches!(parts.as_slice(), [_, month, day] if month.len() == 2 && day.len() == 2)
        && parts.iter().all(is_number);
    if format == "strict_date" && has_shape { Reading::Lenient } else { Reading::Plain }
}

/// Formats with years of weeks, where servers or their Javas differ.
fn reading_of_weeks(format: &str, string: &str, elastic: Option<u16>) -> Option<Reading> {
    let name = format.strip_prefix("strict_").unwrap_or(format);
    match name {
        // Older servers have these names, and read nothing by them.
        "weekyear" | "weekyear_week" | "week_year" if elastic.is_none_or(|major| major < 8) => {
            Some(Reading::Refused)
        }
        "weekyear_week_day" if string.contains("W53") => Some(Reading::Unknown),
        "basic_week_date" | "basic_week_date_time" | "basic_week_date_time_no_millis" => {
            let is_long = string.find('W').is_none_or(|position| position != 4);
            is_long.then_some(Reading::Unknown)
        }
        // How many weeks a year has, depends on the first day of a week.
        _ if format.contains('Y') && format.contains('w') && string.contains("53") => Some(Reading::Unknown),
        _ => None,
    }
}

/// An address that a field of type `ip` accepts, as one of version 6. `None` is what it does not
/// accept, and what is not checked.
#[must_use]
pub fn ip_address(value: &str, target: Target) -> Option<Ipv6Addr> {
    ip(value, target).ok().map(Ipv6Addr::from_bits)
}

/// An address, as a 128-bit number in which those of version 4 are mapped.
pub(super) fn ip(string: &str, target: Target) -> Result<u128, Fault> {
    if !string.is_ascii() {
        return unknown("digits of other scripts are not checked");
    }
    let none = || Fault::Malformed(format!("`{}` is not an IP address", cut(string)));
    let (address, zone) =
        string.split_once('%').map_or((string, None), |(address, zone)| (address, Some(zone)));
    if zone.is_some_and(str::is_empty) || (zone.is_some() && !address.contains(':')) {
        let unsure =
            target.product == Product::Elasticsearch && target.version.major >= 9 && address.contains('.');
        return if unsure { unknown("zones of addresses are not checked") } else { Err(none()) };
    }
    if zone.is_some() && address.contains('.') {
        return unknown("zones of mapped addresses are not checked");
    }
    // Java reads more than four digits of a group, if the first are zeros.
    let shortened: Vec<&str> = address
        .split(':')
        .map(|group| {
            let spare = group.len().saturating_sub(4);
            let zeros = group.bytes().take_while(|byte| *byte == b'0').count();
            if group.contains('.') { group } else { &group[spare.min(zeros)..] }
        })
        .collect();
    match shortened.join(":").parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Ok(mapped(address)),
        Ok(IpAddr::V6(address)) => Ok(address.to_bits()),
        Err(_) => Err(none()),
    }
}

fn mapped(address: Ipv4Addr) -> u128 {
    Ipv6Addr::to_bits(address.to_ipv6_mapped())
}
