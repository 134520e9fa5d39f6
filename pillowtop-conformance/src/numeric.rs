//! Numbers as the servers read them: JSON numbers by Jackson, strings by Java's own parsers, each
//! with its own rounding.

use super::finding::{Fault, Fit, malformed, refused, unknown};
use super::json::Json;
use pillowtop_core::field_types::{Product, Target, Version};

/// A numeric type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numeric {
    Byte,
    Short,
    Integer,
    Long,
    UnsignedLong,
    HalfFloat,
    Float,
    Double,
    ScaledFloat,
}

impl Numeric {
    /// The type of a name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "byte" => Self::Byte,
            "short" => Self::Short,
            "integer" => Self::Integer,
            "long" => Self::Long,
            "unsigned_long" => Self::UnsignedLong,
            "half_float" => Self::HalfFloat,
            "float" => Self::Float,
            "double" => Self::Double,
            "scaled_float" => Self::ScaledFloat,
            _ => return None,
        })
    }

    fn bounds(self) -> (i128, i128) {
        match self {
            Self::Byte => (i8::MIN.into(), i8::MAX.into()),
            Self::Short => (i16::MIN.into(), i16::MAX.into()),
            Self::Integer => (i32::MIN.into(), i32::MAX.into()),
            Self::UnsignedLong => (0, u64::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        }
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Byte | Self::Short | Self::Integer | Self::Long | Self::UnsignedLong)
    }
}

/// A value in the form in which bounds of ranges are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    Whole(i128),
    Floating(f64),
    /// An empty string, which counts as no value.
    Nothing,
}

/// Whether a scalar is a number of the type.
pub(super) fn check(numeric: Numeric, coerce: bool, value: &Json<'_>, target: Target) -> Fit {
    amount(numeric, coerce, value, target).map(drop)
}

/// The number that a scalar is.
pub(super) fn amount(
    numeric: Numeric,
    coerce: bool,
    value: &Json<'_>,
    target: Target,
) -> Result<Amount, Fault> {
    match value {
        Json::Number(text) if numeric.is_whole() => whole_number(numeric, coerce, text, target),
        Json::Number(text) => floating(numeric, text, target, true).map(Amount::Floating),
        Json::Text(_) if !coerce && numeric != Numeric::UnsignedLong => {
            malformed("a string is not a number where `coerce` is false")
        }
        Json::Text(text) if text.is_empty() => Ok(Amount::Nothing),
        Json::Text(text) => match numeric {
            Numeric::Long | Numeric::UnsignedLong => decimal_text(numeric, text, target),
            Numeric::Byte | Numeric::Short | Numeric::Integer => short_text(numeric, text),
            _ => floating(numeric, text, target, false).map(Amount::Floating),
        },
        other => {
            let reason = format!("{} is not a number", other.kind());
            // `ignore_malformed` of Elasticsearch 7 does not get over it.
            let is_elastic_7 = target.product == Product::Elasticsearch && target.version.major < 8;
            if is_elastic_7 && numeric == Numeric::ScaledFloat { refused(reason) } else { malformed(reason) }
        }
    }
}

fn out_of_range<T>(numeric: Numeric, text: &str) -> Result<T, Fault> {
    let (least, most) = numeric.bounds();
    malformed(format!("`{}` is not between {least} and {most}", cut(text)))
}

/// A JSON number for a type without fractions.
fn whole_number(numeric: Numeric, coerce: bool, text: &str, target: Target) -> Result<Amount, Fault> {
    let (least, most) = numeric.bounds();
    let Some(decimal) = Decimal::parse(text) else { return malformed("it is not a number") };
    if numeric == Numeric::UnsignedLong {
        return unsigned(decimal, text, target);
    }
    if !text.contains(['.', 'e', 'E']) {
        return match decimal.whole {
            Some(whole) if (least..=most).contains(&whole) => Ok(Amount::Whole(whole)),
            _ => out_of_range(numeric, text),
        };
    }
    // Jackson reads a `double` and compares it with the bounds of the Java type that it makes of it.
    let float: f64 = text.parse().unwrap_or(f64::INFINITY);
    let fits = match numeric {
        Numeric::Long => (-TWO_TO_63..=TWO_TO_63).contains(&float),
        _ => (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&float),
    };
    if !fits {
        return out_of_range(numeric, text);
    }
    if !coerce && float.fract() != 0.0 {
        return malformed(format!("`{text}` has a fraction, and `coerce` is false"));
    }
    let whole = decimal.whole.unwrap_or(0);
    if numeric != Numeric::Long && !(least..=most).contains(&whole) {
        return out_of_range(numeric, text);
    }
    Ok(Amount::Whole(whole.clamp(least, most)))
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// `OpenSearch` cuts fractions off; Elasticsearch refuses them.
fn unsigned(decimal: Decimal, text: &str, target: Target) -> Result<Amount, Fault> {
    match decimal.whole {
        Some(whole) if (0..=i128::from(u64::MAX)).contains(&whole) => {
            if target.product == Product::Elasticsearch && decimal.has_fraction {
                return unknown(format!("`{}` has a fraction, which Elasticsearch may refuse", cut(text)));
            }
            Ok(Amount::Whole(whole))
        }
        _ => match out_of_range(Numeric::UnsignedLong, text) {
            // `ignore_malformed` of OpenSearch 2 does not get over it.
            Err(Fault::Malformed(reason))
                if target.product == Product::OpenSearch && target.version.major < 3 =>
            {
                refused(reason)
            }
            other => other,
        },
    }
}

/// A string for `long` or `unsigned_long`: any decimal, without white space.
fn decimal_text(numeric: Numeric, text: &str, target: Target) -> Result<Amount, Fault> {
    let Some(decimal) = Decimal::parse(text) else {
        if !text.is_ascii() {
            return unknown("digits of other scripts are not checked");
        }
        return malformed(format!("`{}` is not a number", cut(text)));
    };
    if numeric == Numeric::UnsignedLong {
        return unsigned(decimal, text, target);
    }
    let (least, most) = numeric.bounds();
    match decimal.whole {
        Some(whole) if (least..=most).contains(&whole) => Ok(Amount::Whole(whole)),
        _ => out_of_range(numeric, text),
    }
}

/// A string for the types up to `integer`, which go through a `double`. That it is not a number is
/// not a reason to refuse `NaN`.
fn short_text(numeric: Numeric, text: &str) -> Result<Amount, Fault> {
    let (least, most) = numeric.bounds();
    let float = java_double(text)?;
    // Only `byte` cuts the fraction off before it looks at the bounds.
    let compared = if numeric == Numeric::Byte { float.trunc() } else { float };
    #[expect(clippy::cast_precision_loss, reason = "the bounds of at most 32 bits are exact")]
    let (least, most) = (least as f64, most as f64);
    if compared < least || compared > most {
        return out_of_range(numeric, text);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies within 32 bits, and NaN is 0 as in Java")]
    Ok(Amount::Whole(float.trunc() as i128))
}

fn floating(numeric: Numeric, text: &str, target: Target, is_json: bool) -> Result<f64, Fault> {
    let double = if is_json { text.parse().unwrap_or(f64::INFINITY) } else { java_double(text)? };
    let value = match numeric {
        Numeric::Double | Numeric::ScaledFloat => double,
        _ => f64::from(single(text, double, target, is_json)),
    };
    // The first number that rounds to infinity is half a step above the largest.
    let fits = value.is_finite() && (numeric != Numeric::HalfFloat || value.abs() < 65_520.0);
    if fits { Ok(value) } else { malformed(format!("`{}` is not a finite number of this type", cut(text))) }
}

/// Elasticsearch 7 reads JSON numbers as `double` first, which rounds twice.
fn single(text: &str, double: f64, target: Target, is_json: bool) -> f32 {
    let rounds_twice = is_json
        && target.product == Product::Elasticsearch
        && match target.version {
            version if version < Version::new(7, 17) => true,
            // Since then only what is too large for a `long`.
            version => version.major < 8 && !text.contains(['.', 'e', 'E']),
        };
    match text.trim().trim_end_matches(['d', 'D', 'f', 'F']).parse::<f32>() {
        Ok(single) if !rounds_twice => single,
        #[expect(clippy::cast_possible_truncation, reason = "what Java does")]
        _ => double as f32,
    }
}

/// What Java's `Double.parseDouble` reads.
pub(super) fn java_double(text: &str) -> Result<f64, Fault> {
    let trimmed = text.trim_matches(|character| character <= ' ');
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if unsigned == "NaN" {
        return Ok(f64::NAN);
    }
    if unsigned == "Infinity" {
        return Ok(if trimmed.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        let sign = if trimmed.starts_with('-') { -1.0 } else { 1.0 };
        return match hexadecimal(&unsigned[2..]) {
            Some(value) => Ok(sign * value),
            None => malformed(format!("`{}` is not a number", cut(text))),
        };
    }
    let number = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    let plain =
        number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    match number.parse() {
        Ok(value) if plain => Ok(value),
        _ => malformed(format!("`{}` is not a number", cut(text))),
    }
}

/// A number in hexadecimal after its `0x`, such as `1.8p3`, which is 12.
fn hexadecimal(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    let has_sign = exponent.starts_with(['+', '-']);
    let are_digits = exponent[usize::from(has_sign)..].bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !are_digits || exponent.len() == usize::from(has_sign) {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in digits.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(after.len()).ok()? * 4;
    let exponent: i32 = exponent.parse().unwrap_or(if exponent.starts_with('-') { -9999 } else { 9999 });
    Some(if value == 0.0 { value } else { value * 2.0_f64.powi(exponent.saturating_sub(places)) })
}

/// What Java's `Long.parseLong` reads.
pub(super) fn java_long(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A decimal number of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    /// The part before the point, rounded towards zero; `None` beyond 38 digits.
    whole: Option<i128>,
    has_fraction: bool,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{before}{after}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let significant = &digits[leading..];
        let point = i64::try_from(before.len()).ok()? + i64::from(exponent) - i64::try_from(leading).ok()?;
        let nonzero = significant.trim_end_matches('0').len();
        if significant.is_empty() || point <= 0 {
            return Some(Self { whole: Some(0), has_fraction: nonzero > 0 });
        }
        if point > 38 {
            return Some(Self { whole: None, has_fraction: false });
        }
        let point = usize::try_from(point).ok()?;
        let kept = format!("{:0<point$}", &significant[..significant.len().min(point)]);
        let whole: i128 = kept.parse().ok()?;
        Some(Self { whole: Some(if negative { -whole } else { whole }), has_fraction: nonzero > point })
    }
}

/// As much of a string as a message shows.
pub(super) fn cut(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_any_size_are_cut_towards_zero() {
        for (text, whole, has_fraction) in [
            ("12.7", Some(12), true),
            ("-12.7", Some(-12), true),
            ("1e3", Some(1000), false),
            ("1.5e1", Some(15), false),
            ("0.001e2", Some(0), true),
            (".5", Some(0), true),
            ("5.", Some(5), false),
            ("1e-400", Some(0), true),
            ("0e400", Some(0), false),
            ("1e400", None, false),
            ("9223372036854775807.9", Some(9_223_372_036_854_775_807), true),
        ] {
            assert_eq!(Decimal::parse(text), Some(Decimal { whole, has_fraction }), "{text}");
        }
        for text in ["", ".", "-", "1e", "e1", "1_0", " 1", "0x10", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
