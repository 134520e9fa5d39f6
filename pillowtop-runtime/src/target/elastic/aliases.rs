//! Aliases: read first, then moved in one request that names what was read, then read again.
//!
//! One `_aliases` request is one change of the cluster's state, so searches never find an alias
//! missing or on two indices. Where the server has the condition `must_exist`, an alias that was
//! moved concurrently fails the request.

use std::collections::BTreeMap;

use pillowtop_core::{AliasName, IndexName};
use serde_json::{Map, Value, json};

use super::cluster::Cluster;
use super::error::ClusterError;
use super::request::{Request, acknowledged};

/// How long the server waits until all nodes have confirmed a change of aliases. A slow cluster
/// needs more than the default of 30 s.
const ACKNOWLEDGED_WITHIN: &str = "60s";

/// What a flip will do.
#[derive(Debug, Clone, PartialEq)]
pub struct FlipPlan {
    /// The alias.
    pub alias: AliasName,
    /// The indices that it is on now, in order.
    pub from: Vec<IndexName>,
    /// The index that it will be on, alone.
    pub to: IndexName,
    /// The filter, routing and other properties of the alias, which it keeps.
    pub properties: Map<String, Value>,
}

impl FlipPlan {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.from == [self.to.clone()]
    }

    fn expected(&self) -> Vec<IndexName> {
        vec![self.to.clone()]
    }

    /// The actions of the one request: each index that was read is named, so nothing else is
    /// removed.
    fn actions(&self) -> Vec<Value> {
        let removes = self.from.iter().filter(|index| **index != self.to);
        let mut actions: Vec<Value> =
            removes.map(|index| json!({"remove": {"index": index, "alias": self.alias}})).collect();
        let mut add = self.properties.clone();
        add.insert("index".to_owned(), json!(self.to));
        add.insert("alias".to_owned(), json!(self.alias));
        actions.push(json!({"add": add}));
        actions
    }
}

/// With the condition that removed aliases exist, or without it.
fn with_condition(actions: &[Value], must_exist: bool) -> Value {
    let mut actions = actions.to_vec();
    if must_exist {
        for remove in actions.iter_mut().filter_map(|action| action.get_mut("remove")) {
            remove["must_exist"] = json!(true);
        }
    }
    json!({"actions": actions})
}

/// The properties of an alias that is moved from these indices: the same on all of them, or those
/// that it already has where it goes.
fn properties_of(
    alias: &AliasName,
    found: &BTreeMap<IndexName, Map<String, Value>>,
    to: &IndexName,
) -> Result<Map<String, Value>, ClusterError> {
    let mut others = found.iter().filter(|(index, _)| *index != to).map(|(_, properties)| properties);
    let Some(first) = others.next() else {
        return Ok(found.get(to).cloned().unwrap_or_default());
    };
    if others.any(|properties| properties != first) {
        let indices = found.keys().cloned().collect();
        return Err(ClusterError::MixedAlias { alias: alias.clone(), indices });
    }
    Ok(first.clone())
}

impl Cluster {
    /// Changes aliases in one request, under the condition that removed ones exist where the server
    /// has that condition.
    pub(super) async fn change_aliases(&self, actions: &[Value], doing: &str) -> Result<(), ClusterError> {
        let query = [("timeout", ACKNOWLEDGED_WITHIN)];
        let post = async |must_exist| {
            let body = with_condition(actions, must_exist);
            self.value(Request::post(&["_aliases"]).query(&query).json(&body), doing).await
        };
        let response = match post(true).await {
            Err(ClusterError::Refused { status: 400, reason, .. }) if reason.contains("must_exist") => {
                post(false).await?
            }
            response => response?,
        };
        acknowledged(&response, doing)
    }

    /// The properties of an alias by the indices that it is on.
    async fn alias_properties(
        &self,
        alias: &AliasName,
    ) -> Result<BTreeMap<IndexName, Map<String, Value>>, ClusterError> {
        let path = ["_alias", alias.as_str()];
        let doing = format!("reading alias `{alias}`");
        let response = self.optional_value(Request::get(&path), &doing).await?.unwrap_or_default();
        let indices = response.as_object().into_iter().flatten();
        let properties = indices.filter_map(|(index, entry)| {
            let properties = entry.get("aliases")?.get(alias.as_str())?.as_object()?;
            Some((index.as_str().into(), properties.clone()))
        });
        Ok(properties.collect())
    }

    /// The indices that an alias is on, in order of names.
    pub async fn indices_of(&self, alias: &AliasName) -> Result<Vec<IndexName>, ClusterError> {
        Ok(self.alias_properties(alias).await?.into_keys().collect())
    }

    /// The one index that an alias is on, such as the physical index of a hashed alias; `None` when
    /// there is no such alias.
    pub async fn index_of(&self, alias: &AliasName) -> Result<Option<IndexName>, ClusterError> {
        let mut indices = self.indices_of(alias).await?;
        if indices.len() > 1 {
            return Err(ClusterError::Ambiguous { alias: alias.clone(), indices });
        }
        Ok(indices.pop())
    }

    /// What must be done so that an alias is on one index alone, with the filter and routing that
    /// it has now.
    pub async fn plan_flip(&self, alias: &AliasName, to: &IndexName) -> Result<FlipPlan, ClusterError> {
        let found = self.alias_properties(alias).await?;
        let properties = properties_of(alias, &found, to)?;
        Ok(FlipPlan { alias: alias.clone(), from: found.into_keys().collect(), to: to.clone(), properties })
    }

    /// Carries out a plan, if the alias is still where the plan found it.
    pub async fn flip(&self, plan: &FlipPlan) -> Result<(), ClusterError> {
        self.flip_all(std::slice::from_ref(plan)).await
    }

    /// Carries out several plans in one request, if all aliases are still where the plans found
    /// them.
    pub async fn flip_all(&self, plans: &[FlipPlan]) -> Result<(), ClusterError> {
        let doing = match plans {
            [plan] => format!("moving alias `{}` to index `{}`", plan.alias, plan.to),
            several => format!("moving {} aliases", several.len()),
        };
        let actions: Vec<Value> = plans.iter().flat_map(FlipPlan::actions).collect();
        if actions.is_empty() {
            return Ok(());
        }
        // An attempt without a response may have been carried out, which reading shows.
        let mut is_first = true;
        self.retry(|| {
            let may_be_done = !std::mem::take(&mut is_first);
            let (doing, actions) = (&doing, &actions);
            async move {
                if may_be_done && self.check_aliases(plans, FlipPlan::expected).await.is_ok() {
                    return Ok(());
                }
                self.check_aliases(plans, |plan| plan.from.clone()).await?;
                self.change_aliases(actions, doing).await
            }
        })
        .await?;
        self.check_aliases(plans, FlipPlan::expected).await
    }

    /// Whether every alias is where it is expected to be.
    async fn check_aliases(
        &self,
        plans: &[FlipPlan],
        expected: impl Fn(&FlipPlan) -> Vec<IndexName>,
    ) -> Result<(), ClusterError> {
        for plan in plans {
            let (found, expected) = (self.indices_of(&plan.alias).await?, expected(plan));
            if found != expected {
                return Err(ClusterError::AliasMoved { alias: plan.alias.clone(), expected, found });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(from: &[&str], properties: Value) -> FlipPlan {
        FlipPlan {
            alias: "cases".into(),
            from: from.iter().map(|name| IndexName::from(*name)).collect(),
            to: "b".into(),
            properties: serde_json::from_value(properties).unwrap(),
        }
    }

    #[test]
    fn a_flip_is_one_request_that_names_what_was_read() {
        let add = json!({"add": {"index": "b", "alias": "cases"}});
        let remove = |index: &str| json!({"remove": {"index": index, "alias": "cases"}});
        let actions = |from: &[&str]| plan(from, json!({})).actions();
        assert_eq!(actions(&[]), std::slice::from_ref(&add));
        assert_eq!(actions(&["a"]), [remove("a"), add.clone()]);
        assert_eq!(actions(&["a", "b", "c"]), [remove("a"), remove("c"), add]);
        let is_done = |from: &[&str]| plan(from, json!({})).is_done();
        assert!(is_done(&["b"]) && !is_done(&[]) && !is_done(&["a", "b"]));
        assert_eq!(
            with_condition(&actions(&["a"]), true)["actions"][0]["remove"],
            json!({"index": "a", "alias": "cases", "must_exist": true})
        );
    }

    #[test]
    fn an_alias_keeps_its_filter_and_routing() {
        let kept = json!({"filter": {"term": {"domain": "d"}}, "index_routing": "1", "is_write_index": true});
        let actions = plan(&["a"], kept.clone()).actions();
        for (name, value) in kept.as_object().unwrap() {
            assert_eq!(&actions[1]["add"][name], value);
        }
        let map = |value: &Value| value.as_object().unwrap().clone();
        let found = BTreeMap::from([("a".into(), map(&kept)), ("b".into(), Map::new())]);
        assert_eq!(properties_of(&"cases".into(), &found, &"b".into()), Ok(map(&kept)));
        let mixed = properties_of(&"cases".into(), &found, &"c".into());
        assert!(matches!(mixed, Err(ClusterError::MixedAlias { .. })), "{mixed:?}");
    }
}
