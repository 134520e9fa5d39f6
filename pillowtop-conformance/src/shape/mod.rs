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
use super::plan::{LeafPlan, text, truth};
use geometry::{Flaw, Rules};
use pillowtop_core::field_types::{Product, Target};

/// Parameters of which one makes a prefix tree of a field.
const PREFIX_TREE: [&str; 6] =
    ["strategy", "tree", "tree_levels", "precision", "distance_error_pct", "points_only"];

/// Whether a field holds points alone. Fields of prefix trees may, which `OpenSearch` still has.
fn is_for_points_only(leaf: &LeafPlan) -> bool {
    leaf.mapping
        .get("points_only")
        .and_then(truth)
        .unwrap_or_else(|| text(&leaf.mapping, "strategy") == Some("term"))
}

/// Whether a value is a shape that the field takes.
pub(super) fn check(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let rules = Rules {
        closes_rings: leaf.coerce_shapes(),
        is_on_earth: leaf.type_name == "geo_shape",
        is_known: target.product == Product::OpenSearch && leaf.type_name == "geo_shape",
        is_prefix_tree: PREFIX_TREE.iter().any(|name| leaf.mapping.contains_key(*name)),
        points_only: is_for_points_only(leaf),
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
