//! Whether a committed mapping is what its struct derives.

use std::fmt;
use std::path::{Path, PathBuf};

use pillowtop_core::committed::CommittedFileError;
use pillowtop_core::{Committed, CommittedFile, Definition};

/// How a committed mapping stands to its struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It is what the struct derives.
    Fresh,
    /// There is none yet.
    New,
    /// The struct derives another one.
    Stale,
    /// Its body is not what its header says.
    EditedByHand(String),
    /// It cannot be read.
    Broken(String),
    /// The pillow says that it is not checked.
    Unchecked,
}

impl fmt::Display for Freshness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => formatter.write_str("committed"),
            Self::New => formatter.write_str("not committed"),
            Self::Stale => formatter.write_str("stale"),
            Self::EditedByHand(_) => formatter.write_str("edited by hand"),
            Self::Broken(_) => formatter.write_str("unreadable"),
            Self::Unchecked => formatter.write_str("unchecked"),
        }
    }
}

/// How the committed mapping of a definition stands, and the file if it can be read.
pub(crate) fn freshness(definition: &Definition) -> (Freshness, Option<CommittedFile>) {
    let read = match definition.committed {
        Committed::Unchecked => return (Freshness::Unchecked, None),
        Committed::Embedded(bytes) => CommittedFile::parse(bytes),
        Committed::OnDisk(path) => CommittedFile::read(Path::new(path)),
    };
    match read {
        Ok(file) if file == CommittedFile::of(definition) => (Freshness::Fresh, Some(file)),
        Ok(file) => (Freshness::Stale, Some(file)),
        Err(CommittedFileError::Missing(_)) => (Freshness::New, None),
        Err(CommittedFileError::EditedByHand(why)) => (Freshness::EditedByHand(why.to_owned()), None),
        Err(CommittedFileError::Fingerprint(_)) => (Freshness::Stale, None),
        Err(error) => (Freshness::Broken(error.to_string()), None),
    }
}

/// Where the committed mapping of a definition is on disk, without `..`.
pub(crate) fn path_of(definition: &Definition) -> Option<PathBuf> {
    let Committed::OnDisk(path) = definition.committed else { return None };
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// The path as people write it: from the current folder, if it lies below.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
