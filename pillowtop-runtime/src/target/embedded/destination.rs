//! The embedded index as the destination of a pillow.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::Definition;

use super::directory::IndexDirectory;
use super::error::EmbeddedError;
use super::reader::EmbeddedReader;
use super::target::EmbeddedTarget;
use crate::claim::{AcquireOptions, DatabaseIdentity, Slice};
use crate::target::local::{LocalClaims, LocalError, LocalOptions, OpenOnce};
use crate::target::{Destination, OpenError, OpenTarget, TargetRef};

/// Options for [`EmbeddedDestination`].
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of memory for documents before they are written to the disk. Default: 50 MB. The minimum is 15 MB.
    pub writer_heap: usize,
    /// Options of all targets in a directory.
    pub local: LocalOptions,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { writer_heap: 50_000_000, local: LocalOptions::default() }
    }
}

/// The index of a definition in a directory: `<directory>/<alias>_<hash>_1/`. Another mapping has another hash, so its index is
/// created beside.
#[derive(Debug)]
pub struct EmbeddedDestination {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parent: PathBuf,
    directory: IndexDirectory,
    definition: Definition,
    writer_heap: usize,
    claims: LocalClaims,
    open: OpenOnce<EmbeddedTarget>,
}

impl EmbeddedDestination {
    /// The index of a definition below a directory. Nothing is opened or created yet.
    pub fn new(parent: impl Into<PathBuf>, definition: Definition, options: EmbeddedOptions) -> Self {
        let parent = parent.into();
        let directory = IndexDirectory::of(&parent, &definition);
        let claims = LocalClaims::new(directory.local.clone(), definition.clone(), options.local);
        let (writer_heap, open) = (options.writer_heap, OpenOnce::default());
        Self { inner: Arc::new(Inner { parent, directory, definition, writer_heap, claims, open }) }
    }

    /// Opens the index for reading.
    ///
    /// # Errors
    ///
    /// When it is missing or damaged.
    pub fn reader(&self) -> Result<EmbeddedReader, EmbeddedError> {
        EmbeddedReader::open(&self.inner.parent, &self.inner.definition)
    }

    /// Opens the index for writing as [`Destination::open`] does, and keeps its type.
    ///
    /// # Errors
    ///
    /// See [`Destination::open`].
    pub async fn open_target(
        &self,
        uuid: &str,
        options: &AcquireOptions,
    ) -> Result<Arc<EmbeddedTarget>, OpenError> {
        let open = self.inner.open_target(uuid, options);
        self.inner.open.get_or_open(|target| target.is_usable(uuid), open).await
    }
}

impl Inner {
    async fn open_target(&self, uuid: &str, options: &AcquireOptions) -> Result<EmbeddedTarget, OpenError> {
        let lock = self.directory.local.lock(options).await?;
        let has_claim = self.claims.has_claim(uuid).await?;
        let (directory, definition, writer_heap) =
            (self.directory.clone(), self.definition.clone(), self.writer_heap);
        let uuid = uuid.to_owned();
        blocking(move || {
            if directory.uuid()? != uuid {
                return Err(LocalError::Replaced { directory: directory.local.path }.into());
            }
            EmbeddedTarget::open(directory, &definition, lock, writer_heap, uuid, has_claim)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, OpenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(OpenError::Failed(Box::new(error))),
    }
}

impl Destination for EmbeddedDestination {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        let directory = self.inner.directory.clone();
        blocking(move || Ok(vec![TargetRef { uuid: directory.uuid()?, name: directory.local.name }])).boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        async move {
            let opened = self.open_target(&target.uuid, &options).await?;
            let claim = self.inner.claims.acquire(target, slice, begin, options).await?;
            let dead_letters = self.inner.directory.local.open_dead_letters()?;
            Ok(OpenTarget { claim: Arc::new(claim), target: opened, dead_letters: Arc::new(dead_letters) })
        }
        .boxed()
    }
}
