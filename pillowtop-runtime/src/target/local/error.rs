//! Why the directory of a target cannot be used.

use std::io;
use std::path::PathBuf;

use crate::target::destination::OpenError;

/// Why the directory of a target cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// Another process, or another destination of this one, has it open.
    #[error("directory `{}` is open for writing elsewhere: only one process can follow into it", directory.display())]
    InUse {
        /// The target's directory.
        directory: PathBuf,
    },
    /// It was filled from another database, or that database was deleted and created again: its
    /// positions mean nothing.
    #[error(
        "directory `{}` was filled from database {stored}, not from {expected}; delete the directory to start anew",
        directory.display()
    )]
    OtherDatabase {
        /// The target's directory.
        directory: PathBuf,
        /// The database of the stored position.
        stored: String,
        /// The database now.
        expected: String,
    },
    /// The directory was deleted, and possibly created again, since the target was listed.
    #[error("directory `{}` was deleted since it was listed", directory.display())]
    Replaced {
        /// The target's directory.
        directory: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{doing} in directory `{}` failed: {source}", directory.display())]
    Io {
        /// The target's directory.
        directory: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl From<LocalError> for OpenError {
    fn from(error: LocalError) -> Self {
        Self::Failed(Box::new(error))
    }
}
