//! A target in a directory as the destination of a pillow.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::Definition;
use tokio::sync::Mutex;

use super::claims::{LocalClaims, LocalOptions};
use super::directory::{DirectoryLock, LocalDirectory};
use super::error::LocalError;
use crate::claim::{AcquireOptions, ClaimStore, DatabaseIdentity, Slice};
use crate::target::destination::{Destination, OpenError, OpenTarget, TargetRef};
use crate::target::{Target, TargetReader};

/// A kind of target in a directory. Methods may block.
pub trait LocalKind: Clone + Send + Sync + fmt::Debug + 'static {
    /// What is written.
    type Target: Target;
    /// Why it cannot be opened.
    type Error: Into<OpenError> + From<LocalError> + Send + 'static;

    /// The directory that the uuid is stored in: deleting it makes the target another one.
    fn contents(&self, directory: &LocalDirectory) -> PathBuf {
        directory.path.clone()
    }

    /// Opens the target in a locked directory. `has_claim` tells whether it was opened before.
    fn open(
        &self,
        directory: &LocalDirectory,
        lock: DirectoryLock,
        has_claim: bool,
    ) -> Result<Self::Target, Self::Error>;

    /// Whether an open target accepts writes, or has to be opened again.
    fn is_usable(_target: &Self::Target) -> bool {
        true
    }
}

/// One target in a directory, with its claims and dead letters.
#[derive(Debug)]
pub struct LocalDestination<K: LocalKind> {
    kind: K,
    directory: LocalDirectory,
    claims: LocalClaims,
    /// The target while it is open, by its uuid: once, however many slices of it have claims of
    /// their own.
    open: Mutex<(String, Weak<K::Target>)>,
}

impl<K: LocalKind> LocalDestination<K> {
    /// Nothing is opened or created yet.
    pub fn new(kind: K, directory: LocalDirectory, definition: Definition, options: LocalOptions) -> Self {
        let claims = LocalClaims::new(directory.clone(), definition, options);
        Self { kind, directory, claims, open: Mutex::new((String::new(), Weak::new())) }
    }

    /// Where the claims on the target are.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created.
    pub fn claim_store(&self) -> Result<Arc<dyn ClaimStore>, LocalError> {
        Ok(Arc::new(self.claims.store()?))
    }

    /// See [`Destination::targets`].
    async fn targets(&self) -> Result<Vec<TargetRef>, OpenError> {
        let (kind, directory) = (self.kind.clone(), self.directory.clone());
        blocking(move || {
            let uuid = directory.uuid(&kind.contents(&directory))?;
            Ok::<_, K::Error>(vec![TargetRef { uuid, name: directory.name }])
        })
        .await
    }

    /// See [`Destination::open`].
    async fn open(
        &self,
        target: &TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> Result<OpenTarget, OpenError> {
        let opened = self.open_target(&target.uuid, &options).await?;
        let claim = self.claims.acquire(target, slice, begin, options).await?;
        let dead_letters = self.directory.open_dead_letters()?;
        Ok(OpenTarget { claim: Arc::new(claim), target: opened, dead_letters: Arc::new(dead_letters) })
    }

    /// Opens the target of a uuid, unless it is open, without a claim.
    ///
    /// # Errors
    ///
    /// When the target cannot be opened, or is not the one of the uuid any more.
    pub async fn open_target(
        &self,
        uuid: &str,
        options: &AcquireOptions,
    ) -> Result<Arc<K::Target>, OpenError> {
        let mut open = self.open.lock().await;
        if let Some(opened) = open.1.upgrade().filter(|opened| open.0 == uuid && K::is_usable(opened)) {
            return Ok(opened);
        }
        let lock = self.directory.lock(options).await?;
        let has_claim = self.claims.has_claim(uuid).await?;
        let (kind, directory, expected) = (self.kind.clone(), self.directory.clone(), uuid.to_owned());
        let opened = blocking(move || {
            if directory.uuid(&kind.contents(&directory))? != expected {
                return Err(LocalError::Replaced { directory: directory.path }.into());
            }
            kind.open(&directory, lock, has_claim)
        });
        let opened = Arc::new(opened.await?);
        *open = (uuid.to_owned(), Arc::downgrade(&opened));
        Ok(opened)
    }
}

/// A destination that is a [`LocalDestination`] inside.
pub trait DirectoryDestination: Send + Sync + fmt::Debug + 'static {
    /// The kind of its target.
    type Kind: LocalKind;

    /// The destination that does the work.
    fn local(&self) -> &LocalDestination<Self::Kind>;

    /// See [`Destination::reader`].
    fn target_reader(&self, _target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        None
    }
}

impl<D: DirectoryDestination> Destination for D {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        self.local().targets().boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        self.local().open(target, slice, begin, options).boxed()
    }

    fn reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        self.target_reader(target)
    }
}

async fn blocking<T: Send + 'static, E: Into<OpenError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, OpenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Into::into),
        Err(error) => Err(OpenError::Failed(Box::new(error))),
    }
}
