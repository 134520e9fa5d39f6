//! The embedded index as the destination of a pillow.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillowtop_core::Definition;

use super::directory::IndexDirectory;
use super::error::EmbeddedError;
use super::read_back::ReadBack;
use super::reader::EmbeddedReader;
use super::target::EmbeddedTarget;
use pillowtop_runtime::claim::{AcquireOptions, ClaimStore};
use pillowtop_runtime::target::local::{
    DirectoryDestination, DirectoryLock, LocalDestination, LocalDirectory, LocalError, LocalKind,
    LocalOptions,
};
use pillowtop_runtime::target::{OpenError, TargetReader, TargetRef};

/// Options for [`EmbeddedDestination`].
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of memory for documents before they are written to the disk. Default: 50 MB. The
    /// minimum is 15 MB.
    pub writer_heap: usize,
    /// Options of all targets in a directory.
    pub local: LocalOptions,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { writer_heap: 50_000_000, local: LocalOptions::default() }
    }
}

/// The index of a definition in a directory: `<directory>/<alias>_<hash>_1/`. Another mapping has
/// another hash, so its index is created beside.
#[derive(Debug)]
pub struct EmbeddedDestination {
    parent: PathBuf,
    definition: Definition,
    inner: LocalDestination<Embedded>,
}

/// The embedded index as a kind of target in a directory.
#[derive(Debug, Clone)]
pub struct Embedded {
    definition: Definition,
    writer_heap: usize,
}

impl LocalKind for Embedded {
    type Target = EmbeddedTarget;
    type Error = EmbeddedError;

    fn contents(&self, directory: &LocalDirectory) -> PathBuf {
        IndexDirectory::of(directory.clone()).files()
    }

    fn open(
        &self,
        directory: &LocalDirectory,
        lock: DirectoryLock,
        has_claim: bool,
    ) -> Result<EmbeddedTarget, EmbeddedError> {
        let directory = IndexDirectory::of(directory.clone());
        EmbeddedTarget::open(directory, &self.definition, lock, self.writer_heap, has_claim)
    }

    fn is_usable(target: &EmbeddedTarget) -> bool {
        target.is_usable()
    }
}

impl EmbeddedDestination {
    /// The index of a definition below a directory. Nothing is opened or created yet.
    pub fn new(parent: impl AsRef<Path>, definition: Definition, options: EmbeddedOptions) -> Self {
        let parent = parent.as_ref().to_owned();
        let directory = IndexDirectory::below(&parent, &definition).local;
        let kind = Embedded { definition: definition.clone(), writer_heap: options.writer_heap };
        let inner = LocalDestination::new(kind, directory, definition.clone(), options.local);
        Self { parent, definition, inner }
    }

    /// Opens the index for reading.
    ///
    /// # Errors
    ///
    /// When it is missing or damaged.
    pub fn reader(&self) -> Result<EmbeddedReader, EmbeddedError> {
        EmbeddedReader::open(&self.parent, &self.definition)
    }

    /// Where the claims on the index are, as [`Verify`](pillowtop_runtime::verify::Verify) needs
    /// them.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created.
    pub fn claim_store(&self) -> Result<Arc<dyn ClaimStore>, LocalError> {
        self.inner.claim_store()
    }

    /// Opens the index for writing as
    /// [`Destination::open`](pillowtop_runtime::target::Destination::open) does, without a claim,
    /// and keeps its type.
    ///
    /// # Errors
    ///
    /// When the index is damaged, or is not the one of the uuid any more.
    pub async fn open_target(
        &self,
        uuid: &str,
        options: &AcquireOptions,
    ) -> Result<Arc<EmbeddedTarget>, OpenError> {
        self.inner.open_target(uuid, options).await
    }
}

impl DirectoryDestination for EmbeddedDestination {
    type Kind = Embedded;

    fn local(&self) -> &LocalDestination<Embedded> {
        &self.inner
    }

    fn target_reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        match ReadBack::new(self.parent.clone(), self.definition.clone(), target.clone()) {
            Ok(reader) => Some(Arc::new(reader)),
            Err(error) => {
                tracing::warn!(%error, "the index cannot be read back");
                None
            }
        }
    }
}
