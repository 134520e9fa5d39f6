//! The types whose values have a form of their own: `binary`, `completion`, `join`, vectors and
//! features.

use serde_json::Value;

use super::finding::{Fault, Fit, malformed, refused, unknown};
use super::json::Json;
use super::numeric::{cut, java_double};
use super::plan::{LeafPlan, count, text};
use pillowtop_core::field_types::{Product, Target};

/// Base64 is read only if it is kept outside of `_source`.
pub(super) fn binary(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    if !leaf.store && leaf.doc_values != Some(true) {
        return Ok(());
    }
    match value {
        Json::Text(text) if is_base64(text) => Ok(()),
        Json::Text(text) => refused(format!("`{}` is not padded Base64", cut(text))),
        other => refused(format!("{} is not Base64", other.kind())),
    }
}

/// Groups of four with padding; white space may stand between groups. This is how Jackson reads it.
fn is_base64(text: &str) -> bool {
    let of_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut rest = text.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] => return true,
            [first, second, third, fourth, after @ ..]
                if of_alphabet(*first)
                    && of_alphabet(*second)
                    && (of_alphabet(*third) || (*third == b'=' && *fourth == b'='))
                    && (of_alphabet(*fourth) || *fourth == b'=') =>
            {
                rest = after;
            }
            _ => return false,
        }
    }
}

/// A string, or an object of inputs and a weight. The field walks its lists itself.
pub(super) fn completion(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    let has_contexts = leaf.mapping.get("contexts").is_some_and(|contexts| !contexts.is_null());
    match value {
        Json::List(items) => items.iter().try_for_each(|item| match item {
            Json::Text(_) | Json::Object(_) => completion(leaf, item),
            other => refused(format!("{} is neither a string nor an object with `input`", other.kind())),
        }),
        _ if has_contexts => unknown("contexts of completions are not checked"),
        Json::Text(text) => input(text),
        Json::Object(members) => members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("input", Json::Text(text)) => input(text),
            ("input", Json::List(items)) => items.iter().try_for_each(|item| match item {
                Json::Text(text) => input(text),
                other => refused(format!("`input` has {}", other.kind())),
            }),
            ("input", other) => refused(format!("`input` is {}", other.kind())),
            ("weight", Json::Number(text)) => weight(text),
            ("weight", Json::Text(text)) => weight(text),
            ("weight", other) => refused(format!("`weight` is {}", other.kind())),
            ("contexts", _) => refused("the field has no contexts"),
            _ => refused(format!("`{}` is none of `input`, `weight` and `contexts`", cut(name))),
        }),
        other => refused(format!("{} is neither a string nor an object with `input`", other.kind())),
    }
}

fn input(text: &str) -> Fit {
    if text.trim_matches(|character| character <= ' ').is_empty() {
        return Err(Fault::LeftOut("an empty string completes nothing".to_owned()));
    }
    Ok(())
}

fn weight(text: &str) -> Fit {
    match text.parse::<i64>() {
        Ok(weight) if (0..=i64::from(i32::MAX)).contains(&weight) => Ok(()),
        _ => refused(format!("`weight` is `{}`, not a whole number from 0 to {}", cut(text), i32::MAX)),
    }
}

/// The name of a relation, or an object with it and the parent's id. `is_routed`: the document
/// comes with a routing value.
pub(super) fn join(leaf: &LeafPlan, value: &Json<'_>, is_routed: bool) -> Fit {
    let (mut name, mut parent) = (None, None);
    match value {
        Json::Text(text) => name = Some(text.as_str()),
        Json::Object(members) => {
            for (member, value) in members {
                match (member.as_str(), value) {
                    ("name", Json::Text(text)) => name = Some(text),
                    ("parent", Json::Text(_) | Json::Number(_)) => parent = value.scalar_text(),
                    ("name" | "parent", Json::Null) => {}
                    _ => return refused(format!("`{}` is {}", cut(member), value.kind())),
                }
            }
        }
        other => return refused(format!("{} names no relation", other.kind())),
    }
    let Some(name) = name else { return refused("it has no `name` of a relation") };
    let empty = serde_json::Map::new();
    let relations = leaf.mapping.get("relations").and_then(Value::as_object).unwrap_or(&empty);
    let is_child = relations.values().any(|children| match children {
        Value::Array(names) => names.iter().any(|child| child.as_str() == Some(name)),
        other => other.as_str() == Some(name),
    });
    match (is_child, parent) {
        (true, None) => refused(format!("the relation `{}` needs a `parent`", cut(name))),
        (true, Some(_)) if is_routed => Ok(()),
        (true, Some(_)) => refused("a child needs a routing value, and this one has none"),
        (false, _) if relations.contains_key(name) => Ok(()),
        (false, _) => refused(format!("there is no relation `{}`", cut(name))),
    }
}

/// A list of numbers; the field walks it itself.
pub(super) fn dense_vector(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    if leaf.type_name == "knn_vector" {
        return knn_vector(leaf, value);
    }
    let is_float = matches!(text(&leaf.mapping, "element_type"), None | Some("float"));
    if !is_float || target.product == Product::OpenSearch {
        return unknown("vectors of this element type are not checked");
    }
    let items = match value {
        Json::List(items) => items,
        // Elasticsearch 8.15 and newer read encoded vectors.
        Json::Text(_) if target.version >= pillowtop_core::field_types::Version::new(8, 15) => {
            return unknown("encoded vectors are not checked");
        }
        other => return refused(format!("{} is not a list of numbers", other.kind())),
    };
    let mut squares = 0.0_f64;
    for item in items {
        let Json::Number(text) = item else {
            return refused(format!("the vector has {}", item.kind()));
        };
        let number: f32 = text.parse().unwrap_or(f32::INFINITY);
        if !number.is_finite() {
            return refused(format!("`{}` is not a finite number of 32 bits", cut(text)));
        }
        squares += f64::from(number) * f64::from(number);
    }
    let Some(dims) = leaf.mapping.get("dims").and_then(count) else {
        return unknown("the first document decides how many dimensions there are");
    };
    if items.len() != dims {
        return refused(format!("it has {} dimensions, not {dims}", items.len()));
    }
    let indexed = leaf.index && target.version.major >= 8;
    match text(&leaf.mapping, "similarity") {
        None | Some("cosine") if indexed && squares == 0.0 => {
            refused("the cosine similarity needs a vector that is not all zeros")
        }
        Some("dot_product") if indexed && (squares.sqrt() - 1.0).abs() > 1e-4 => {
            refused("the dot product needs vectors of length 1")
        }
        _ => Ok(()),
    }
}

/// A list of numbers, as many as the field's `dimension`. A plugin has the type, which was not
/// asked: this is by its documentation, and what that leaves open is not checked.
fn knn_vector(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    let unsure = || unknown("such a `knn_vector` is not checked");
    let is_plain = matches!(text(&leaf.mapping, "data_type"), None | Some("float"))
        && !leaf.mapping.contains_key("method")
        && !leaf.mapping.contains_key("space_type");
    let (Json::List(items), Some(dimension)) = (value, leaf.mapping.get("dimension").and_then(count)) else {
        return unsure();
    };
    let is_number =
        |item: &Json<'_>| matches!(item, Json::Number(text) if text.parse::<f32>().is_ok_and(f32::is_finite));
    if items.is_empty() || !items.iter().all(is_number) {
        return unsure();
    }
    if items.len() != dimension {
        return refused(format!("it has {} dimensions, not {dimension}", items.len()));
    }
    if is_plain { Ok(()) } else { unsure() }
}

/// One number above zero; the field walks its list itself.
pub(super) fn rank_feature(leaf: &LeafPlan, value: &Json<'_>) -> Fit {
    match value {
        Json::List(items) => {
            let values: Vec<_> = items.iter().filter(|item| **item != Json::Null).collect();
            match values.as_slice() {
                [] => Ok(()),
                [only] => rank_feature(leaf, only),
                [first, ..] => {
                    rank_feature(leaf, first)?;
                    refused("a document has one value of it at most")
                }
            }
        }
        other => feature(other, text_flag(leaf, "positive_score_impact")),
    }
}

fn text_flag(leaf: &LeafPlan, name: &str) -> bool {
    leaf.mapping.get(name).and_then(super::plan::truth).unwrap_or(true)
}

/// Lucene keeps a positive normal number of 32 bits.
fn feature(value: &Json<'_>, positive_impact: bool) -> Fit {
    let text = match value {
        Json::Number(text) => text,
        Json::Text(text) if text.is_empty() => return refused("an empty string is not a number"),
        Json::Text(text) => text.as_str(),
        other => return refused(format!("{} is not a number", other.kind())),
    };
    let number = match value {
        Json::Number(text) => text.parse().unwrap_or(f64::INFINITY),
        _ => java_double(text).map_err(|fault| match fault {
            Fault::Malformed(reason) => Fault::Refused(reason),
            other => other,
        })?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "what the server does")]
    let single = number as f32;
    // Without a positive impact the reciprocal is kept.
    let kept = if positive_impact { single } else { 1.0 / single };
    if kept.is_finite() && kept >= f32::MIN_POSITIVE && single.is_finite() {
        Ok(())
    } else {
        refused(format!("`{}` is not a number above zero that 32 bits can hold", cut(text)))
    }
}

/// An object from feature to a number above zero. The field walks its lists itself.
pub(super) fn rank_features(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let objects: Vec<_> = match value {
        Json::List(items) => items.iter().collect(),
        other => vec![other],
    };
    let is_sparse = leaf.type_name == "sparse_vector";
    if is_sparse && target.version.major < 8 {
        return unknown("the sparse vectors of Elasticsearch 7 are not checked");
    }
    let mut taken: Vec<&str> = Vec::new();
    for object in objects {
        let Json::Object(members) = object else {
            return refused(format!(
                "{} found where an object from feature to number is expected",
                object.kind()
            ));
        };
        for (name, value) in members {
            if is_sparse && name.contains('.') && target.version.major < 9 {
                return refused(format!("the feature `{}` has a dot", cut(name)));
            }
            if *value == Json::Null {
                continue;
            }
            feature(value, text_flag(leaf, "positive_score_impact"))?;
            if taken.contains(&name.as_str()) {
                if is_sparse && target.version.major >= 9 {
                    continue;
                }
                return refused(format!("duplicate feature `{}`", cut(name)));
            }
            taken.push(name);
        }
    }
    Ok(())
}

/// Whether the field walks its lists itself.
pub(super) fn walks_lists(leaf: &LeafPlan) -> bool {
    use super::plan::Kind;
    matches!(
        leaf.kind,
        Kind::Completion
            | Kind::DenseVector
            | Kind::RankFeature
            | Kind::RankFeatures
            | Kind::SparseVector
            | Kind::Percolator
    )
}

/// What an empty list or `null` does where it does not mean that there is no value.
pub(super) fn absent(leaf: &LeafPlan, value: &Json<'_>, in_list: bool, target: Target) -> Fit {
    use super::plan::Kind;
    let is_null = *value == Json::Null;
    match &leaf.kind {
        Kind::Alias if is_null => {
            refused("it is another name of another field, and nothing can be written to it")
        }
        Kind::Percolator if is_null => refused("null is not a query"),
        Kind::Join if is_null => refused("null names no relation"),
        Kind::RankFeatures | Kind::SparseVector if is_null => {
            refused("null is not an object from feature to number")
        }
        Kind::ConstantKeyword if is_null && target.product == Product::OpenSearch => {
            refused("the field must have its constant value")
        }
        Kind::GeoPoint if is_null && in_list => {
            let takes = target.product == Product::Elasticsearch && target.version.major >= 8;
            if takes { Ok(()) } else { malformed("null in a list of points") }
        }
        Kind::DenseVector if !is_null => dense_vector(leaf, value, target),
        Kind::Unknown if is_null => unknown(format!("values of type `{}` are not checked", leaf.type_name)),
        _ => Ok(()),
    }
}
