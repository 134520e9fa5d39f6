//! Whether one value, neither a list nor `null`, fits a field of any type.

use super::finding::{Fault, Fit, malformed, refused, unknown};
use super::json::Json;
use super::numeric;
use super::plan::{Kind, LeafPlan};
use super::value::{
    LONGEST_TERM, boolean, constant, date, full_text, ip, keyword, scalar, version, wildcard,
};
use super::{flattened, geo, metrics, range, shape, special};
use pillowtop_core::field_types::{Product, Target, Version};

/// Whether one value fits.
pub(super) fn check(
    leaf: &LeafPlan,
    value: &Json<'_>,
    target: Target,
    custom_default: bool,
    is_routed: bool,
) -> Fit {
    if is_unread(leaf, value) {
        return Ok(());
    }
    if let (Json::Object(_), false) = (value, takes_objects(&leaf.kind)) {
        return object(leaf, target);
    }
    match &leaf.kind {
        Kind::Text => full_text(leaf, value, custom_default),
        Kind::Keyword => keyword(leaf, value),
        Kind::Wildcard => wildcard(leaf, value, target),
        Kind::ConstantKeyword => constant(leaf, value),
        Kind::Version => version(value, target),
        Kind::TokenCount => Ok(()),
        Kind::CountedKeyword => match value {
            Json::Text(text) if text.len() <= LONGEST_TERM => Ok(()),
            Json::Text(_) => unknown("whether so long a string is accepted is not checked"),
            other => refused(format!("{} is not a string", other.kind())),
        },
        Kind::Numeric(numeric) => numeric::check(*numeric, leaf.coerce, value, target),
        Kind::Boolean => boolean(value),
        Kind::Date { formats, newer, nanos } => {
            let is_newer = target.product == Product::Elasticsearch && target.version >= Version::new(7, 12);
            date(newer.as_ref().filter(|_| is_newer).unwrap_or(formats), *nanos, value, target)
        }
        Kind::Ip => ip(scalar(value)?, target).map(drop),
        Kind::NumberRange(numeric) => of_range(range::numbers(*numeric, leaf.coerce, value, target), target),
        Kind::DateRange(formats) => of_range(range::dates(formats, value, target), target),
        Kind::IpRange => of_range(range::addresses(value, target), target),
        Kind::Binary => special::binary(leaf, value),
        Kind::GeoPoint => geo::point(leaf, value, target),
        Kind::Shape => shape::check(leaf, value, target),
        Kind::Flattened => flattened::check(leaf, value, target),
        Kind::Completion => special::completion(leaf, value),
        Kind::Join => special::join(leaf, value, is_routed),
        Kind::DenseVector => special::dense_vector(leaf, value, target),
        Kind::RankFeature => special::rank_feature(leaf, value),
        Kind::RankFeatures | Kind::SparseVector => special::rank_features(leaf, value, target),
        Kind::Histogram => metrics::histogram(value),
        Kind::AggregateMetric => metrics::aggregate(leaf, value, target),
        Kind::Percolator => metrics::percolator(value),
        Kind::Alias => refused("it is another name of another field, and nothing can be written to it"),
        Kind::Unknown => unknown(format!("values of type `{}` are not checked", leaf.type_name)),
    }
}

/// Whether servers do not look at a value, since nothing is kept of it. What else is not kept is
/// read all the same.
fn is_unread(leaf: &LeafPlan, value: &Json<'_>) -> bool {
    let is_kept = leaf.index || leaf.store || leaf.doc_values.unwrap_or(true);
    match leaf.kind {
        Kind::Boolean => !is_kept && !matches!(value, Json::Object(_)),
        Kind::Flattened => leaf.type_name == "flattened" && !leaf.index && leaf.doc_values == Some(false),
        _ => false,
    }
}

/// `OpenSearch` alone leaves malformed ranges out.
fn of_range(fit: Fit, target: Target) -> Fit {
    fit.map_err(|fault| match (fault, target.product) {
        (Fault::Refused(reason), Product::OpenSearch) => Fault::Malformed(reason),
        (Fault::Malformed(reason), Product::Elasticsearch) => Fault::Refused(reason),
        (other, _) => other,
    })
}

/// Whether a type has values that are objects.
pub(super) fn takes_objects(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::NumberRange(_)
            | Kind::DateRange(_)
            | Kind::IpRange
            | Kind::GeoPoint
            | Kind::Shape
            | Kind::Flattened
            | Kind::Completion
            | Kind::Join
            | Kind::DenseVector
            | Kind::RankFeatures
            | Kind::SparseVector
            | Kind::Histogram
            | Kind::AggregateMetric
            | Kind::Percolator
            | Kind::Alias
            | Kind::Unknown
    )
}

/// `OpenSearch` 3 and, for dates, Elasticsearch 9 leave an object out where a value is malformed;
/// others refuse the document.
fn object(leaf: &LeafPlan, target: Target) -> Fit {
    let reason = "an object found where a value is expected";
    let major = target.version.major;
    let may_be_ignored = match (target.product, &leaf.kind) {
        (Product::OpenSearch, Kind::Numeric(numeric::Numeric::ScaledFloat)) => false,
        (Product::OpenSearch, Kind::Numeric(_) | Kind::Date { .. } | Kind::Ip) => major >= 3,
        (Product::Elasticsearch, Kind::Date { .. }) => major >= 9,
        _ => false,
    };
    if may_be_ignored { malformed(reason) } else { refused(reason) }
}
