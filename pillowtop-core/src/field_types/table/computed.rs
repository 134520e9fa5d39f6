//! Completion, counts, hashes, stored queries, aggregated values.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::FieldType;
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{
    self, Any, Boolean, Integer, ListOf, ListOfMembers, OneOf, Path, PositiveNumber, Text,
};
use crate::field_types::shared::{
    ANALYZER, COERCE, COMMON, DOC_VALUES, IGNORE_MALFORMED, INDEX, SEARCH_ANALYZER, STORAGE, STORE,
    null_value, skip_list, time_series_metric,
};

const CONTEXT: &[Parameter] = &[
    Parameter::new("name", Text, "What queries call it").required(),
    Parameter::new("type", OneOf(&["category", "geo"]), "Exact strings, or places").required(),
    Parameter::new("path", Path, "The field its value is read from"),
    Parameter::new("precision", Any, "How exact a place is: a geohash length, or a distance as text"),
];

const COMPLETION: &[Parameter] = &[
    ANALYZER,
    SEARCH_ANALYZER,
    Parameter::new("preserve_separators", Boolean, "Whether separators count; default true"),
    Parameter::new("preserve_position_increments", Boolean, "Whether left-out words count; default true"),
    Parameter::new(
        "max_input_length",
        ValueKind::POSITIVE_COUNT,
        "How many characters of an input count; default 50",
    )
    .updateable(),
    Parameter::new("contexts", ListOfMembers(CONTEXT), "What filters or boosts suggestions"),
];

const TOKEN_COUNT: &[Parameter] = &[
    ANALYZER.required().updateable(),
    Parameter::new("enable_position_increments", Boolean, "Whether left-out words count; default true"),
    null_value(Integer { minimum: i32::MIN as i128, maximum: i32::MAX as i128 }),
    skip_list(3, 3),
];

const MURMUR3: &[Parameter] = &[STORE, INDEX, DOC_VALUES];

const METRICS: &[&str] = &["min", "max", "sum", "value_count"];

const AGGREGATE_METRIC: &[Parameter] = &[
    Parameter::new("metrics", ListOf(METRICS), "Which metrics each value has").required(),
    Parameter::new("default_metric", OneOf(METRICS), "The metric that queries read").required(),
    IGNORE_MALFORMED,
    time_series_metric(&["gauge"]).elasticsearch(8, 0),
];

const HISTOGRAM: &[Parameter] =
    &[IGNORE_MALFORMED, COERCE.elasticsearch(9, 3), time_series_metric(&["histogram"]).elasticsearch(9, 3)];

const DIGEST: &[Parameter] = &[
    Parameter::new("compression", PositiveNumber, "How exact it is; default 100"),
    Parameter::new(
        "digest_type",
        OneOf(&["default", "high_accuracy"]),
        "How digests are merged; default default",
    ),
];

/// Completion, counts, hashes, stored queries, aggregated values.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf("completion", "Suggestions while typing, in memory", &[COMPLETION, COMMON]),
    FieldType::leaf("token_count", "How many terms a text has", &[TOKEN_COUNT, STORAGE, COMMON]),
    // Its mapper reads no parameters at all.
    FieldType::leaf("percolator", "A stored query, matched against documents", &[]),
    FieldType::leaf("murmur3", "The hash of a value, for counting distinct ones", &[MURMUR3, COMMON])
        .plugin("mapper-murmur3"),
    FieldType::leaf("histogram", "Values and how often each occurs", &[HISTOGRAM, COMMON])
        .available(Availability::elasticsearch(7, 6))
        .not_in_multi_fields(),
    FieldType::leaf("exponential_histogram", "A histogram as OpenTelemetry has them", &[HISTOGRAM, COMMON])
        .available(Availability::elasticsearch(9, 3))
        .not_in_multi_fields(),
    FieldType::leaf("tdigest", "A digest of many numbers, for percentiles", &[DIGEST, HISTOGRAM, COMMON])
        .available(Availability::elasticsearch(9, 3))
        .not_in_multi_fields(),
    FieldType::leaf(
        "aggregate_metric_double",
        "Minimum, maximum, sum and count of many numbers",
        &[AGGREGATE_METRIC, COMMON],
    )
    .available(Availability::elasticsearch(7, 11))
    .not_in_multi_fields(),
];
