//! The target that appends to files of bulk requests.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::files::BulkFiles;
use crate::operation::Operation;
use crate::target::local::DirectoryLock;
use crate::target::{Outcome, Target, WriteError};

/// Files of bulk requests, open for writing.
///
/// It accepts every document: a server rejects it only when the file is replayed.
#[derive(Debug)]
pub struct NdjsonTarget {
    directory: PathBuf,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    files: BulkFiles,
    /// Held until nobody writes any more, not even a write that nobody waits for.
    _lock: DirectoryLock,
}

impl NdjsonTarget {
    /// Opens the files of a locked directory. Blocks.
    pub(super) fn open(directory: PathBuf, lock: DirectoryLock, max_bytes: usize) -> io::Result<Self> {
        let files = BulkFiles::open(directory.clone(), max_bytes)?;
        Ok(Self { directory, inner: Arc::new(Mutex::new(Inner { files, _lock: lock })) })
    }

    /// Runs `work` on a blocking thread. Calls are done in order, even those that nobody waits for
    /// any more.
    async fn with_files(
        &self,
        work: impl FnOnce(&mut BulkFiles) -> io::Result<()> + Send + 'static,
    ) -> Result<(), WriteError> {
        let mut inner = Arc::clone(&self.inner).lock_owned().await;
        match tokio::task::spawn_blocking(move || work(&mut inner.files)).await {
            Ok(done) => done.map_err(|error| WriteError::Blocked(error.to_string())),
            Err(error) => Err(WriteError::Unreachable(error.to_string())),
        }
    }
}

impl Target for NdjsonTarget {
    fn describe(&self) -> String {
        format!("bulk files in directory {}", self.directory.display())
    }

    /// An outcome is not durable before the next flush.
    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        // Cloning an operation does not copy its document.
        let (owned, done) = (operations.to_vec(), vec![Outcome::Done; operations.len()]);
        async move {
            self.with_files(move |files| files.append(&owned)).await?;
            Ok(done)
        }
        .boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
        self.with_files(BulkFiles::finish).boxed()
    }
}
