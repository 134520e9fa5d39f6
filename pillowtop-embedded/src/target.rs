//! The index that is written: one writer, whose commits make what was acknowledged durable.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{Definition, DocumentId};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexWriter, TantivyError, Term};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::directory::IndexDirectory;
use super::document::convert;
use super::error::EmbeddedError;
use super::reader::EmbeddedReader;
use pillowtop_runtime::operation::{Action, Operation};
use pillowtop_runtime::target::local::DirectoryLock;
use pillowtop_runtime::target::{Outcome, Target, WriteError};

/// The servers' name for most of the errors with which they reject a document.
const REJECTED: &str = "mapper_parsing_exception";

/// An index in a directory, open for writing. It reads as an [`EmbeddedReader`] does, and sees its
/// own commits.
///
/// Versions are not compared: one process writes, the operations of one document come in order, and
/// the writer is passed on in the order in which it was requested.
#[derive(Debug)]
pub struct EmbeddedTarget {
    reader: Arc<EmbeddedReader>,
    writer: Arc<Mutex<Writer>>,
    failure: Arc<Failure>,
}

/// Why nothing can be written any more: operations that were acknowledged may be lost until the
/// index is opened again, so no position may be saved.
#[derive(Debug, Default)]
struct Failure(OnceLock<String>);

struct Writer {
    inner: IndexWriter,
    reader: Arc<EmbeddedReader>,
    /// What was written since the last commit: whether the document exists.
    uncommitted: HashMap<DocumentId, bool>,
    failure: Arc<Failure>,
    /// Held until the writer is dropped: the library's own lock is in a directory that is created
    /// before.
    _lock: DirectoryLock,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Writer").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Deref for EmbeddedTarget {
    type Target = EmbeddedReader;

    fn deref(&self) -> &EmbeddedReader {
        &self.reader
    }
}

impl EmbeddedTarget {
    /// Opens the index of a locked directory, or creates it. Only an index that has a claim may
    /// have documents, and only one without a claim may be missing. Blocks.
    pub(super) fn open(
        directory: IndexDirectory,
        definition: &Definition,
        lock: DirectoryLock,
        writer_heap: usize,
        has_claim: bool,
    ) -> Result<Self, EmbeddedError> {
        let (index, plan) = match directory.open_existing(definition)? {
            Some(opened) if !has_claim && directory.has_documents(&opened.0)? => {
                return Err(directory.damaged("it has documents, and its claim is missing"));
            }
            Some(opened) => opened,
            None if has_claim => {
                return Err(directory.damaged("it has a claim, and its documents are missing"));
            }
            None => directory.create(definition)?,
        };
        let options =
            IndexWriterOptions::builder().memory_budget_per_thread(writer_heap).num_merge_threads(1).build();
        let inner = index
            .writer_with_options(options)
            .map_err(|error| directory.library("opening the writer", error))?;
        let reader = Arc::new(EmbeddedReader::of(directory, index, plan)?);
        let failure = Arc::new(Failure::default());
        let writer = Writer {
            inner,
            reader: Arc::clone(&reader),
            uncommitted: HashMap::new(),
            failure: Arc::clone(&failure),
            _lock: lock,
        };
        Ok(Self { reader, writer: Arc::new(Mutex::new(writer)), failure })
    }

    /// Whether it accepts writes.
    pub(super) fn is_usable(&self) -> bool {
        self.failure.0.get().is_none()
    }

    /// Runs `work` with the writer on a blocking thread. The writer is taken before the thread
    /// starts and passed on when the work is done, even if nobody waits for it any more, so
    /// calls are done in order.
    async fn with_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, String> + Send + 'static,
    ) -> Result<T, WriteError> {
        let mut writer: OwnedMutexGuard<Writer> = Arc::clone(&self.writer).lock_owned().await;
        if let Some(reason) = self.failure.0.get() {
            return Err(WriteError::ClaimLost(reason.clone()));
        }
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mut writer);
            // While the writer is still held: the next call must not succeed.
            done.map_err(|reason| writer.failure.set(reason))
        });
        match done.await {
            Ok(done) => done,
            Err(error) => Err(self.failure.set(format!("the writing thread failed: {error}"))),
        }
    }
}

impl Failure {
    fn set(&self, reason: String) -> WriteError {
        tracing::error!(reason, "the embedded index accepts no more writes until it is opened again");
        WriteError::ClaimLost(self.0.get_or_init(|| reason).clone())
    }
}

impl Writer {
    fn write_one(&mut self, operation: &Operation) -> Result<Outcome, String> {
        let id = operation.id.as_str();
        let plan = &self.reader.plan;
        let document = match &operation.action {
            Action::Index(source) => match convert(plan, id, source) {
                Ok(document) => Some(document),
                Err(reason) => {
                    return Ok(Outcome::Rejected { error_type: REJECTED.to_owned(), reason });
                }
            },
            Action::Delete => None,
        };
        let failed = |error: &dyn std::fmt::Display| format!("writing document `{id}` failed: {error}");
        let exists = match self.uncommitted.get(&operation.id) {
            Some(exists) => *exists,
            None => self.reader.contains(id).map_err(|error| failed(&error))?,
        };
        if exists {
            self.inner.delete_term(Term::from_field_text(plan.id, id));
        }
        let Some(document) = document else {
            if !exists {
                return Ok(Outcome::Absent);
            }
            self.uncommitted.insert(operation.id.clone(), false);
            return Ok(Outcome::Done);
        };
        self.inner.add_document(document).map_err(|error| failed(&error))?;
        self.uncommitted.insert(operation.id.clone(), true);
        Ok(Outcome::Done)
    }

    /// Commits what was written. What a failed commit left of the documents is not known.
    fn commit(&mut self) -> Result<(), TantivyError> {
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        self.inner.commit()?;
        match self.reader.reload() {
            Ok(()) => self.uncommitted.clear(),
            Err(error) => tracing::warn!(%error, "searches do not see the last commit"),
        }
        Ok(())
    }
}

impl Target for EmbeddedTarget {
    fn describe(&self) -> String {
        format!("embedded index {} in directory {}", self.name(), self.directory().display())
    }

    /// An outcome is not durable before the next flush.
    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        // Cloning an operation does not copy its document.
        let operations = operations.to_vec();
        self.with_writer(move |writer| {
            operations.iter().map(|operation| writer.write_one(operation)).collect()
        })
        .boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
        self.with_writer(|writer| writer.commit().map_err(|error| format!("committing failed: {error}")))
            .boxed()
    }
}
