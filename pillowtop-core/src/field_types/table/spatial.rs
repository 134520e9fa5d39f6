//! Points and shapes, on the earth and in the plane.

use crate::field_types::availability::Availability;
use crate::field_types::field_type::{Counterpart, FieldType};
use crate::field_types::parameter::Parameter;
use crate::field_types::parameter::ValueKind::{
    Boolean, GeoPoint, Integer, NumberBetween, OneOf, Point, Text,
};
use crate::field_types::shared::{
    COERCE, COMMON, COMMON_IN_OPENSEARCH, DOC_VALUES, IGNORE_MALFORMED, IGNORE_Z_VALUE, INDEX, ORIENTATION,
    SCRIPTED, STORAGE, STORE, null_value, time_series_metric,
};

const GEO_POINT: &[Parameter] = &[
    null_value(GeoPoint),
    IGNORE_MALFORMED,
    IGNORE_Z_VALUE,
    time_series_metric(&["position"]).elasticsearch(8, 8),
];

const SHAPE: &[Parameter] = &[ORIENTATION, IGNORE_MALFORMED, IGNORE_Z_VALUE, COERCE];

/// What versions before 7 indexed shapes with, prefix trees; Elasticsearch 8 rejects it.
const PREFIX_TREES: Availability = Availability::EVERYWHERE.removed_from_elasticsearch(8, 0);

const GEO_SHAPE: &[Parameter] = &[
    DOC_VALUES.available(Availability::both((7, 8), (2, 9))),
    INDEX.elasticsearch(8, 1),
    STORE.elasticsearch(8, 10),
    Parameter::new("strategy", OneOf(&["recursive", "term"]), "Of prefix trees, which are deprecated")
        .available(PREFIX_TREES),
    Parameter::new(
        "tree",
        OneOf(&["geohash", "quadtree", "legacyquadtree"]),
        "Of prefix trees, which are deprecated",
    )
    .available(PREFIX_TREES),
    Parameter::new("precision", Text, "Of prefix trees, which are deprecated").available(PREFIX_TREES),
    Parameter::new(
        "tree_levels",
        Integer { minimum: 1, maximum: 50 },
        "Of prefix trees, which are deprecated",
    )
    .available(PREFIX_TREES),
    Parameter::new(
        "distance_error_pct",
        NumberBetween { minimum: 0.0, maximum: 0.5 },
        "Of prefix trees, which are deprecated",
    )
    .available(PREFIX_TREES),
    Parameter::new("points_only", Boolean, "Of prefix trees, which are deprecated").available(PREFIX_TREES),
];

const POINT: &[Parameter] = &[null_value(Point), IGNORE_MALFORMED, IGNORE_Z_VALUE];
const PLANE_SHAPE: &[Parameter] =
    &[DOC_VALUES.elasticsearch(8, 7), INDEX.elasticsearch(8, 1), STORE.elasticsearch(8, 10)];
const XY_SHAPE: &[Parameter] = &[INDEX, STORE, DOC_VALUES];

/// Points and shapes.
pub(super) const TYPES: &[FieldType] = &[
    FieldType::leaf(
        "geo_point",
        "A point on the earth: latitude and longitude",
        &[GEO_POINT, STORAGE, SCRIPTED, COMMON],
    ),
    FieldType::leaf("geo_shape", "A shape on the earth: lines, polygons", &[SHAPE, GEO_SHAPE, COMMON]),
    FieldType::leaf("point", "A point in the plane", &[POINT, STORAGE, COMMON])
        .available(Availability::elasticsearch(7, 8))
        .counterpart(Counterpart::Renamed("xy_point")),
    FieldType::leaf("shape", "A shape in the plane", &[SHAPE, PLANE_SHAPE, COMMON])
        .available(Availability::elasticsearch(7, 4))
        .counterpart(Counterpart::Renamed("xy_shape")),
    FieldType::leaf("xy_point", "A point in the plane", &[POINT, STORAGE, COMMON_IN_OPENSEARCH])
        .available(Availability::opensearch(2, 4))
        .counterpart(Counterpart::Renamed("point")),
    FieldType::leaf("xy_shape", "A shape in the plane", &[SHAPE, XY_SHAPE, COMMON_IN_OPENSEARCH])
        .available(Availability::opensearch(2, 4))
        .counterpart(Counterpart::Renamed("shape")),
];
