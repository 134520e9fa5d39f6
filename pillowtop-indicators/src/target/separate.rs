//! A database of indicator documents: copies of the documents, with the indicators in them.
//!
//! A copy names the pillow that wrote it, and the version of the write. A pillow deletes only its
//! own copies, so several may have copies of different types of documents in one database.

use std::collections::{BTreeMap, HashMap};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::{DocumentId, PillowName, RawObject};
use pillowtop_runtime::clock::now_text;
use pillowtop_runtime::operation::Operation;
use pillowtop_runtime::source::{CouchDatabase, Head, Written};
use pillowtop_runtime::target::{Outcome, Target, WriteError};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::{CHUNK, evaluated, failed, refused, rejected};
use crate::computed::{COMPUTED, INPUTS, MODIFIED, merge};
use crate::pillow::Evaluated;

/// The copies of one pillow.
#[derive(Debug)]
pub(crate) struct SeparateTarget {
    pub(crate) database: CouchDatabase,
    pub(crate) pillow: PillowName,
}

/// What one operation requires.
enum Step {
    Done(Outcome),
    Write(String),
}

impl SeparateTarget {
    async fn write_chunk(&self, operations: &[Operation]) -> Result<Vec<Outcome>, WriteError> {
        let ids: Vec<DocumentId> = operations.iter().map(|operation| operation.id.clone()).collect();
        let heads = self.database.heads(&ids, true).await.map_err(failed)?;
        let now = now_text();
        let (mut outcomes, mut texts, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for (position, operation) in operations.iter().enumerate() {
            let step =
                self.step(operation, &heads, &now).unwrap_or_else(|error| Step::Done(rejected(&error)));
            match step {
                Step::Done(outcome) => outcomes.push(outcome),
                Step::Write(text) => {
                    outcomes.push(Outcome::Done);
                    texts.push(text);
                    positions.push(position);
                }
            }
        }
        if texts.is_empty() {
            return Ok(outcomes);
        }
        let written = self.database.write_json(&texts).await.map_err(failed)?;
        for (position, written) in positions.into_iter().zip(written) {
            outcomes[position] = match written {
                Written::Done(_) => Outcome::Done,
                // Whoever wrote it is compared at the next attempt, by its version.
                Written::Conflict => Outcome::Busy { reason: "it was written concurrently".to_owned() },
                Written::Refused { error, reason } => refused(error, reason),
            };
        }
        Ok(outcomes)
    }

    fn step(
        &self,
        operation: &Operation,
        heads: &HashMap<String, Head>,
        now: &str,
    ) -> serde_json::Result<Step> {
        let head = heads.get(operation.id.as_str()).filter(|head| !head.is_deleted);
        let stored = head.and_then(|head| head.document.as_ref());
        let reserved = stored.map_or(&Value::Null, |stored| &stored[RESERVED]);
        let is_own = reserved["pillow"] == self.pillow.as_str();
        // Versions of two claims cannot be compared.
        if is_own && reserved["version"].as_u64().is_some_and(|version| version > operation.version.0) {
            return Ok(Step::Done(Outcome::Done));
        }
        let evaluated = match evaluated(operation) {
            Ok(evaluated) => evaluated,
            Err(outcome) => return Ok(Step::Done(outcome)),
        };
        let Some(evaluated) = evaluated else {
            let Some(head) = head.filter(|_| is_own) else { return Ok(Step::Done(Outcome::Absent)) };
            let tombstone = json!({"_id": operation.id, "_rev": head.revision, "_deleted": true});
            return Ok(Step::Write(tombstone.to_string()));
        };
        let computed = stored_members(stored).to_string();
        let document = evaluated.document.get();
        let merged = merge(document, &computed, &evaluated.computed, now)?;
        if merged.is_none() && is_own && reserved["rev"] == evaluated.pillowtop.rev {
            return Ok(Step::Done(Outcome::Done));
        }
        let text = match &merged {
            Some(text) => text,
            None => &with_members(document, &computed)?,
        };
        self.copy(text, operation, head, &evaluated).map(Step::Write)
    }

    /// The document as it is written: without what belongs to the database that it comes from, over
    /// the revision of the copy, and with where it comes from.
    fn copy(
        &self,
        document: &str,
        operation: &Operation,
        head: Option<&Head>,
        evaluated: &Evaluated<'_>,
    ) -> serde_json::Result<String> {
        let from = &evaluated.pillowtop;
        let reserved = to_raw_value(&json!({
            "id": from.id, "rev": from.rev, "db": from.db, "pillow": self.pillow, "version": operation.version,
        }))?;
        let id = to_raw_value(&operation.id)?;
        let revision = head.map(|head| to_raw_value(&head.revision)).transpose()?;
        let mut members: RawObject<'_> = serde_json::from_str(document)?;
        members.retain(|name, _| !name.starts_with('_') && name != RESERVED);
        members.push("_id", &*id);
        if let Some(revision) = &revision {
            members.push("_rev", &**revision);
        }
        members.push(RESERVED, &*reserved);
        serde_json::to_string(&members)
    }
}

/// The members of an indicator document that indicators are written to.
fn stored_members(stored: Option<&Value>) -> Value {
    let members = [COMPUTED, INPUTS, MODIFIED];
    let found = members.into_iter().filter_map(|name| Some((name.to_owned(), stored?.get(name)?.clone())));
    Value::Object(found.collect())
}

/// The document with these members in place of its own.
fn with_members(document: &str, members: &str) -> serde_json::Result<String> {
    let mut whole: RawObject<'_> = serde_json::from_str(document)?;
    whole.retain(|name, _| !matches!(name, COMPUTED | INPUTS | MODIFIED));
    let members: BTreeMap<&str, &RawValue> = serde_json::from_str(members)?;
    members.into_iter().for_each(|(name, value)| whole.push(name, value));
    serde_json::to_string(&whole)
}

impl Target for SeparateTarget {
    fn describe(&self) -> String {
        format!("indicator documents in database `{}` at {}", self.database.name(), self.database.address())
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        async move {
            let mut outcomes = Vec::with_capacity(operations.len());
            for chunk in operations.chunks(CHUNK) {
                outcomes.extend(self.write_chunk(chunk).await?);
            }
            Ok(outcomes)
        }
        .boxed()
    }
}
