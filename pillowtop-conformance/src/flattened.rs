//! Objects whose values are keywords, all under one field: `flattened` of Elasticsearch and
//! `flat_object` of `OpenSearch`.

use super::finding::{Fit, refused};
use super::json::Json;
use super::plan::{LeafPlan, count};
use super::value::{LONGEST_TERM, exceeds};
use pillowtop_core::field_types::{Product, Target};

/// The most levels of an Elasticsearch `flattened` field by default.
const DEPTH_LIMIT: usize = 20;

/// Whether a value is an object that the field takes.
pub(super) fn check(leaf: &LeafPlan, value: &Json<'_>, target: Target) -> Fit {
    let Json::Object(members) = value else {
        return refused(format!("{} found where an object is expected", value.kind()));
    };
    let rules = Rules {
        leaf,
        is_elastic: target.product == Product::Elasticsearch,
        depth_limit: leaf.mapping.get("depth_limit").and_then(count).unwrap_or(DEPTH_LIMIT),
    };
    rules.members(members, "", 1)
}

struct Rules<'a> {
    leaf: &'a LeafPlan,
    is_elastic: bool,
    depth_limit: usize,
}

impl Rules<'_> {
    fn members(&self, members: &[(String, Json<'_>)], key: &str, depth: usize) -> Fit {
        if self.is_elastic && depth > self.depth_limit {
            return refused(format!("it has more than the {} levels of `depth_limit`", self.depth_limit));
        }
        for (name, value) in members {
            if self.is_elastic && name.contains('\0') {
                return refused("a member's name has the character U+0000");
            }
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            if !self.is_elastic && key.len() > LONGEST_TERM {
                return refused("the names of its members are longer than the index can hold");
            }
            self.value(value, &key, depth)?;
        }
        Ok(())
    }

    fn value(&self, value: &Json<'_>, key: &str, depth: usize) -> Fit {
        match value {
            Json::Object(members) => self.members(members, key, depth + 1),
            Json::List(items) => items.iter().try_for_each(|item| self.value(item, key, depth)),
            scalar => match scalar.scalar_text() {
                Some(text) if !exceeds(self.leaf.ignore_above, text) => self.scalar(text, key),
                _ => Ok(()),
            },
        }
    }

    /// The term has the key beside the value.
    fn scalar(&self, text: &str, key: &str) -> Fit {
        let field = if self.is_elastic { 0 } else { self.leaf.path.len() + 1 };
        let length = field + key.len() + 1 + text.len();
        if length <= LONGEST_TERM {
            return Ok(());
        }
        refused(format!("with its key it is a term of {length} bytes, more than {LONGEST_TERM}"))
    }
}
