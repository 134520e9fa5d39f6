//! Values that the pillows share: dates in HQ's formats, strings out of free JSON, and what an id
//! says of a user.

use chrono::{NaiveDate, NaiveTime};
use pillowtop::{CowStr, Field, IndexField, Parameter, RawJson};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A date or an instant as documents write it. It stays a string, because old documents hold what
/// is neither: those reach the index, which refuses them, and become dead letters.
///
/// HQ says its formats at every date field; here a type of our own says them once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct HqDate<Text = String>(Text);

/// A date that points into the document.
pub type BorrowedDate<'a> = HqDate<CowStr<'a>>;

impl<'de, Text: Deserialize<'de> + AsRef<str> + From<String>> Deserialize<'de> for HqDate<Text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self::new)
    }
}

/// HQ's formats with the zones it added for Elasticsearch 7, as a literal. Its `mm/dd/yy'
/// 'HH:mm:ss` is left out: it says minutes where it means months, so it never fitted.
macro_rules! hq_date_formats {
    () => {
        "yyyy-MM-dd||yyyy-MM-dd'T'HH:mm:ssZZ||yyyy-MM-dd'T'HH:mm:ss.SSSSSS||yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'||\
         yyyy-MM-dd'T'HH:mm:ss'Z'||yyyy-MM-dd'T'HH:mm:ssZ||yyyy-MM-dd'T'HH:mm:ssZZ'Z'||yyyy-MM-dd'T'HH:mm:ss.SSSZZ||\
         yyyy-MM-dd'T'HH:mm:ss||yyyy-MM-dd' 'HH:mm:ss||yyyy-MM-dd' 'HH:mm:ss.SSSSSS||yyyy-MM-dd'T'HH:mm:ss.SSSx||\
         yyyy-MM-dd'T'HH:mm:ssXXX'Z'||yyyy-MM-dd'T'HH:mm:ssXXX||yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
    };
}
pub(crate) use hq_date_formats;

impl<Text> IndexField for HqDate<Text> {
    const FIELD: Field =
        Field::leaf("date", &[Parameter::new("format", concat!("\"", hq_date_formats!(), "\""))]);
}

/// What the formats of [`HqDate`] take, with `0` for any digit and `+` for either sign of a zone.
const SHAPES: [&str; 15] = [
    "0000-00-00",
    "0000-00-00T00:00:00",
    "0000-00-00T00:00:00Z",
    "0000-00-00T00:00:00+0000",
    "0000-00-00T00:00:00+0000Z",
    "0000-00-00T00:00:00+00:00",
    "0000-00-00T00:00:00+00:00Z",
    "0000-00-00T00:00:00.000000",
    "0000-00-00T00:00:00.000000Z",
    "0000-00-00T00:00:00.000Z",
    "0000-00-00T00:00:00.000+00",
    "0000-00-00T00:00:00.000+0000",
    "0000-00-00T00:00:00.000+00:00",
    "0000-00-00 00:00:00",
    "0000-00-00 00:00:00.000000",
];

impl<Text: AsRef<str> + From<String>> HqDate<Text> {
    /// A date, with its fractional seconds cut to the six digits that the formats take.
    pub fn new(text: Text) -> Self {
        match too_exact(text.as_ref()) {
            Some((kept, rest)) => Self(format!("{kept}{rest}").into()),
            None => Self(text),
        }
    }

    /// The date as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The date as it is written, by itself.
    pub fn into_text(self) -> Text {
        self.0
    }

    /// Whether one of the formats takes it.
    pub fn is_valid(&self) -> bool {
        let text = self.as_str();
        if !SHAPES.iter().any(|shape| has_shape(text, shape)) {
            return false;
        }
        let number = |start, end| text.get(start..end)?.parse::<u32>().ok();
        let date = || NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?);
        let time = || NaiveTime::from_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?);
        date().is_some() && (text.len() == 10 || time().is_some())
    }
}

impl<'a> BorrowedDate<'a> {
    /// The date that free JSON holds, when one of the formats takes it.
    pub fn of(value: &RawJson<'a>) -> Option<Self> {
        value.as_text().map(Self::new).filter(Self::is_valid)
    }
}

/// What stays of a string with more than six digits of a second.
fn too_exact(text: &str) -> Option<(&str, &str)> {
    let fraction = text.find('.')? + 1;
    let digits = text[fraction..].bytes().take_while(u8::is_ascii_digit).count();
    (digits > 6).then(|| (&text[..fraction + 6], &text[fraction + digits..]))
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'+' => matches!(byte, b'+' | b'-'),
            other => byte == other,
        })
}

/// A string, a number, a truth value, or what `XForms` with attributes make of a string (`{"#text":
/// …, "@xmlns": …}`), as a string. Anything else is none.
pub fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(mut inner) => match inner.remove("#text") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        Value::Array(_) | Value::Null => None,
    }
}

/// The same of JSON that is not parsed.
pub fn raw_text_of<'a>(value: &RawJson<'a>) -> Option<CowStr<'a>> {
    let scalar = || value.text().filter(|text| !text.starts_with(['[', 'n', '{', '"'])).map(CowStr::from);
    let inner = || value.clone().into_object()?.remove("#text")?.as_text();
    value.as_text().or_else(inner).or_else(scalar)
}

/// Any JSON as one string: strings as they are, nothing for null, JSON for the rest.
pub fn stringify(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The point on earth that a place is: `latitude longitude altitude accuracy`, as a phone writes
/// it, without the latter two.
pub fn geo_point(location: &str) -> Option<String> {
    let mut numbers = location.split_whitespace();
    let (latitude, longitude) = (numbers.next()?, numbers.next()?);
    let within = |text: &str, limit: f64| text.parse::<f64>().is_ok_and(|number| number.abs() <= limit);
    (within(latitude, 90.0) && within(longitude, 180.0)).then(|| format!("{latitude},{longitude}"))
}

/// What kind of user an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserType {
    /// HQ itself.
    System,
    /// Whoever tries an application out.
    Demo,
    /// `CommCare` Supply.
    Supply,
    /// There is no id.
    Unknown,
}

impl UserType {
    /// What the id alone tells. HQ then looks the user up, for `web` and `mobile`, and answers
    /// `unknown` when there is none; a transform sees its own document only, so any other id
    /// has no type here.
    pub fn of_id(id: Option<&str>) -> Option<Self> {
        match id {
            Some("system") => Some(Self::System),
            Some("demo_user") => Some(Self::Demo),
            Some("commtrack-system") => Some(Self::Supply),
            None | Some("") => Some(Self::Unknown),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_valid_exactly_when_a_format_takes_them() {
        for valid in [
            "2013-08-19",
            "2012-02-29",
            "2012-08-01T10:16:07Z",
            "2012-08-01T10:16:07",
            "2012-08-01T10:16:07+0530",
            "2012-08-01T10:16:07-05:00",
            "2012-08-01T10:16:07+05:30Z",
            "2013-03-09T06:30:09.007000Z",
            "2013-03-09T06:30:09.007000",
            "2013-03-09T06:30:09.007Z",
            "2013-03-09T06:30:09.007+02",
            "2013-03-09T06:30:09.007-0200",
            "2013-03-09 06:30:09",
        ] {
            assert!(HqDate::new(CowStr::borrowed(valid)).is_valid(), "{valid}");
        }
        for invalid in [
            "",
            "2012-8-02",
            "2013-02-29",
            "2012-08-01T24:00:00Z",
            "2012-08-01T10:16:60Z",
            "2012-08-01T10:16Z",
            "2013-03-09T06:30:09.0070Z",
            "2013-03-09T06:30:09.007000+02:00",
            "%(bp3_done)sT11:44:53Z",
            "01-01-1970",
            "yesterday",
            "٢٠١٣-٠٨-١٩",
        ] {
            assert!(!HqDate::new(CowStr::borrowed(invalid)).is_valid(), "{invalid}");
        }
    }

    #[test]
    fn fractions_are_cut_to_six_digits() {
        for (given, kept) in [
            ("2024-05-01T08:00:00.123456789Z", "2024-05-01T08:00:00.123456Z"),
            ("2024-05-01T08:00:00.1234567", "2024-05-01T08:00:00.123456"),
            ("2024-05-01T08:00:00.123Z", "2024-05-01T08:00:00.123Z"),
            ("no. 12345678", "no. 12345678"),
        ] {
            assert_eq!(HqDate::new(given.to_owned()).as_str(), kept);
        }
    }

    #[test]
    fn strings_come_out_of_free_json() {
        for (value, text) in [
            (json!("a"), Some("a")),
            (json!(2.50), Some("2.5")),
            (json!(true), Some("true")),
            (json!({"#text": "2.0", "@xmlns": "x"}), Some("2.0")),
            (json!({"@xmlns": "x"}), None),
            (json!(["a"]), None),
            (json!(null), None),
        ] {
            let json = value.to_string();
            assert_eq!(raw_text_of(&serde_json::from_str(&json).unwrap()).as_deref(), text, "{value}");
            assert_eq!(text_of(value.clone()).as_deref(), text, "{value}");
        }
        assert_eq!(stringify(&json!(null)), "");
        assert_eq!(stringify(&json!(["a", 1])), r#"["a",1]"#);
    }
}
