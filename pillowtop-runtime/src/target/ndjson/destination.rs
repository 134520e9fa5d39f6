//! Files of bulk requests as the destination of a pillow.

use std::path::{Path, PathBuf};

use pillowtop_core::Definition;

use super::target::NdjsonTarget;
use crate::target::local::{
    DirectoryDestination, DirectoryLock, LocalDestination, LocalDirectory, LocalError, LocalKind,
    LocalOptions,
};

/// Options for [`NdjsonDestination`].
#[derive(Debug, Clone)]
pub struct NdjsonOptions {
    /// A file is finished before it is larger than this, unless one document alone is, and whenever
    /// a position is saved. Default: 5 MB.
    pub max_bytes: usize,
    /// Options of all targets in a directory.
    pub local: LocalOptions,
}

impl Default for NdjsonOptions {
    fn default() -> Self {
        Self { max_bytes: 5_000_000, local: LocalOptions::default() }
    }
}

/// The bulk files of a definition in a directory: `<directory>/<alias>_<hash>_1/bulks/`. Another
/// mapping has another hash, so its files are written beside.
#[derive(Debug)]
pub struct NdjsonDestination {
    directory: LocalDirectory,
    inner: LocalDestination<Ndjson>,
}

/// Bulk files as a kind of target in a directory.
#[derive(Debug, Clone)]
pub struct Ndjson {
    max_bytes: usize,
}

fn bulks(directory: &LocalDirectory) -> PathBuf {
    directory.path.join("bulks")
}

impl LocalKind for Ndjson {
    type Target = NdjsonTarget;
    type Error = LocalError;

    fn open(
        &self,
        directory: &LocalDirectory,
        lock: DirectoryLock,
        _has_claim: bool,
    ) -> Result<NdjsonTarget, LocalError> {
        NdjsonTarget::open(bulks(directory), lock, self.max_bytes)
            .map_err(|error| directory.io("opening the bulk files", error))
    }
}

impl NdjsonDestination {
    /// The files of a definition below a directory. Nothing is opened or created yet.
    pub fn new(parent: impl AsRef<Path>, definition: Definition, options: NdjsonOptions) -> Self {
        let directory = LocalDirectory::new(parent.as_ref(), definition.index_name(None, 1));
        let kind = Ndjson { max_bytes: options.max_bytes };
        let inner = LocalDestination::new(kind, directory.clone(), definition, options.local);
        Self { directory, inner }
    }

    /// The directory of the files.
    pub fn files(&self) -> PathBuf {
        bulks(&self.directory)
    }
}

impl DirectoryDestination for NdjsonDestination {
    type Kind = Ndjson;

    fn local(&self) -> &LocalDestination<Ndjson> {
        &self.inner
    }
}
