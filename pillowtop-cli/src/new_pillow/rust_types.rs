//! The Rust type that a field of an index is read with.

use std::net::IpAddr;

use pillowtop_core::index_field::IndexField;
use serde_json::{Map, Value};

use crate::new_pillow::model::RustType;

/// The format that serde's text of an instant has.
const INSTANT: &str = "strict_date_optional_time_nanos";
/// The formats that serde's text of a date has.
const DATES: [&str; 4] = ["strict_date", "date", "yyyy-MM-dd", "uuuu-MM-dd"];
/// The formats of numbers.
const EPOCHS: [&str; 2] = ["epoch_millis", "epoch_second"];

/// The Rust type for a mapping. Where documents may hold several kinds of JSON it is any JSON.
pub(super) fn rust_type(type_name: &str, parameters: &Map<String, Value>) -> RustType {
    if parameters.get("ignore_malformed") == Some(&Value::Bool(true)) {
        return RustType::Json;
    }
    match type_name {
        "keyword"
        | "text"
        | "match_only_text"
        | "constant_keyword"
        | "wildcard"
        | "counted_keyword"
        | "search_as_you_type"
        | "annotated_text"
        | "pattern_text"
        | "icu_collation_keyword"
        | "binary"
        | "version"
        | "token_count"
        | "semantic_text" => RustType::Text,
        "boolean" => RustType::Boolean,
        "byte" => RustType::I8,
        "short" => RustType::I16,
        "integer" => RustType::I32,
        "long" => RustType::I64,
        "unsigned_long" => RustType::U64,
        "float" | "half_float" => RustType::F32,
        "double" | "scaled_float" | "rank_feature" => RustType::F64,
        "ip" => RustType::IpAddress,
        "date" | "date_nanos" => date(parameters),
        "dense_vector" | "knn_vector" => RustType::Vector,
        "rank_features" | "sparse_vector" => RustType::Weights,
        "flattened" | "flat_object" => RustType::JsonObject,
        _ => RustType::Json,
    }
}

fn date(parameters: &Map<String, Value>) -> RustType {
    match parameters.get("format").and_then(Value::as_str) {
        Some(INSTANT) => RustType::Instant,
        Some(format) if DATES.contains(&format) => RustType::Date,
        Some(format) if EPOCHS.contains(&format) => RustType::I64,
        // The default also reads numbers, which few documents have.
        _ => RustType::Text,
    }
}

/// The mapping that follows from a Rust type without an attribute: type and parameters.
pub(super) fn default_of(rust_type: RustType) -> Option<(&'static str, Vec<(&'static str, Value)>)> {
    let field = match rust_type {
        RustType::Text => String::FIELD,
        RustType::Boolean => bool::FIELD,
        RustType::I8 => i8::FIELD,
        RustType::I16 => i16::FIELD,
        RustType::I32 => i32::FIELD,
        RustType::I64 => i64::FIELD,
        RustType::U64 => u64::FIELD,
        RustType::F32 => f32::FIELD,
        RustType::F64 => f64::FIELD,
        RustType::IpAddress => IpAddr::FIELD,
        RustType::Instant => return Some(("date", vec![("format", Value::from(INSTANT))])),
        RustType::Date => return Some(("date", vec![("format", Value::from("strict_date"))])),
        RustType::Vector
        | RustType::Weights
        | RustType::Json
        | RustType::JsonObject
        | RustType::Struct(_) => {
            return None;
        }
    };
    let value = |json: &str| serde_json::from_str(json).unwrap_or(Value::Null);
    let parameters = field.parameters.iter().map(|parameter| (parameter.name, value(parameter.json)));
    Some((field.type_name, parameters.collect()))
}

impl RustType {
    /// The type in Rust, by the name of the struct that it may be.
    pub(super) fn text(self, struct_names: &[String]) -> String {
        match self {
            Self::Text => "String".to_owned(),
            Self::Boolean => "bool".to_owned(),
            Self::I8 => "i8".to_owned(),
            Self::I16 => "i16".to_owned(),
            Self::I32 => "i32".to_owned(),
            Self::I64 => "i64".to_owned(),
            Self::U64 => "u64".to_owned(),
            Self::F32 => "f32".to_owned(),
            Self::F64 => "f64".to_owned(),
            Self::IpAddress => "IpAddr".to_owned(),
            Self::Instant => "DateTime<Utc>".to_owned(),
            Self::Date => "NaiveDate".to_owned(),
            Self::Vector => "Vec<f32>".to_owned(),
            Self::Weights => "BTreeMap<String, f64>".to_owned(),
            Self::Json => "Value".to_owned(),
            Self::JsonObject => "Map<String, Value>".to_owned(),
            Self::Struct(index) => struct_names.get(index).cloned().unwrap_or_default(),
        }
    }

    /// What must be imported for it, as crate and names.
    pub(super) fn imports(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::IpAddress => ("std::net", &["IpAddr"]),
            Self::Instant => ("chrono", &["DateTime", "Utc"]),
            Self::Date => ("chrono", &["NaiveDate"]),
            Self::Weights => ("std::collections", &["BTreeMap"]),
            Self::Json => ("serde_json", &["Value"]),
            Self::JsonObject => ("serde_json", &["Map", "Value"]),
            _ => ("", &[]),
        }
    }
}
