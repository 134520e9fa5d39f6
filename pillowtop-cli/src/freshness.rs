//! Whether a committed mapping is what its struct derives.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillowtop_core::committed::CommittedFileError;
use pillowtop_core::{AnyPillow, Committed, CommittedFile, Definition};

use crate::exit::Failure;

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

/// Whether the committed mappings are those of the structs; nothing touches an index otherwise.
pub(crate) fn require_fresh(pillows: &[Arc<dyn AnyPillow>]) -> Result<(), Failure> {
    let states = pillows.iter().map(|pillow| (&pillow.definition().pillow, freshness(pillow.definition()).0));
    let other: Vec<_> =
        states.filter(|(_, state)| !matches!(state, Freshness::Fresh | Freshness::Unchecked)).collect();
    if other.is_empty() {
        return Ok(());
    }
    let said: Vec<String> =
        other.iter().map(|(name, state)| format!("the mapping of pillow `{name}` is {state}")).collect();
    let names: Vec<&str> = other.iter().map(|(name, _)| name.as_str()).collect();
    let hint = format!("run `PROGRAM make-mapping {}`", names.join(" "));
    Err(Failure::stale(said.join("; ")).hint(hint))
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
