//! Dates, booleans, bytes, addresses, versions.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::FieldType;
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{Boolean, DateFormat, IpAddress};
use crate::field_types::shared::{
    BOOSTED, COMMON, DIMENSION, DOC_VALUES, FORMAT, IGNORE_MALFORMED, INDEX, LOCALE, NULL_DATE, SCRIPTED,
    STORAGE, STORE, TIME_SERIES_DIMENSION, null_value, skip_list,
};

const DATE: &[Parameter] = &[
    FORMAT,
    LOCALE,
    NULL_DATE,
    IGNORE_MALFORMED,
    Parameter::new(
        "print_format",
        DateFormat,
        "The date format that is written; default the first that is read",
    )
    .opensearch(2, 11),
    skip_list(3, 3),
];

const BOOLEAN: &[Parameter] =
    &[null_value(Boolean), IGNORE_MALFORMED.elasticsearch(8, 8), TIME_SERIES_DIMENSION.elasticsearch(8, 17)];

const BINARY: &[Parameter] = &[STORE, DOC_VALUES];

const IP: &[Parameter] =
    &[null_value(IpAddress), IGNORE_MALFORMED.available(Availability::both((7, 4), (1, 0)))];

const VERSION: &[Parameter] = &[INDEX.opensearch(3, 2), STORE.opensearch(3, 2), DOC_VALUES.opensearch(3, 2)];

/// Dates, booleans, bytes, addresses, versions.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf("date", "An instant, kept in milliseconds", &[DATE, STORAGE, SCRIPTED, BOOSTED, COMMON]),
    FieldType::leaf(
        "date_nanos",
        "An instant from 1970 to 2262, kept in nanoseconds",
        &[DATE, STORAGE, SCRIPTED, BOOSTED, COMMON],
    ),
    FieldType::leaf("boolean", "True or false", &[BOOLEAN, STORAGE, SCRIPTED, BOOSTED, COMMON]),
    FieldType::leaf("binary", "Bytes as Base64, which cannot be searched", &[BINARY, COMMON]),
    FieldType::leaf(
        "ip",
        "An IP address, version 4 or 6",
        &[IP, STORAGE, SCRIPTED, DIMENSION, BOOSTED, COMMON],
    ),
    FieldType::leaf("version", "A software version that sorts as such", &[VERSION, COMMON])
        .available(Availability::both((7, 10), (3, 2))),
];
