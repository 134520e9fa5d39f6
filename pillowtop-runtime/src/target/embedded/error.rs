//! Why the embedded index could not be opened or asked.

use std::path::PathBuf;

/// Why the embedded index could not be opened or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another process, or another value in this one, has it open for writing.
    #[error("index folder `{}` is open for writing elsewhere: only one process can follow into it", folder.display())]
    InUse {
        /// The index's folder.
        folder: PathBuf,
    },
    /// The folder has an index that cannot be read; nothing was changed.
    #[error(
        "index folder `{}` is damaged: {reason}; delete the folder and index again, or put back a copy of it",
        folder.display()
    )]
    Damaged {
        /// The index's folder.
        folder: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// No index of this definition is there yet.
    #[error("there is no index in folder `{}`", folder.display())]
    Missing {
        /// The index's folder.
        folder: PathBuf,
    },
    /// It was filled from another database, or that database was deleted and created again: its positions mean nothing.
    #[error(
        "index folder `{}` was filled from database {stored}, not from {asked}; delete the folder to start anew",
        folder.display()
    )]
    OtherDatabase {
        /// The index's folder.
        folder: PathBuf,
        /// The database of the stored positions.
        stored: String,
        /// The database now.
        asked: String,
    },
    /// The mapping has something that no index can have.
    #[error("the mapping of index `{index}` cannot be used: {reason}")]
    Mapping {
        /// The index.
        index: String,
        /// What does not fit.
        reason: String,
    },
    /// The query cannot be read, or names a field that is not there.
    #[error("query `{query}` cannot be used: {reason}")]
    Query {
        /// The query as it came.
        query: String,
        /// What does not fit.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{doing} in index folder `{}` failed", folder.display())]
    Io {
        /// The index's folder.
        folder: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The search library failed.
    #[error("{doing} in index folder `{}` failed", folder.display())]
    Library {
        /// The index's folder.
        folder: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: tantivy::TantivyError,
    },
}
