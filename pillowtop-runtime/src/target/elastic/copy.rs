//! Filling an index from another one by `_reindex`, which the server does alone.
//!
//! It is sound only if what the other index has is what the pillow would write today: the same
//! documents, made by the same filter and transform, with the same fields. Then only how they are
//! indexed differs.
//!
//! Documents are written through the private alias of the load's epoch, with the versions that they
//! have. So the server is stopped by the fence like any owner, and later changes win.

use std::collections::BTreeMap;

use pillowtop_core::normal_form::{in_words_of, normal_form};
use pillowtop_core::{Definition, IndexName};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::dead_letters::IndexDeadLetters;
use super::error::ClusterError;
use super::fence::IndexFence;
use super::overview::Overview;
use super::rendering;
use super::request::Request;
use super::status::{IndexHealth, IndexStatus};
use crate::claim::{ClaimDocument, ClaimState, Fence as _, Phase, Slice};
use crate::dead_letter::DeadLetterStore as _;

/// Documents of one batch of the server.
const BATCH: u32 = 1000;

/// An index that another one can be filled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// Its name.
    pub index: IndexName,
    /// About how many documents it has.
    pub documents: u64,
    /// Its claim. What is not in it yet comes after its position.
    pub state: ClaimState,
}

/// How far the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStatus {
    /// Documents that were copied.
    pub done: u64,
    /// All documents.
    pub total: u64,
    /// Whether it ended.
    pub is_complete: bool,
    /// Why it failed, or the first document that was refused.
    pub failure: Option<String>,
}

impl Cluster {
    /// The index that is searched, if an index of a definition can be filled from it; otherwise the
    /// reason.
    ///
    /// # Errors
    ///
    /// When a server does not respond.
    pub async fn copy_source(
        &self,
        definition: &Definition,
    ) -> Result<Result<CopySource, String>, ClusterError> {
        let overview = self.overview().await?;
        let found = searched(&overview, definition, self.prefix());
        let (index, claim) = match found {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        let name = &index.name;
        let live = self.live_mapping(name).await?;
        let wanted = rendering::mappings(definition, self.target())?;
        let malformed = |reason| ClusterError::Malformed {
            doing: format!("comparing the mapping of index `{name}`"),
            reason,
        };
        if let Some(reason) = difference(&live, &wanted).map_err(malformed)? {
            return Ok(Err(format!("index `{name}` has other documents: {reason}")));
        }
        // Read after its position: a change before that which failed is among them.
        let open = IndexDeadLetters::new(self, index.uuid.clone()).open().await;
        match open {
            Ok(open) if open.is_empty() => {}
            Ok(open) => {
                let count = open.len();
                return Ok(Err(format!(
                    "{count} documents are dead letters of index `{name}`, which lacks them"
                )));
            }
            Err(error) => return Ok(Err(error.to_string())),
        }
        let fence = IndexFence::new(self, name, &index.uuid, &Slice::Whole, &definition.pillow);
        if fence.histories().await.ok().as_ref() != Some(&claim.histories) {
            return Ok(Err(format!("index `{name}` was restored, so documents may be missing in it")));
        }
        let documents = self.count(name.as_str()).await?;
        Ok(Ok(CopySource { index: name.clone(), documents, state: claim.state.clone() }))
    }

    /// Begins to copy an index into another one through its private alias. Returns the task of the
    /// server.
    ///
    /// # Errors
    ///
    /// When the server refuses it.
    pub async fn start_copy(&self, from: &IndexName, alias: &str) -> Result<String, ClusterError> {
        // What was written before is to be found.
        self.refresh(from).await?;
        let doing = format!("copying index `{from}`");
        let body = json!({
            "conflicts": "proceed",
            "source": {"index": from, "size": BATCH},
            "dest": {"index": alias, "version_type": "external"},
        });
        let query = [("wait_for_completion", "false"), ("slices", "auto")];
        let response = self.value(Request::post(&["_reindex"]).query(&query).json(&body), &doing).await?;
        let task = response.get("task").and_then(Value::as_str);
        task.map(str::to_owned)
            .ok_or_else(|| ClusterError::Malformed { doing, reason: "it has no task".to_owned() })
    }

    /// How far a copy is.
    ///
    /// # Errors
    ///
    /// When the server does not know it any more, or does not respond.
    pub async fn copy_status(&self, task: &str) -> Result<CopyStatus, ClusterError> {
        let path = ["_tasks", task];
        Ok(status_in(&self.value(Request::get(&path), "reading how far a copy is").await?))
    }

    /// Ends a copy. One that ended is fine.
    pub async fn cancel_copy(&self, task: &str) {
        let path = ["_tasks", task, "_cancel"];
        if let Err(error) = self.value(Request::post(&path), "ending a copy").await {
            tracing::debug!(%error, "a copy is not ended; the fence will");
        }
    }
}

/// The index that is searched, with its claim.
fn searched<'a>(
    overview: &'a Overview,
    definition: &Definition,
    prefix: Option<&str>,
) -> Result<(&'a IndexStatus, &'a ClaimDocument), String> {
    let alias = definition.search_alias(prefix);
    let [name] = overview.indices_of(&alias)[..] else {
        return Err(format!("alias `{alias}` is not on one index"));
    };
    let index = overview.index(name).ok_or_else(|| format!("index `{name}` is not pillowtop's"))?;
    if index.rest.as_deref() != Some(definition.rest_hash().to_string().as_str()) {
        return Err(format!(
            "static settings, document types, filter, routing or transform changed since index `{name}`"
        ));
    }
    if matches!(index.health, IndexHealth::Closed | IndexHealth::Red) {
        return Err(format!("index `{name}` is closed or red"));
    }
    if index.is_backfilling {
        return Err(format!("index `{name}` is backfilling"));
    }
    match &index.claims[..] {
        [(Slice::Whole, claim)] if claim.state.phase == Phase::Following => Ok((index, claim)),
        [(Slice::Whole, _)] => Err(format!("index `{name}` is not complete")),
        [] => Err(format!("nothing is known of what index `{name}` holds")),
        _ => Err("the pillow reads several databases".to_owned()),
    }
}

/// What of two mappings decides the documents themselves, where it differs: fields, their types, and
/// the formats in which dates are written.
fn difference(live: &Value, wanted: &Value) -> Result<Option<String>, String> {
    if live.get("_source").is_some_and(|source| source != &json!({})) {
        return Ok(Some("`_source` is not stored whole".to_owned()));
    }
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    fields(&in_words_of(wanted, live)?, "", &mut before);
    fields(&normal_form(wanted)?.mappings, "", &mut after);
    let added = after.keys().find(|path| !before.contains_key(*path));
    let removed = before.keys().find(|path| !after.contains_key(*path));
    let changed = after.iter().find(|(path, kind)| before.get(*path).is_some_and(|was| was != *kind));
    Ok(match (added, removed, changed) {
        (Some(path), ..) => Some(format!("`{path}` is new")),
        (_, Some(path), _) => Some(format!("`{path}` is gone")),
        (.., Some((path, _))) => Some(format!("`{path}` has another type or format")),
        _ => None,
    })
}

/// The paths of a mapping with what decides their values.
fn fields(mapping: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    for (name, field) in mapping.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        fields(field, &path, found);
        let part = |name: &str| field.get(name).cloned().unwrap_or_default();
        found.insert(path, json!([part("type"), part("format"), part("path"), part("relations")]));
    }
}

fn status_in(response: &Value) -> CopyStatus {
    let status = response.pointer("/task/status").unwrap_or(&Value::Null);
    let number = |name: &str| status.get(name).and_then(Value::as_u64).unwrap_or(0);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let cause = |error: &Value| format!("{}: {}", text(error.get("type")), text(error.get("reason")));
    let refused = response.pointer("/response/failures/0");
    let failure = match (response.get("error"), refused) {
        (Some(error), _) => Some(cause(error)),
        (None, Some(failure)) => Some(cause(failure.get("cause").unwrap_or(failure))),
        (None, None) => response
            .pointer("/response/canceled")
            .map(|reason| format!("the copy was cancelled: {}", text(Some(reason)))),
    };
    CopyStatus {
        done: number("created") + number("updated") + number("version_conflicts"),
        total: number("total"),
        is_complete: response.get("completed") == Some(&Value::Bool(true)),
        failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_how_documents_are_indexed_may_differ() {
        let of = |properties: Value| json!({"properties": properties});
        let live = of(json!({"name": {"type": "text"}, "at": {"type": "date", "format": "date"},
            "inner": {"properties": {"n": {"type": "long"}}}}));
        let with = |path: &str, field: Value| {
            let mut wanted = live.clone();
            *wanted.pointer_mut(path).unwrap() = field;
            difference(&live, &wanted).unwrap()
        };
        let name = "/properties/name";
        let analyzed = json!({"type": "text", "analyzer": "simple", "fields": {"raw": {"type": "keyword"}}});
        assert_eq!(with(name, analyzed), None);
        assert_eq!(
            with(name, json!({"type": "keyword"})).as_deref(),
            Some("`name` has another type or format")
        );
        assert_eq!(
            with("/properties/at/format", json!("epoch_millis")).as_deref(),
            Some("`at` has another type or format")
        );
        let more = json!({"n": {"type": "long"}, "m": {"type": "long"}});
        assert_eq!(with("/properties/inner/properties", more).as_deref(), Some("`inner.m` is new"));
        assert_eq!(
            difference(&live, &of(json!({"name": {"type": "text"}}))).unwrap().as_deref(),
            Some("`at` is gone")
        );
        let mut partial = live.clone();
        partial["_source"] = json!({"excludes": ["name"]});
        assert!(difference(&partial, &live).unwrap().is_some());
    }

    #[test]
    fn the_status_of_a_copy_is_that_of_its_task() {
        let running = json!({"completed": false, "task": {"status": {"total": 10, "created": 3, "version_conflicts": 1}}});
        let expected = CopyStatus { done: 4, total: 10, is_complete: false, failure: None };
        assert_eq!(status_in(&running), expected);
        let refused = json!({"completed": true, "task": {"status": {"total": 10}},
            "response": {"failures": [{"cause": {"type": "mapper_parsing_exception", "reason": "no"}}]}});
        assert_eq!(status_in(&refused).failure.as_deref(), Some("mapper_parsing_exception: no"));
        let cancelled =
            json!({"completed": true, "response": {"canceled": "by user request", "failures": []}});
        assert!(status_in(&cancelled).failure.is_some_and(|reason| reason.contains("cancelled")));
    }
}
