//! Which indices search aliases were on before: what a rollback goes back to.

use pillowtop_core::IndexName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::aliases::FlipPlan;
use super::cluster::Cluster;
use super::control::ControlIndex;
use super::error::ClusterError;
use crate::claim::overwrite;
use crate::clock::now_text;

/// What the keys of all histories begin with.
pub(super) const MOVES: &str = "moved:";
/// As many moves of an alias are remembered.
const KEPT: usize = 20;

/// One move of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The indices that it was on.
    pub from: Vec<IndexName>,
    /// The index that it moved to.
    pub to: IndexName,
    /// When, RFC 3339 in UTC.
    pub time: String,
}

/// The moves of an alias, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasHistory {
    /// The moves.
    pub moves: Vec<AliasMove>,
}

impl AliasHistory {
    /// The indices that the alias was on before it moved to the one that it is on now. `None` if
    /// that move is not known.
    pub fn before(&self, now: &IndexName) -> Option<&[IndexName]> {
        let last = self.moves.iter().rev().find(|found| found.to == *now)?;
        Some(&last.from)
    }

    /// When the alias last moved from or to an index.
    pub fn last_use(&self, index: &IndexName) -> Option<&str> {
        let uses = |found: &&AliasMove| found.to == *index || found.from.contains(index);
        self.moves.iter().rev().find(uses).map(|found| found.time.as_str())
    }

    fn add(&mut self, plan: &FlipPlan) {
        self.moves.push(AliasMove { from: plan.from.clone(), to: plan.to.clone(), time: now_text() });
        self.moves.drain(..self.moves.len().saturating_sub(KEPT));
    }
}

impl Cluster {
    /// Moves search aliases in one request, and remembers where they were. It is remembered before:
    /// a move that was not made leaves an entry that nothing refers to.
    ///
    /// # Errors
    ///
    /// When an alias is not where its plan found it, or a server does not respond. Nothing is moved
    /// then.
    pub async fn flip_searches(&self, plans: &[FlipPlan]) -> Result<(), ClusterError> {
        for plan in plans.iter().filter(|plan| !plan.is_done()) {
            self.remember(plan).await?;
        }
        self.flip_all(plans).await
    }

    async fn remember(&self, plan: &FlipPlan) -> Result<(), ClusterError> {
        let (control, key) = (ControlIndex::new(self), format!("{MOVES}{}", plan.alias));
        let added = |value: Option<Value>| {
            let mut history: AliasHistory =
                value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
            history.add(plan);
            Some(json!(history))
        };
        Ok(overwrite(&control, &key, added).await?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn plan(from: &[&str], to: &str) -> FlipPlan {
        let from = from.iter().map(|name| IndexName::from(*name)).collect();
        FlipPlan { alias: "cases".into(), from, to: to.into(), properties: Map::new() }
    }

    #[test]
    fn the_index_before_is_that_of_the_last_move_to_the_present_one() {
        let mut history = AliasHistory::default();
        let before = |history: &AliasHistory, now: &str| {
            history.before(&now.into()).map(|from| from.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(before(&history, "a"), None);
        history.add(&plan(&[], "a"));
        assert_eq!(before(&history, "a"), Some(Vec::new()));
        history.add(&plan(&["a"], "b"));
        // A move that was not made.
        history.add(&plan(&["b"], "c"));
        assert_eq!(before(&history, "b"), Some(vec!["a".to_owned()]));
        history.add(&plan(&["b"], "a"));
        assert_eq!(before(&history, "a"), Some(vec!["b".to_owned()]));
        assert!(history.last_use(&"c".into()).is_some() && history.last_use(&"d".into()).is_none());
        (0..30).for_each(|_| history.add(&plan(&["x"], "y")));
        assert_eq!(history.moves.len(), KEPT);
    }
}
