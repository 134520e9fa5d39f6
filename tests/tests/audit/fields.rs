//! The table of cases, each mapping a field of one index.

use pillowtop_conformance::Conformance;
use pillowtop_core::field_types::{Product, Target, field_type};
use serde_json::{Map, Value, json};

use crate::cases;
use crate::server::{Comparison, Index};

/// Types that are not in the Elasticsearch that the tests install, the one without its commercial
/// part.
const COMMERCIAL: [&str; 12] = [
    "aggregate_metric_double",
    "constant_keyword",
    "counted_keyword",
    "dense_vector",
    "flattened",
    "geo_shape",
    "histogram",
    "point",
    "shape",
    "unsigned_long",
    "version",
    "wildcard",
];

/// Types of modules that a server may be built without, whose values are not checked or are the
/// same elsewhere.
const OPTIONAL: [&str; 8] = [
    "geo_shape",
    "knn_vector",
    "match_only_text",
    "percolator",
    "semver",
    "sparse_vector",
    "xy_point",
    "xy_shape",
];

/// Types of a module that small builds of Elasticsearch 8 and newer come without.
const OF_EXTRAS: [&str; 5] =
    ["rank_feature", "rank_features", "scaled_float", "search_as_you_type", "token_count"];

/// Formats that not every server has.
const OF_SOME: [&str; 3] = ["rfc3339_lenient", "strict_week_year", "week_year"];

#[tokio::test(flavor = "multi_thread")]
async fn each_value_is_checked_as_the_server_does() {
    let settings = json!({"mapping.total_fields.limit": 5000});
    let root = json!({"dynamic": false, "properties": {"long_target": {"type": "long"}}});
    let index = Index::create("fields", &root, &settings).await;
    let mut properties = Map::from_iter([("long_target".to_owned(), json!({"type": "long"}))]);
    let mut documents = Vec::new();
    let cases = cases::all();
    for (number, case) in cases.iter().enumerate() {
        let name = format!("f{number}");
        if let Err(reason) = index.add_field(&name, &case.mapping).await {
            assert!(may_be_absent(&case.mapping, index.target), "{} is not taken: {reason}", case.mapping);
            continue;
        }
        properties.insert(name.clone(), case.mapping.clone());
        for (position, value) in case.values.iter().enumerate() {
            documents.push((format!("{name}-{position}"), format!("{{\"{name}\":{value}}}")));
        }
    }
    assert!(properties.len() > 100, "{} of {} mappings", properties.len(), cases.len());
    let conformance =
        Conformance::new(&json!({"dynamic": false, "properties": properties}), &Value::Object(Map::new()));
    let done = index.index(&documents).await;
    let mut comparison = Comparison::default();
    comparison.add(&conformance, index.target, &documents, &done);
    let target = index.target;
    index.delete().await;
    comparison.finish(target);
}

/// Whether the table of types says that the target has no such field, or its servers come without
/// it.
fn may_be_absent(mapping: &Value, target: Target) -> bool {
    let name = mapping["type"].as_str().unwrap_or("object");
    let has_other_format = mapping["format"].as_str().is_some_and(|format| OF_SOME.contains(&format));
    if OPTIONAL.contains(&name) || has_other_format || mapping["dynamic"] == json!("runtime") {
        return true;
    }
    if let Some(fields) = mapping["fields"].as_object()
        && fields.values().any(|field| may_be_absent(field, target))
    {
        return true;
    }
    let Some(found) = field_type(name) else { return false };
    let members = mapping.as_object().unwrap();
    let mut parameters =
        members.keys().filter(|parameter| !matches!(parameter.as_str(), "type" | "properties"));
    let is_elastic = target.product == Product::Elasticsearch;
    // A type that the other product has under another name is not renamed here.
    !found.availability.includes(target)
        || parameters.any(|parameter| found.parameter_is_available(parameter, target).is_err())
        || (is_elastic && COMMERCIAL.contains(&name))
        || (is_elastic && target.version.major >= 8 && OF_EXTRAS.contains(&name))
}
