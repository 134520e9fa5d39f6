//! What to write so that a value fits.

use super::finding::Effect;
use super::plan::{Kind, LeafPlan};

/// What to write where a field does this to a value.
pub(super) fn hint(leaf: &LeafPlan, effect: Effect) -> String {
    match effect {
        Effect::Truncated => "raise `ignore_above`, at most to 8191, or map it as `text`".to_owned(),
        Effect::Rejected => rejected(leaf),
        _ => String::new(),
    }
}

fn rejected(leaf: &LeafPlan) -> String {
    let or_ignore = "or `ignore_malformed = true`, to leave such values out";
    match &leaf.kind {
        Kind::Keyword | Kind::Wildcard => "write `ignore_above = 8191` at the field".to_owned(),
        Kind::Text | Kind::TokenCount => "write a text, or map it as an object or `flattened`".to_owned(),
        Kind::Date { .. } => format!("name its format: `#[es(date, format = \"…\")]`, {or_ignore}"),
        Kind::Numeric(_) => format!("write a number in range, map it as another type, {or_ignore}"),
        Kind::Boolean => "write true or false, for instance by a transform".to_owned(),
        Kind::Ip => format!("write an address such as `10.0.0.1`, {or_ignore}"),
        Kind::GeoPoint => format!("write a point such as {{\"lat\": 1.5, \"lon\": 2}}, {or_ignore}"),
        Kind::Shape => format!("write a shape in GeoJSON or WKT whose rings are closed, {or_ignore}"),
        Kind::NumberRange(_) | Kind::DateRange(_) => {
            "write a range such as {\"gte\": …, \"lte\": …}, the lower bound first".to_owned()
        }
        Kind::IpRange => "write a network such as `10.0.0.0/8`".to_owned(),
        Kind::Histogram => format!("write {{\"values\": [1, 2], \"counts\": [3, 4]}}, {or_ignore}"),
        Kind::AggregateMetric => format!("write an object with each of the field's metrics, {or_ignore}"),
        Kind::Percolator => "write a query such as {\"match_all\": {}}".to_owned(),
        Kind::Flattened => "write an object".to_owned(),
        Kind::Alias => "leave the member out; write to the field that it stands for".to_owned(),
        Kind::Join => "write the name of a relation without a parent".to_owned(),
        Kind::Binary => "write padded Base64".to_owned(),
        _ => format!("write what `{}` takes, or map it as another type", leaf.type_name),
    }
}
