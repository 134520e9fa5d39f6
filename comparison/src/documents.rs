//! Generates documents for a mapping: values that its fields are for, values near their borders,
//! and anything else.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::draw::Draw;

/// A document as its members in order, each with its JSON text, since `1e3` and `1000` are not the
/// same to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(pub(crate) Vec<(String, String)>);

impl Document {
    /// The text that is sent.
    #[must_use]
    pub fn text(&self) -> String {
        object(&self.0)
    }
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    format!("{{{}}}", members.join(","))
}

/// JSON strings of scalars and small structures, near the borders of what types hold.
pub fn values() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-40_000_i64..40_000).prop_map(|number| number.to_string()),
        (-2_147_484_000_i64..-2_147_483_000).prop_map(|number| number.to_string()),
        (-70_000.0_f64..70_000.0).prop_map(|number| format!("{number:.3}")),
        (0_u8..25, -330_i32..330).prop_map(|(digit, exponent)| format!("{digit}e{exponent}")),
        "-?[1-9][0-9]{0,25}(\\.[0-9]{1,4})?",
    ];
    let date = "(19|20)[0-9]{2}-(0[1-9]|1[0-3])-(0[1-9]|[12][0-9]|3[01])([T ](0[0-9]|1[0-9]|2[0-4]):[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?(Z|[+-]0[0-9]:?[0-5]0)?)?";
    let text = prop_oneof![
        date,
        date,
        "[+-]?[0-9]{1,20}(\\.[0-9]{0,4})?(e[+-]?[0-9]{1,3})?",
        "[0-9]{4}(-[0-9]{1,2}){0,2}",
        "([0-9]{1,3}\\.){3}[0-9]{1,3}",
        "([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}",
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?,-?[0-9]{1,3}",
        "(true|false|True|NaN|null|now|)",
        "[ -~]{0,8}",
    ]
    .prop_map(|text| Value::from(text).to_string());
    let scalar = prop_oneof![
        number.clone(),
        number,
        text.clone(),
        text,
        Just("true".to_owned()),
        Just("null".to_owned())
    ];
    prop_oneof![
        12 => scalar.clone(),
        1 => prop::collection::vec(scalar.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
        1 => ("(gte|lte|lat|a)", scalar.clone(), "(lt|gt|lon|b)", scalar)
            .prop_map(|(first, one, second, other)| format!("{{\"{first}\":{one},\"{second}\":{other}}}")),
    ]
}

/// Documents for a root mapping.
pub(crate) fn documents(draw: &mut Draw, mappings: &Value, count: usize) -> Vec<Document> {
    let none = Map::new();
    let properties = mappings["properties"].as_object().unwrap_or(&none);
    (0..count)
        .map(|_| {
            let mut members = members(draw, properties);
            if draw.one_in(6) || members.is_empty() {
                let name = draw.word(&["x0", "f_id", "f9", "p.x", "my_name", "f0.x", ""]);
                members.push((name.to_owned(), anything(draw)));
            }
            Document(members)
        })
        .collect()
}

/// Up to two of an object's members.
fn members(draw: &mut Draw, properties: &Map<String, Value>) -> Vec<(String, String)> {
    let all: Vec<(&String, &Value)> = properties.iter().collect();
    let mut members: Vec<(String, String)> = Vec::new();
    for _ in 0..=draw.below(2) {
        let Some((name, mapping)) = draw.pick(&all).copied() else { break };
        if !members.iter().any(|(known, _)| known == name) {
            members.push((name.clone(), value(draw, mapping)));
        }
    }
    members
}

fn value(draw: &mut Draw, mapping: &Value) -> String {
    if draw.one_in(20) {
        let odd = draw.word(&["null", "[]", "{}", "[null]", "[[]]", "{\"a\":1}", "[1,\"x\"]", "\"\""]);
        return odd.to_owned();
    }
    if let Some(properties) = mapping["properties"].as_object().filter(|_| !draw.one_in(8)) {
        let one = object(&members(draw, properties));
        return if draw.one_in(4) { format!("[{one},{{}}]") } else { one };
    }
    let fitting = fitting(mapping["type"].as_str().unwrap_or("object"));
    if fitting.is_empty() || draw.one_in(3) { anything(draw) } else { draw.word(fitting).to_owned() }
}

fn anything(draw: &mut Draw) -> String {
    draw.from(&values()).unwrap_or_else(|| "null".to_owned())
}

/// Values that a type is for, with some near its borders.
fn fitting(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "byte" => &["1", "-128", "128", "\"5\"", "1.5"],
        "short" => &["1", "32767", "32768", "\"5\""],
        "integer" | "token_count" => &["1", "2147483647", "2147483648", "\"7\"", "1.0", "\"one two\""],
        "long" => &["1", "9223372036854775807", "9223372036854775808", "\"7\"", "1e3"],
        "unsigned_long" => &["1", "18446744073709551615", "-1", "\"7\"", "1.0"],
        "float" | "half_float" | "double" | "scaled_float" => {
            &["1", "1.5", "\"1.5\"", "1e39", "65520", "\"NaN\""]
        }
        "boolean" => &["true", "\"false\"", "\"\"", "\"yes\"", "1"],
        "keyword" | "wildcard" | "constant_keyword" | "version" | "text" | "match_only_text"
        | "search_as_you_type" => &["\"text\"", "\"1.2.3\"", "7", "true", "[\"a\",\"b\"]", "{\"a\":1}"],
        "date" | "date_nanos" => &[
            "\"2024-01-02\"",
            "\"2024-01-02T03:04:05.678Z\"",
            "\"2024-01-02T03:04Z\"",
            "1700000000000",
            "\"1700000000000\"",
            "-1",
            "\"2024-13-02\"",
            "\"20240102\"",
            "\"2024-01-02 03:04:05\"",
        ],
        "ip" => &["\"192.168.0.1\"", "\"::1\"", "\"1.2.3\"", "1"],
        "integer_range" | "long_range" | "float_range" | "double_range" => &[
            "{\"gte\":1,\"lt\":5}",
            "{\"gte\":5,\"lt\":1}",
            "{\"gte\":\"1\"}",
            "{}",
            "1",
            "{\"from\":1,\"to\":2}",
        ],
        "date_range" => &["{\"gte\":\"2024-01-01\",\"lte\":\"2024-02-01\"}", "{\"gt\":\"x\"}", "{}"],
        "ip_range" => &["{\"gte\":\"::1\"}", "\"10.0.0.0/8\"", "\"10.0.0.1\"", "{\"gte\":\"x\"}"],
        "binary" => &["\"aGVsbG8=\"", "\"?\"", "1"],
        "geo_point" => &[
            "\"41.12,-71.34\"",
            "{\"lat\":1,\"lon\":2}",
            "[1,2]",
            "[1,2,3]",
            "\"drm3btev3e86\"",
            "{\"lat\":91,\"lon\":0}",
            "[[1,2],[3,4]]",
            "\"POINT (1 2)\"",
        ],
        "geo_shape" | "shape" | "xy_shape" => &[
            "{\"type\":\"Point\",\"coordinates\":[1,2]}",
            "\"POINT (1 2)\"",
            "{\"type\":\"point\",\"coordinates\":[1]}",
            "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}",
        ],
        "flattened" | "flat_object" => &["{\"a\":{\"b\":1}}", "{\"a\":[\"x\",null]}", "\"x\"", "{}"],
        "join" => &["\"a\"", "{\"name\":\"a\"}", "\"b\"", "{\"name\":\"b\",\"parent\":\"1\"}", "\"x\""],
        "rank_feature" => &["1", "0", "-1", "\"2\""],
        "rank_features" => &["{\"a\":1}", "{\"a\":0}", "{\"a\":\"x\"}", "{\"a.b\":1}"],
        "completion" => {
            &["\"a\"", "[\"a\",\"b\"]", "{\"input\":\"a\",\"weight\":3}", "{\"weight\":3}", "\"\""]
        }
        "percolator" => &["{\"match_all\":{}}", "{\"bogus\":{}}", "1"],
        "counted_keyword" => &["\"a\"", "[\"a\",\"a\"]"],
        _ => &[],
    }
}
