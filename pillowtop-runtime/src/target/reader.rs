//! Reading a target back, to compare it with its source.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::{DatabaseName, DocumentId, Revision};
use serde_json::Value;

use crate::dead_letter::DeadLetterStore;

/// Why a target cannot be read. What was read before does not count.
pub type ReadError = Box<dyn Error + Send + Sync>;

/// Which documents of a target are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All that the runtime wrote: they have the reserved object.
    Whole,
    /// Those of one database.
    Database(DatabaseName),
    /// Those that the runtime did not write. They are listed by their ids in the target, without a
    /// revision.
    Strays,
    /// Those of no database among these, strays too; listed as strays are.
    OfNone(Vec<DatabaseName>),
}

/// A document of a target, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedId {
    /// The document's `_id` in its database, or its id in the target if it is a stray.
    pub id: DocumentId,
    /// Its revision; empty for a stray.
    pub revision: Revision,
}

/// A document of a target, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// The revision that it was made of; empty if the runtime did not write it.
    pub revision: Revision,
    /// The database that it was read from; `None` if the runtime did not write it.
    pub database: Option<DatabaseName>,
    /// What was written, as far as the target keeps it.
    pub source: Value,
}

impl StoredDocument {
    /// A document with the reserved object in it, if the runtime wrote it.
    pub fn of_source(source: Value) -> Self {
        let reserved = |name| source.get(RESERVED).and_then(|reserved| reserved.get(name)?.as_str());
        let revision = Revision::from(reserved("rev").unwrap_or_default());
        let database = reserved("db").map(DatabaseName::from);
        Self { revision, database, source }
    }
}

/// A target that can be read back.
pub trait TargetReader: Send + Sync + fmt::Debug + 'static {
    /// Checks that it is the target that was opened and that all of it can be read, and makes
    /// everything that was written visible. Returns how many documents there are.
    fn prepare(&self) -> BoxFuture<'_, Result<u64, ReadError>>;

    /// Whether documents are kept as they were written. Otherwise their bodies cannot be compared.
    fn keeps_bodies(&self) -> bool {
        true
    }

    /// Whether it is still the target that was opened.
    fn is_same(&self) -> BoxFuture<'_, Result<bool, ReadError>>;

    /// Lists documents, in any order. A partial listing is an error.
    fn list(&self, extent: Extent) -> BoxStream<'_, Result<Vec<IndexedId>, ReadError>>;

    /// The latest writes of documents, by their ids in the target, in their order; `None` for one
    /// that does not exist. Where that is not certain of one of them, it is an error.
    fn read<'a>(
        &'a self,
        ids: &'a [DocumentId],
    ) -> BoxFuture<'a, Result<Vec<Option<StoredDocument>>, ReadError>>;

    /// The target's dead letters.
    fn dead_letters(&self) -> Arc<dyn DeadLetterStore>;
}
