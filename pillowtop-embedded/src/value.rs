//! One value in the form in which it is searched. Whether it fits its field is decided before, by
//! `pillowtop-conformance`.

use std::net::Ipv6Addr;

use pillowtop_conformance::{exceeds, ip_address};
use pillowtop_core::field_types::Target;
use serde_json::{Number, Value};

use super::mapping::{Kind, LeafPlan};

/// A value in the form that its field has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Typed {
    Text(String),
    Whole(i64),
    Unsigned(u64),
    Floating(f64),
    Boolean(bool),
    Ip(Ipv6Addr),
}

/// Converts one value that fits and is neither an array nor `null`. `None` is a value that is not
/// searched.
pub(crate) fn typed(leaf: &LeafPlan, value: &Value, target: Target) -> Option<Typed> {
    match &leaf.kind {
        Kind::Text | Kind::Keyword => within(leaf, scalar(value)?),
        Kind::Whole => whole(&number(value)?).map(Typed::Whole),
        Kind::Unsigned => unsigned(&number(value)?).map(Typed::Unsigned),
        Kind::Floating => number(value)?.as_f64().map(Typed::Floating),
        Kind::Boolean => match scalar(value)?.as_str() {
            "true" => Some(Typed::Boolean(true)),
            "false" | "" => Some(Typed::Boolean(false)),
            _ => None,
        },
        Kind::Date { formats, nanos } => {
            let moment = formats.parse(&scalar(value)?).ok()?;
            date_units(moment.start, *nanos).map(Typed::Whole)
        }
        Kind::Ip => ip_address(&scalar(value)?, target).map(Typed::Ip),
        // Objects of flattened fields are taken apart where documents are walked.
        Kind::Flattened | Kind::NotSearched => None,
    }
}

/// A string, or what a number or a boolean is written as.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(_) | Value::Array(_) | Value::Null => None,
    }
}

/// A string, unless it is too long to be searched.
pub(crate) fn within(leaf: &LeafPlan, text: String) -> Option<Typed> {
    (!exceeds(leaf.ignore_above, &text)).then_some(Typed::Text(text))
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            let number = text.parse::<i64>().map(Number::from).ok();
            number
                .or_else(|| text.parse::<u64>().map(Number::from).ok())
                .or_else(|| text.parse().ok().and_then(Number::from_f64))
        }
        _ => None,
    }
}

/// Fractions are cut off.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| format!("{:.0}", number.as_f64()?.trunc()).parse().ok())
}

fn unsigned(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| format!("{:.0}", number.as_f64()?.trunc()).parse().ok())
}

/// Dates are searched as milliseconds since 1970, those of `date_nanos` as nanoseconds.
pub(crate) fn date_units(nanos_since_1970: i128, nanos: bool) -> Option<i64> {
    let unit = if nanos { 1 } else { 1_000_000 };
    i64::try_from(nanos_since_1970.div_euclid(unit)).ok()
}
