//! Where claims are stored: JSON documents by key, changed only by compare-and-set.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::DatabaseName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::process::ProcessIdentity;
use super::state::ClaimState;

/// A part of a target with a claim of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slice {
    /// The whole target.
    Whole,
    /// The documents of one database, where a pillow reads several.
    Database(DatabaseName),
    /// One range of the load of the whole, or of the documents of a database.
    Range {
        /// The database, where a pillow reads several.
        database: Option<DatabaseName>,
        /// The number of the range, from 0.
        number: u32,
    },
}

impl Slice {
    /// A range of its load.
    #[must_use]
    pub fn range(&self, number: u32) -> Self {
        let database = match self {
            Self::Whole => None,
            Self::Database(database) => Some(database.clone()),
            Self::Range { database, .. } => database.clone(),
        };
        Self::Range { database, number }
    }
}

/// What a claim is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey {
    /// The target's uuid: an index that was deleted and created again is another target.
    pub target: String,
    /// The part of it.
    pub slice: Slice,
}

impl ClaimKey {
    /// The claim on a whole target.
    pub fn whole(target: impl Into<String>) -> Self {
        Self { target: target.into(), slice: Slice::Whole }
    }

    /// The key of the claim's document.
    pub fn claim(&self) -> String {
        let kind = if matches!(self.slice, Slice::Range { .. }) { "range" } else { "claim" };
        format!("{kind}:{self}")
    }

    /// What the claim with this document key is on; `None` for a document of another kind.
    pub fn of_claim(document_key: &str) -> Option<Self> {
        let rest = document_key.strip_prefix("claim:")?;
        let (target, slice) = match rest.split_once('/') {
            Some((target, database)) => (target, Slice::Database(database.into())),
            None => (rest, Slice::Whole),
        };
        Some(Self { target: target.to_owned(), slice })
    }

    /// The key of the document with earlier checkpoints.
    pub fn past(&self) -> String {
        format!("past:{self}")
    }

    /// What the keys of all requests to the claim's owner begin with.
    pub fn requests(&self) -> String {
        format!("request:{self}:")
    }
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.slice {
            Slice::Whole => formatter.write_str(&self.target),
            Slice::Database(database) => write!(formatter, "{}/{database}", self.target),
            // No name of a database has a `#`.
            Slice::Range { database: Some(database), number } => {
                write!(formatter, "{}/{database}#{number}", self.target)
            }
            Slice::Range { database: None, number } => write!(formatter, "{}#{number}", self.target),
        }
    }
}

/// Who holds a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Unique for each lease.
    pub id: String,
    /// A name for people: host and command. Two processes may have the same.
    pub label: String,
    /// The process.
    #[serde(flatten)]
    pub process: ProcessIdentity,
}

/// What the keys of all leases begin with.
pub(crate) const LEASES: &str = "lease:";

impl fmt::Display for Owner {
    /// Its label, and the process id, which tells two processes of one host apart.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.label, self.process.pid)
    }
}

impl Owner {
    /// The key of the owner's lease.
    pub fn lease(&self) -> String {
        format!("{LEASES}{}", self.id)
    }

    /// Whether the owner's process certainly ended. A process of another machine may always be
    /// alive.
    pub fn is_dead(&self) -> bool {
        self.process.is_dead(&ProcessIdentity::own())
    }
}

/// The document of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDocument {
    /// Phase, position and identities.
    pub state: ClaimState,
    /// Who writes; nobody after the claim was released.
    pub owner: Option<Owner>,
    /// How long the owner's lease must stay unchanged before it counts as run out, in milliseconds.
    pub lease_ms: u64,
    /// Raised by each owner and at each phase. The fence of the target lets the latest epoch write.
    pub epoch: u64,
    /// The history of each part of the target, for instance of each shard: another one after a
    /// restore. Empty if the next owner is to take the target as it is.
    pub histories: BTreeMap<String, String>,
    /// When it was written, RFC 3339 in UTC, for people.
    pub saved: String,
}

impl ClaimDocument {
    /// Who writes, as far as can be known: an owner that did not release the claim and whose
    /// process did not certainly end.
    pub fn live_owner(&self) -> Option<&Owner> {
        self.owner.as_ref().filter(|owner| !owner.is_dead())
    }

    /// How long the owner's lease lasts without being renewed.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

/// Which write of a document was seen: opaque to everything but its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Elasticsearch's `_primary_term`; 0 in other stores.
    pub term: u64,
    /// Elasticsearch's `_seq_no`, or a counter.
    pub number: u64,
}

/// A document, and which write of it this is.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The document.
    pub value: Value,
    /// The write.
    pub token: Token,
}

impl Stored {
    /// Reads the document as what it should be; `what` is its name in an error.
    pub(super) fn parse<T: DeserializeOwned>(self, what: fmt::Arguments<'_>) -> Result<T, StoreError> {
        serde_json::from_value(self.value).map_err(|error| StoreError::Refused {
            doing: format!("reading {what}"),
            reason: error.to_string(),
        })
    }
}

/// Why a document was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It was written since it was seen, or exists although it was expected to be missing.
    #[error("{key} was changed concurrently")]
    Conflict {
        /// The document's key.
        key: String,
    },
    /// It may work later. Nothing is known about the document: it must not count as missing.
    #[error("{doing} failed: {reason}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// Why.
        reason: String,
    },
    /// Retrying does not help: a missing permission, or a document that cannot be read as what it
    /// should be.
    #[error("{doing} failed: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// JSON documents by key, changed only by compare-and-set. Every implementation passes the tests in
/// `store_contract`.
pub trait ClaimStore: Send + Sync + fmt::Debug + 'static {
    /// A name of the store for people.
    fn describe(&self) -> String;

    /// Reads the latest write of a document. `None` is only returned if it is certain that there is
    /// none.
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>>;

    /// Writes a document over the write that was `seen`, or as the first one.
    /// [`StoreError::Conflict`] if that is not the latest.
    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>>;

    /// Removes a document, if the write that was `seen` is the latest. A missing document is fine.
    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The documents whose keys begin with `prefix`, in order of keys. What was written within the
    /// last second may be missing.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>>;
}

/// Writes over whatever a document is: `next` makes the next value of the present one, and `None`
/// removes the document. A concurrent write is read, and written over.
///
/// # Errors
///
/// When the store cannot be read or written.
pub async fn overwrite(
    store: &dyn ClaimStore,
    key: &str,
    mut next: impl FnMut(Option<Value>) -> Option<Value> + Send,
) -> Result<(), StoreError> {
    loop {
        let seen = store.read(key).await?;
        let (value, token) = seen.map(|stored| (stored.value, stored.token)).unzip();
        let written = match (next(value), token) {
            (Some(value), token) => store.write(key, &value, token).await.map(drop),
            (None, Some(token)) => store.remove(key, token).await,
            (None, None) => Ok(()),
        };
        match written {
            Err(StoreError::Conflict { .. }) => {}
            written => return written,
        }
    }
}

/// Which parts of a target have another history than the stored one.
pub(super) fn changed_histories(
    stored: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> String {
    let changed = found.iter().filter(|(part, history)| stored.get(*part) != Some(history));
    let changed: Vec<&str> = changed.map(|(part, _)| part.as_str()).collect();
    format!("another history in shard {}", changed.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_processes_of_one_host_have_different_names() {
        let named = |pid: u32| {
            let owner = json!({"id": "o", "label": "vm run", "pid": pid, "boot_id": "b"});
            serde_json::from_value::<Owner>(owner).unwrap().to_string()
        };
        assert_eq!((named(1234), named(1235)), ("vm run 1234".to_owned(), "vm run 1235".to_owned()));
    }
}
