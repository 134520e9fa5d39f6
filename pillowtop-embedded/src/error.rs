//! Why the embedded index cannot be opened or searched.

use std::path::PathBuf;

use pillowtop_runtime::target::OpenError;
use pillowtop_runtime::target::local::LocalError;

/// Why the embedded index cannot be opened or searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The directory of the index cannot be used.
    #[error(transparent)]
    Directory(#[from] LocalError),
    /// The directory has an index that cannot be read; nothing was changed.
    #[error(
        "index directory `{}` is damaged: {reason}; delete the directory and index again, or restore a copy of it",
        directory.display()
    )]
    Damaged {
        /// The index's directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The definition has no index yet.
    #[error("there is no index in directory `{}`", directory.display())]
    Missing {
        /// The index's directory.
        directory: PathBuf,
    },
    /// The mapping has something that no index can have.
    #[error("the mapping of index `{index}` cannot be used: {reason}")]
    Mapping {
        /// The index.
        index: String,
        /// What is wrong.
        reason: String,
    },
    /// The query cannot be parsed, or names a field that does not exist.
    #[error("query `{query}` cannot be used: {reason}")]
    Query {
        /// The query.
        query: String,
        /// What is wrong.
        reason: String,
    },
    /// The search library failed.
    #[error("{doing} in index directory `{}` failed: {source}", directory.display())]
    Library {
        /// The index's directory.
        directory: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: tantivy::TantivyError,
    },
}

impl From<EmbeddedError> for OpenError {
    fn from(error: EmbeddedError) -> Self {
        Self::Failed(Box::new(error))
    }
}
