//! Shapes: `GeoJSON` and WKT read into one geometry, and what the servers ask of it.
//!
//! `OpenSearch` 2.19 and 3.6 were asked. Elasticsearch has these types only in its commercial part,
//! whose parser is the same by its source: what cannot be read is refused there too, and of what
//! can be read, only plain cases are reported as accepted.

mod geometry;

mod geojson;
mod wkt;

use super::finding::{Fit, malformed, unknown};
use super::json::Json;
use super::plan::{LeafPlan, truth};
use geometry::{Flaw, Rules};
use pillowtop_core::field_types::{Product, Target};

/// Whether a value is a shape that the field takes.
pub(super) fn check(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let rules = Rules {
        closes_rings: leaf.coerce_shapes(),
        is_on_earth: leaf.type_name == "geo_shape",
        is_known: target.product == Product::OpenSearch && leaf.type_name == "geo_shape",
        ignores_height: leaf.mapping.get("ignore_z_value").and_then(truth).unwrap_or(true),
    };
    let geometry = match value {
        Json::Text(text) => wkt::read(text),
        Json::Object(members) => geojson::read(members),
        other => Err(Flaw::Unreadable(format!("{} is not a shape", other.kind()))),
    };
    let found = geometry.and_then(|geometry| rules.check(&geometry));
    match found {
        Ok(()) => Ok(()),
        Err(Flaw::Unreadable(reason)) => malformed(reason),
        Err(Flaw::Invalid(reason)) if rules.is_known => malformed(reason),
        Err(Flaw::Invalid(reason)) => unknown(format!("{reason}, which this server may accept anyway")),
        Err(Flaw::Unsure(reason)) => unknown(reason),
    }
}
