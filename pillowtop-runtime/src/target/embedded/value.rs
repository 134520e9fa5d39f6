//! The check of one value by its type, as Elasticsearch does it, and the form in which it is searched.

use std::net::{IpAddr, Ipv6Addr};

use pillowtop_core::conformance::date::{DateFormats, DateProblem};
use serde_json::{Map, Number, Value};

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

/// Checks one value that is neither an array nor `null`. `None` is a value that fits and is not searched; an error says why it does not fit.
pub(crate) fn check(leaf: &LeafPlan, value: &Value) -> Result<Option<Typed>, String> {
    match &leaf.kind {
        Kind::Text | Kind::Keyword => text(value).map(|text| within(leaf, text)),
        Kind::Whole { least, most } => whole(leaf, *least, *most, value),
        Kind::UnsignedLong => unsigned(value),
        Kind::Floating { largest } => floating(leaf, *largest, value),
        Kind::Boolean => boolean(value),
        Kind::Date { formats, nanos } => date(formats, *nanos, value),
        Kind::Ip => ip(value),
        Kind::GeoPoint => geo_point(value).map(|()| None),
        Kind::Alias => Err(format!("Cannot write to a field alias [{}].", leaf.path)),
        // Objects of flattened fields are taken apart where documents are walked.
        Kind::Flattened => Err("expected an object".to_owned()),
        Kind::Kept => Ok(None),
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Object(_) => Err("Can't get text on a START_OBJECT".to_owned()),
        Value::Array(_) | Value::Null => Err("Can't get text on it".to_owned()),
    }
}

/// Java counts UTF-16 units.
pub(crate) fn within(leaf: &LeafPlan, text: String) -> Option<Typed> {
    let fits = leaf.ignore_above.is_none_or(|most| text.len() <= most || text.encode_utf16().count() <= most);
    fits.then_some(Typed::Text(text))
}

/// A number, or a string where strings are read as numbers; `None` for an empty string, which counts as `null`.
fn number(value: &Value, coerce: bool, type_name: &str) -> Result<Option<Number>, String> {
    match value {
        Value::Number(number) => Ok(Some(number.clone())),
        Value::String(_) if !coerce => Err(format!("{type_name} value passed as String")),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => {
            // What Java reads as `Double` may have white space around it.
            let text = if type_name.ends_with("long") { text } else { text.trim() };
            let number = text.parse::<i64>().map(Number::from).ok();
            number
                .or_else(|| text.parse::<u64>().map(Number::from).ok())
                .or_else(|| text.parse().ok().and_then(Number::from_f64))
                .map(Some)
                .ok_or_else(|| format!("For input string: \"{text}\""))
        }
        Value::Bool(_) => Err("Current token (VALUE_BOOLEAN) not numeric".to_owned()),
        Value::Object(_) => Err("Cannot parse object as number".to_owned()),
        Value::Array(_) | Value::Null => Err("Current token not numeric".to_owned()),
    }
}

fn whole(leaf: &LeafPlan, least: i64, most: i64, value: &Value) -> Result<Option<Typed>, String> {
    let Some(number) = number(value, leaf.coerce, &leaf.type_name)? else { return Ok(None) };
    let out_of_range = || format!("Value [{number}] is out of range for a {}", leaf.type_name);
    let whole = if let Some(whole) = number.as_i64() {
        whole
    } else {
        let float = number.as_f64().ok_or_else(out_of_range)?;
        if float.fract() != 0.0 && !leaf.coerce {
            return Err(format!("Value [{number}] has a decimal part"));
        }
        truncated(float).filter(|_| !number.is_u64()).ok_or_else(out_of_range)?
    };
    if (least..=most).contains(&whole) { Ok(Some(Typed::Whole(whole))) } else { Err(out_of_range()) }
}

/// The whole part, if it is one of `i64`.
fn truncated(float: f64) -> Option<i64> {
    format!("{:.0}", float.trunc()).parse().ok()
}

fn unsigned(value: &Value) -> Result<Option<Typed>, String> {
    let Some(number) = number(value, true, "unsigned_long")? else { return Ok(None) };
    if let Some(whole) = number.as_u64() {
        return Ok(Some(Typed::Unsigned(whole)));
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    if float.fract() != 0.0 {
        return Err(format!("Value [{number}] has a decimal part"));
    }
    let whole = format!("{float:.0}").parse().ok();
    whole
        .map(|whole| Some(Typed::Unsigned(whole)))
        .ok_or_else(|| format!("Value [{number}] is out of range for unsigned long"))
}

fn floating(leaf: &LeafPlan, largest: f64, value: &Value) -> Result<Option<Typed>, String> {
    let Some(number) = number(value, leaf.coerce, &leaf.type_name)? else { return Ok(None) };
    match number.as_f64() {
        Some(float) if float.abs() <= largest => Ok(Some(Typed::Floating(float))),
        _ => Err(format!("[{}] supports only finite values, but got [{number}]", leaf.type_name)),
    }
}

fn boolean(value: &Value) -> Result<Option<Typed>, String> {
    let truth = match value {
        Value::Bool(truth) => *truth,
        Value::String(text) if text.is_empty() || text == "false" => false,
        Value::String(text) if text == "true" => true,
        other => {
            let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            return Err(format!("Failed to parse value [{shown}] as only [true] or [false] are allowed."));
        }
    };
    Ok(Some(Typed::Boolean(truth)))
}

fn date(formats: &DateFormats, nanos: bool, value: &Value) -> Result<Option<Typed>, String> {
    let text = text(value)?;
    if text.is_empty() {
        return Err("cannot parse empty date/datetime".to_owned());
    }
    let moment = match formats.parse(&text) {
        Ok(moment) => moment,
        // It may well fit; better to keep the document than to refuse it.
        Err(DateProblem::UnknownFormat) => return Ok(None),
        Err(DateProblem::NoFormatFits) => {
            return Err(format!("failed to parse date field [{text}] with format [{}]", formats.said()));
        }
    };
    if nanos && moment.start < 0 {
        return Err(format!(
            "date[{text}] is before the epoch in 1970 and cannot be stored in nanosecond resolution"
        ));
    }
    date_units(moment.start, nanos)
        .map(|units| Some(Typed::Whole(units)))
        .ok_or_else(|| format!("date[{text}] is out of range"))
}

/// Dates are searched as milliseconds since 1970, those of `date_nanos` as nanoseconds.
pub(crate) fn date_units(nanos_since_1970: i128, nanos: bool) -> Option<i64> {
    let unit = if nanos { 1 } else { 1_000_000 };
    i64::try_from(nanos_since_1970.div_euclid(unit)).ok()
}

fn ip(value: &Value) -> Result<Option<Typed>, String> {
    let text = text(value)?;
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Ok(Some(Typed::Ip(address.to_ipv6_mapped()))),
        Ok(IpAddr::V6(address)) => Ok(Some(Typed::Ip(address))),
        Err(_) => Err(format!("'{text}' is not an IP string literal.")),
    }
}

/// The shape of a point: `{lat, lon}`, `GeoJSON`, `"lat,lon"`, WKT or a geohash. Lists of numbers are handled where arrays are.
fn geo_point(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(members) => geo_object(members),
        Value::Array(items) => geo_numbers(items),
        Value::String(text) => geo_text(text.trim()),
        other => Err(format!("geo_point expected, but got [{other}]")),
    }
}

fn geo_object(members: &Map<String, Value>) -> Result<(), String> {
    if let (Some(_), Some(Value::Array(items))) = (members.get("type"), members.get("coordinates")) {
        return geo_numbers(items);
    }
    let coordinate = |name: &str| {
        let value = members.get(name).ok_or_else(|| format!("field [{name}] missing"))?;
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        number.ok_or_else(|| format!("[{name}] must be a valid double value"))
    };
    on_earth(coordinate("lat")?, coordinate("lon")?)
}

/// `[lon, lat]` or `[lon, lat, height]`.
pub(crate) fn geo_numbers(items: &[Value]) -> Result<(), String> {
    let numbers: Option<Vec<f64>> = items.iter().map(Value::as_f64).collect();
    match numbers.as_deref() {
        Some([longitude, latitude] | [longitude, latitude, _]) => on_earth(*latitude, *longitude),
        _ => {
            Err("[geo_point] field type does not accept more than 3 dimensions, or other than numbers"
                .to_owned())
        }
    }
}

fn geo_text(text: &str) -> Result<(), String> {
    let invalid = || format!("couldn't build a geo_point from [{text}]");
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| invalid());
    if let Some((latitude, longitude)) = text.split_once(',') {
        // A height may follow.
        let longitude = longitude.split_once(',').map_or(longitude, |(longitude, _)| longitude);
        return on_earth(number(latitude)?, number(longitude)?);
    }
    let upper = text.to_ascii_uppercase();
    if let Some(rest) = upper.strip_prefix("POINT") {
        let inner =
            rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(invalid)?;
        let mut parts = inner.split_whitespace();
        let (Some(longitude), Some(latitude)) = (parts.next(), parts.next()) else { return Err(invalid()) };
        return on_earth(number(latitude)?, number(longitude)?);
    }
    let is_geohash = (1..=12).contains(&text.len())
        && text.bytes().all(|byte| b"0123456789bcdefghjkmnpqrstuvwxyz".contains(&byte.to_ascii_lowercase()));
    if is_geohash { Ok(()) } else { Err(invalid()) }
}

fn on_earth(latitude: f64, longitude: f64) -> Result<(), String> {
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(format!("illegal latitude value [{latitude}]"));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(format!("illegal longitude value [{longitude}]"));
    }
    Ok(())
}
