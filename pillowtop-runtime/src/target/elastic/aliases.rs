//! Aliases: seen first, then moved in one request that names what was seen, then looked at again.
//!
//! One `_aliases` request is one change of the cluster's state, so searches never find an alias missing or on two indices. A
//! condition (`must_exist`) would be safer still, but Elasticsearch 7.10 does not know it.

use std::collections::BTreeMap;

use pillowtop_core::{AliasName, IndexName};
use serde_json::{Value, json};

use super::cluster::{Cluster, Request};
use super::error::ClusterError;

/// What a flip will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlipPlan {
    /// The alias.
    pub alias: AliasName,
    /// The indices that it is on now, in order.
    pub from: Vec<IndexName>,
    /// The index that it will be on, alone.
    pub to: IndexName,
}

impl FlipPlan {
    /// Whether nothing is to be done.
    pub fn is_done(&self) -> bool {
        self.from == [self.to.clone()]
    }

    /// The body of the one request: each index that was seen is named, so nothing else is taken off.
    fn actions(&self) -> Value {
        let removes = self.from.iter().filter(|index| **index != self.to);
        let mut actions: Vec<Value> =
            removes.map(|index| json!({"remove": {"index": index, "alias": self.alias}})).collect();
        actions.push(json!({"add": {"index": self.to, "alias": self.alias}}));
        json!({"actions": actions})
    }
}

/// Index by alias, from `GET /_alias/<name>` or `GET /<index>/_alias`.
pub(super) fn read_aliases(answer: &Value) -> BTreeMap<IndexName, Vec<AliasName>> {
    let indices = answer.as_object().into_iter().flatten();
    indices
        .map(|(index, entry)| {
            let aliases = entry.get("aliases").and_then(Value::as_object);
            let names = aliases.into_iter().flatten().map(|(name, _)| name.as_str().into());
            (index.as_str().into(), names.collect())
        })
        .collect()
}

impl Cluster {
    /// The indices that an alias is on, in order of names.
    pub async fn indices_of(&self, alias: &AliasName) -> Result<Vec<IndexName>, ClusterError> {
        let path = ["_alias", alias.as_str()];
        let doing = format!("looking for alias `{alias}`");
        let answer = self.optional_value(Request::get(&path), &doing).await?;
        Ok(answer.map(|answer| read_aliases(&answer).into_keys().collect()).unwrap_or_default())
    }

    /// The one index that an alias is on, such as the physical index of a hashed alias; `None` when there is no such alias.
    pub async fn index_of(&self, alias: &AliasName) -> Result<Option<IndexName>, ClusterError> {
        let mut indices = self.indices_of(alias).await?;
        if indices.len() > 1 {
            return Err(ClusterError::Ambiguous { alias: alias.clone(), indices });
        }
        Ok(indices.pop())
    }

    /// What must be done so that an alias is on one index alone.
    pub async fn plan_flip(&self, alias: &AliasName, to: &IndexName) -> Result<FlipPlan, ClusterError> {
        Ok(FlipPlan { alias: alias.clone(), from: self.indices_of(alias).await?, to: to.clone() })
    }

    /// Carries out a plan, if the alias is still where the plan saw it.
    pub async fn flip(&self, plan: &FlipPlan) -> Result<(), ClusterError> {
        let found = self.indices_of(&plan.alias).await?;
        let moved = |expected: &[IndexName], found: Vec<IndexName>| ClusterError::AliasMoved {
            alias: plan.alias.clone(),
            expected: expected.to_vec(),
            found,
        };
        if found != plan.from {
            return Err(moved(&plan.from, found));
        }
        let doing = format!("moving alias `{}` to index `{}`", plan.alias, plan.to);
        self.value(Request::post(&["_aliases"]).json(&plan.actions()), &doing).await?;
        let found = self.indices_of(&plan.alias).await?;
        let expected = [plan.to.clone()];
        if found == expected { Ok(()) } else { Err(moved(&expected, found)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(from: &[&str]) -> FlipPlan {
        FlipPlan {
            alias: "cases".into(),
            from: from.iter().map(|name| IndexName::from(*name)).collect(),
            to: "b".into(),
        }
    }

    #[test]
    fn a_flip_is_one_request_that_names_what_was_seen() {
        let add = json!({"add": {"index": "b", "alias": "cases"}});
        let remove = |index: &str| json!({"remove": {"index": index, "alias": "cases"}});
        assert_eq!(plan(&[]).actions(), json!({"actions": [add]}));
        assert_eq!(plan(&["a"]).actions(), json!({"actions": [remove("a"), add]}));
        assert_eq!(plan(&["a", "b", "c"]).actions(), json!({"actions": [remove("a"), remove("c"), add]}));
        assert!(plan(&["b"]).is_done() && !plan(&[]).is_done() && !plan(&["a", "b"]).is_done());
    }

    #[test]
    fn aliases_are_read_by_index() {
        let answer = json!({"a": {"aliases": {"x": {}, "y": {"filter": {}}}}, "b": {"aliases": {}}});
        assert_eq!(
            read_aliases(&answer),
            BTreeMap::from([("a".into(), vec!["x".into(), "y".into()]), ("b".into(), vec![])])
        );
    }
}
