//! The control document of a physical index: its state and the lease on it in one, so that whoever saves a position proves with
//! the same write that the lease is still his.
//!
//! It is created only where none is, and changed only by naming the `_seq_no` and `_primary_term` that were read.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use pillowtop_core::IndexName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bookkeeping::Bookkeeping;
use super::cluster::{Cluster, Request};
use super::error::ClusterError;
use super::process::ProcessIdentity;
use crate::clock::now_text;
use crate::state::IndexState;

/// How long a request may take that a lease depends on: a third of the usual lease, so that there is time for another.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Another one for each time that the lease is taken.
    pub id: String,
    /// What people call it: host and command.
    pub label: String,
    /// The process.
    #[serde(flatten)]
    pub process: ProcessIdentity,
}

/// What is stored for a physical index; its id is the index's uuid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlDocument {
    /// State and position.
    pub state: IndexState,
    /// Who writes; nobody after the lease was given back.
    pub owner: Option<Owner>,
    /// How long the document must stay unchanged before the lease counts as run out, in milliseconds.
    pub lease_ms: u64,
    /// Raised by each owner and at each phase: the number of the private alias.
    pub epoch: u64,
    /// The history of each shard: another one after a restore or after a shard was given up.
    pub shards: BTreeMap<String, String>,
    /// When it was written, for people.
    pub saved: String,
}

impl ControlDocument {
    /// Who follows the index, as far as can be known: an owner that did not give the lease back, and that did not certainly die on
    /// this machine.
    pub fn live_owner(&self) -> Option<&Owner> {
        self.owner.as_ref().filter(|owner| !owner.process.is_dead(&ProcessIdentity::own()))
    }
}

/// Which write of a document one has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq_no: u64,
    pub(super) primary_term: u64,
}

/// A control document and which write of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) document: ControlDocument,
    pub(super) place: Place,
}

/// Why a control document was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// Somebody else has written it since it was read.
    #[error("somebody else has written the control document")]
    Conflict,
    /// The cluster did not do it, or did it without saying so.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

#[derive(Deserialize)]
struct GetAnswer {
    found: bool,
    #[serde(rename = "_seq_no", default)]
    seq_no: u64,
    #[serde(rename = "_primary_term", default)]
    primary_term: u64,
    #[serde(rename = "_source", default)]
    source: Option<Value>,
}

#[derive(Deserialize)]
struct PutAnswer {
    #[serde(rename = "_seq_no")]
    seq_no: u64,
    #[serde(rename = "_primary_term")]
    primary_term: u64,
}

fn malformed(doing: &str, error: &serde_json::Error) -> ClusterError {
    ClusterError::Malformed { doing: doing.to_owned(), reason: error.to_string() }
}

/// Reads the document of an index, the latest write of it.
pub(super) async fn read(cluster: &Cluster, uuid: &str) -> Result<Option<Stored>, ClusterError> {
    let index = Bookkeeping::Control.index(cluster);
    let path = [index.as_str(), "_doc", uuid];
    let doing = format!("reading the control document of index uuid `{uuid}`");
    let Some(answer) = cluster.optional_value(Request::get(&path).within(TIMEOUT), &doing).await? else {
        return Ok(None);
    };
    let answer: GetAnswer = serde_json::from_value(answer).map_err(|error| malformed(&doing, &error))?;
    let Some(source) = answer.source.filter(|_| answer.found) else { return Ok(None) };
    let document = serde_json::from_value(source).map_err(|error| malformed(&doing, &error))?;
    Ok(Some(Stored { document, place: Place { seq_no: answer.seq_no, primary_term: answer.primary_term } }))
}

/// Writes the document, over the write that was `seen` or as the first one.
pub(super) async fn store(
    cluster: &Cluster,
    uuid: &str,
    document: &ControlDocument,
    seen: Option<Place>,
) -> Result<Place, StoreError> {
    let alias = Bookkeeping::Control.write_alias(cluster);
    let path = [alias.as_str(), "_doc", uuid];
    let doing = format!("writing the control document of index `{}`", document.state.index);
    let (seq_no, primary_term);
    let condition: &[(&str, &str)] = match seen {
        Some(place) => {
            (seq_no, primary_term) = (place.seq_no.to_string(), place.primary_term.to_string());
            &[("refresh", "false"), ("if_seq_no", &seq_no), ("if_primary_term", &primary_term)]
        }
        None => &[("refresh", "false"), ("op_type", "create")],
    };
    let body = serde_json::to_vec(document).map_err(|error| malformed(&doing, &error))?;
    let request =
        Request { body: Some(Bytes::from(body)), ..Request::put(&path).query(condition).within(TIMEOUT) };
    let answer = match cluster.value(request, &doing).await {
        Err(ClusterError::Refused { status: 409, .. }) => return Err(StoreError::Conflict),
        answer => answer?,
    };
    let answer: PutAnswer = serde_json::from_value(answer).map_err(|error| malformed(&doing, &error))?;
    Ok(Place { seq_no: answer.seq_no, primary_term: answer.primary_term })
}

impl Cluster {
    /// The control documents of some indices, by their uuids; those without one are left out.
    pub async fn control_documents(
        &self,
        uuids: &[String],
    ) -> Result<BTreeMap<String, ControlDocument>, ClusterError> {
        if uuids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let index = Bookkeeping::Control.index(self);
        let path = [index.as_str(), "_mget"];
        let doing = "reading control documents";
        let request = Request::post(&path).json(&json!({"ids": uuids}));
        let Some(answer) = self.optional_value(request, doing).await? else { return Ok(BTreeMap::new()) };
        let found = answer.get("docs").and_then(Value::as_array).into_iter().flatten();
        found
            .filter_map(|entry| Some((entry.get("_id")?.as_str()?, entry.get("_source")?)))
            .map(|(uuid, source)| {
                let document =
                    ControlDocument::deserialize(source).map_err(|error| malformed(doing, &error))?;
                Ok((uuid.to_owned(), document))
            })
            .collect()
    }

    /// The control document of an index; `None` where there is none, or no such index.
    pub async fn control_document(&self, index: &IndexName) -> Result<Option<ControlDocument>, ClusterError> {
        let Some(uuid) = self.index_uuid(index).await? else { return Ok(None) };
        Ok(self.control_documents(std::slice::from_ref(&uuid)).await?.remove(&uuid))
    }

    /// Changes the state of an index from outside, as for setting a checkpoint. Whoever owns the index loses the lease: its next
    /// save fails, and it starts again from what is stored here. `false` when there is no state.
    pub async fn amend_state(
        &self,
        index: &IndexName,
        mut change: impl FnMut(&mut IndexState) + Send,
    ) -> Result<bool, ClusterError> {
        let Some(uuid) = self.index_uuid(index).await? else { return Ok(false) };
        Bookkeeping::Control.ensure(self).await?;
        loop {
            let Some(Stored { mut document, place }) = read(self, &uuid).await? else { return Ok(false) };
            change(&mut document.state);
            document.owner = None;
            document.epoch += 1;
            document.saved = now_text();
            match store(self, &uuid, &document, Some(place)).await {
                Ok(_) => return Ok(true),
                // A live owner saves every few seconds; the next try is sooner.
                Err(StoreError::Conflict) => {}
                Err(StoreError::Cluster(error)) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::elastic::test_support::state;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let document = ControlDocument {
            state: state(),
            owner: Some(Owner {
                id: "a".to_owned(),
                label: "host: run".to_owned(),
                process: ProcessIdentity::own(),
            }),
            lease_ms: 30_000,
            epoch: 7,
            shards: BTreeMap::from([("0".to_owned(), "history".to_owned())]),
            saved: now_text(),
        };
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<ControlDocument>(&text).unwrap(), document);
        assert!(text.contains(r#""phase":"loading""#), "{text}");
    }
}
