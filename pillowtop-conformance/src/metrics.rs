//! Values that are summaries already: `histogram` and `aggregate_metric_double`, and queries that
//! are kept: `percolator`.
//!
//! The first two are in the commercial part of Elasticsearch, which was not asked: they are checked
//! by its documentation and source, and what these leave open is reported as not checked.

use serde_json::Value;

use super::finding::{Fault, Fit, malformed, refused, unknown};
use super::json::Json;
use super::numeric::{self, Amount, Numeric, cut};
use super::plan::LeafPlan;
use pillowtop_core::field_types::Target;

/// `values` in rising order, and as many `counts` that are not negative.
pub(super) fn histogram(value: &Json<'_>) -> Fit {
    let Json::Object(members) = value else {
        return malformed(format!("{} is not an object with `values` and `counts`", value.kind()));
    };
    let (mut values, mut counts) = (None, None);
    for (name, value) in members {
        let side = match name.as_str() {
            "values" => &mut values,
            "counts" => &mut counts,
            _ => return malformed(format!("`{}` is neither `values` nor `counts`", cut(name))),
        };
        *side = Some(numbers(name, value)?);
    }
    let (Some(values), Some(counts)) = (values, counts) else {
        return malformed("it has no `values` or no `counts`");
    };
    if values.len() != counts.len() {
        return malformed(format!("it has {} `values` and {} `counts`", values.len(), counts.len()));
    }
    if let Some([before, after]) = values.array_windows().find(|[before, after]| after < before) {
        return malformed(format!("its `values` do not rise: {after} comes after {before}"));
    }
    if let Some(count) = counts.iter().find(|count| **count < 0.0) {
        return malformed(format!("the count {count} is negative"));
    }
    let is_plain = |count: &f64| count.fract() == 0.0 && *count <= f64::from(i32::MAX);
    if counts.iter().all(is_plain) {
        Ok(())
    } else {
        unknown("counts with fractions or beyond 32 bits are not checked")
    }
}

fn numbers(name: &str, value: &Json<'_>) -> Result<Vec<f64>, Fault> {
    let Json::List(items) = value else {
        return malformed(format!("`{name}` is {} and no list", value.kind()));
    };
    items
        .iter()
        .map(|item| match item {
            Json::Number(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => unknown(format!("`{}` is beyond what is checked", cut(text))),
            },
            other => malformed(format!("`{name}` has {}", other.kind())),
        })
        .collect()
}

/// An object with each of the field's metrics, and no other.
pub(super) fn aggregate(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let Json::Object(members) = value else {
        return malformed(format!("{} is not an object of metrics", value.kind()));
    };
    let string = leaf.mapping.get("metrics").and_then(Value::as_array);
    let metrics: Vec<&str> = string.into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, value) in members {
        if !metrics.contains(&name.as_str()) {
            return malformed(format!("`{}` is none of the field's metrics", cut(name)));
        }
        let numeric = if name == "value_count" { Numeric::Integer } else { Numeric::Double };
        let is_plain = matches!(value, Json::Number(text) if numeric == Numeric::Double || !text.contains(['.', 'e', 'E']));
        match numeric::amount(numeric, true, value, target) {
            Ok(Amount::Whole(count)) if name == "value_count" && count < 0 => {
                return malformed(format!("`value_count` is {count}"));
            }
            Ok(_) if is_plain => {}
            Ok(_) => return unknown(format!("whether `{name}` may be written so is not checked")),
            Err(fault) => return Err(fault),
        }
    }
    match metrics.iter().find(|metric| !members.iter().any(|(name, _)| name == *metric)) {
        Some(missing) => malformed(format!("it has no `{missing}`")),
        None => Ok(()),
    }
}

/// One query. What it asks is checked by the server alone.
pub(super) fn percolator(value: &Json<'_>) -> Fit {
    match value {
        Json::List(items) => match items.as_slice() {
            [] => Ok(()),
            [only] => percolator(only),
            _ => refused("a document has one query at most"),
        },
        Json::Object(members) => match members.as_slice() {
            [] => refused("the query is empty"),
            [(name, Json::Object(inner))] if name == "match_all" && inner.is_empty() => Ok(()),
            [(name, Json::Object(_))] if name == "query" => {
                refused("the query is inside an object `query`, and must be without it")
            }
            [(_, Json::Object(_))] => unknown("the contents of a query are not checked"),
            [(name, other)] => refused(format!("`{}` of the query is {}", cut(name), other.kind())),
            _ => refused("a query has one name; several are joined by `bool`"),
        },
        other => refused(format!("{} is not a query", other.kind())),
    }
}
