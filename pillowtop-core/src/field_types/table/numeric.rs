//! Numbers and ranges.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::FieldType;
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{Integer, Number, PositiveNumber};
use crate::field_types::shared::{
    BOOSTED, COERCE, COMMON, DIMENSION, DOC_VALUES, FORMAT, IGNORE_MALFORMED, INDEX, LOCALE, SCRIPTED_FIRST,
    STORAGE, STORE, null_value, skip_list, time_series_metric,
};

const NUMBER: &[Parameter] =
    &[IGNORE_MALFORMED, COERCE, time_series_metric(&["counter", "gauge"]), skip_list(3, 2)];

const NULL_BYTE: &[Parameter] = &[null_value(Integer { minimum: i8::MIN as i128, maximum: i8::MAX as i128 })];
const NULL_SHORT: &[Parameter] =
    &[null_value(Integer { minimum: i16::MIN as i128, maximum: i16::MAX as i128 })];
const NULL_INTEGER: &[Parameter] =
    &[null_value(Integer { minimum: i32::MIN as i128, maximum: i32::MAX as i128 })];
const NULL_LONG: &[Parameter] =
    &[null_value(Integer { minimum: i64::MIN as i128, maximum: i64::MAX as i128 })];
const NULL_UNSIGNED: &[Parameter] = &[
    null_value(Integer { minimum: 0, maximum: u64::MAX as i128 }),
    // Elasticsearch's own mapper of this type has no `coerce`.
    COERCE.opensearch(2, 8),
];
const NULL_NUMBER: &[Parameter] = &[null_value(Number)];

const SCALED: &[Parameter] = &[
    Parameter::new("scaling_factor", PositiveNumber, "Values are multiplied by it and rounded").required(),
    null_value(Number),
    skip_list(3, 3),
];

const RANGE: &[Parameter] = &[INDEX, STORE, DOC_VALUES, COERCE];
const DATE_RANGE: &[Parameter] = &[FORMAT, LOCALE];

/// The numeric family, and the ranges.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf(
        "long",
        "A whole number of 64 bits",
        &[NULL_LONG, STORAGE, NUMBER, SCRIPTED_FIRST, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "integer",
        "A whole number of 32 bits",
        &[NULL_INTEGER, STORAGE, NUMBER, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "short",
        "A whole number of 16 bits",
        &[NULL_SHORT, STORAGE, NUMBER, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "byte",
        "A whole number of 8 bits",
        &[NULL_BYTE, STORAGE, NUMBER, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "unsigned_long",
        "A whole number of 64 bits from 0",
        &[NULL_UNSIGNED, STORAGE, NUMBER, DIMENSION, BOOSTED, COMMON],
    )
    .available(Availability::both((7, 10), (2, 8))),
    FieldType::leaf(
        "double",
        "A floating-point number of 64 bits",
        &[NULL_NUMBER, STORAGE, NUMBER, SCRIPTED_FIRST, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "float",
        "A floating-point number of 32 bits",
        &[NULL_NUMBER, STORAGE, NUMBER, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "half_float",
        "A floating-point number of 16 bits",
        &[NULL_NUMBER, STORAGE, NUMBER, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "scaled_float",
        "A number with a fixed count of decimals",
        &[SCALED, STORAGE, NUMBER, BOOSTED, COMMON],
    ),
    FieldType::leaf(
        "integer_range",
        "From one to another whole number of 32 bits",
        &[RANGE, BOOSTED, COMMON],
    ),
    FieldType::leaf("long_range", "From one to another whole number of 64 bits", &[RANGE, BOOSTED, COMMON]),
    FieldType::leaf("float_range", "From one to another number of 32 bits", &[RANGE, BOOSTED, COMMON]),
    FieldType::leaf("double_range", "From one to another number of 64 bits", &[RANGE, BOOSTED, COMMON]),
    FieldType::leaf("date_range", "From one to another instant", &[DATE_RANGE, RANGE, BOOSTED, COMMON]),
    FieldType::leaf("ip_range", "From one to another IP address, or a network", &[RANGE, BOOSTED, COMMON]),
];
