//! The index that is followed into: one writer, whose commits have documents and checkpoint together.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pillowtop_core::{Definition, Sequence};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexWriter, TantivyError, Term};
use tokio::sync::OwnedMutexGuard;

use super::document::convert;
use super::error::EmbeddedError;
use super::folder::Place;
use super::letters::Letters;
use super::mapping::Plan;
use super::reader::EmbeddedReader;
use crate::clock::{VersionClock, now_text};
use crate::dead_letter::DeadLetter;
use crate::operation::{Action, Operation, Version, WriteMode};
use crate::sink::{ItemOutcome, SinkError, WriteError};
use crate::state::{DatabaseIdentity, IndexState, LoadState, Phase};

/// How an index is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Bytes of memory for documents before they go to the disk. 50 MB unless said; 15 MB at least.
    pub writer_heap: usize,
    /// A first load for an index that is new; left out, a new index follows the feed from its start.
    pub load: Option<LoadState>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { writer_heap: 50_000_000, load: None }
    }
}

/// An index in a folder, open for writing: the only one that is. It reads as an [`EmbeddedReader`] does.
#[derive(Debug)]
pub struct EmbeddedIndex {
    reader: EmbeddedReader,
    shared: Arc<Shared>,
    writer: Arc<tokio::sync::Mutex<Writer>>,
}

/// What is asked without waiting for the writer.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<IndexState>,
    versions: VersionClock,
    /// Why nothing can be written any more: operations that were answered may be lost until the index is opened again, so no
    /// position may be stored.
    failure: OnceLock<String>,
}

/// The writer; without its library's writer after release.
pub(super) struct Writer {
    inner: Option<IndexWriter>,
    letters: Letters,
    plan: Arc<Plan>,
    index: String,
    /// Held from before the index is made until release: the library's own lock is in a folder that is made first.
    lock: Option<std::fs::File>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Writer").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Deref for EmbeddedIndex {
    type Target = EmbeddedReader;

    fn deref(&self) -> &EmbeddedReader {
        &self.reader
    }
}

impl EmbeddedIndex {
    /// Opens the definition's index below `folder`, or makes it, with [`EmbeddedOptions::default`]. Blocks.
    pub fn open(
        folder: &Path,
        definition: &Definition,
        database: DatabaseIdentity,
    ) -> Result<Self, EmbeddedError> {
        Self::open_with(folder, definition, database, EmbeddedOptions::default())
    }

    /// Opens the definition's index below `folder`, or makes it. Blocks.
    ///
    /// The index is `<folder>/<alias>_<hash>_1/`: another mapping has another hash, so its index is made beside.
    pub fn open_with(
        folder: &Path,
        definition: &Definition,
        database: DatabaseIdentity,
        options: EmbeddedOptions,
    ) -> Result<Self, EmbeddedError> {
        let place = Place::of(folder, definition);
        let lock = place.lock()?;
        let (index, plan) = match place.open_existing(definition)? {
            Some(opened) => opened,
            None => place.create(definition)?,
        };
        let writer_options =
            IndexWriterOptions::builder().memory_budget_per_thread(options.writer_heap).num_merge_threads(1);
        // The writer's lock comes before the state is read: nobody changes it then.
        let writer = index
            .writer_with_options(writer_options.build())
            .map_err(|error| place.library("opening the writer", error))?;
        let state = match place.state(&index, definition)? {
            Some(state) => same_database(&place, state, &database)?,
            None => new_state(&place, definition, database, options.load),
        };
        let letters = Letters::open(place.letters_folder())
            .map_err(|error| place.io("opening the dead letters", error))?;
        let shared = Shared {
            versions: VersionClock::above(state.ceiling),
            state: Mutex::new(state.clone()),
            failure: OnceLock::new(),
        };
        let reader = EmbeddedReader::of(place, definition.clone(), index, plan)?;
        let mut writer = Writer {
            inner: Some(writer),
            letters,
            plan: Arc::clone(&reader.plan),
            index: reader.name().to_string(),
            lock: Some(lock),
        };
        // Versions are reserved before the first is made, as everywhere.
        writer
            .commit(&shared, state)
            .map_err(|error| reader.place().library("committing the state", error))?;
        reader.refresh()?;
        Ok(Self { reader, shared: Arc::new(shared), writer: Arc::new(tokio::sync::Mutex::new(writer)) })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs `work` with the writer on a blocking thread. The writer is taken before the thread starts and given back when the
    /// work is done, even if nobody waits for it any more: what was asked first is done first.
    pub(super) async fn with_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer, &Shared) -> T + Send + 'static,
    ) -> Result<T, String> {
        let mut writer: OwnedMutexGuard<Writer> = Arc::clone(&self.writer).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || work(&mut writer, &shared)).await;
        done.map_err(|error| {
            let reason = format!("the writing thread failed: {error}");
            self.shared.fail(reason.clone());
            reason
        })
    }
}

impl Shared {
    pub(super) fn state(&self) -> IndexState {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn versions(&self) -> &VersionClock {
        &self.versions
    }

    fn fail(&self, reason: String) {
        tracing::error!(reason, "the embedded index takes no more writes until it is opened again");
        // The first reason stays.
        let _ = self.failure.set(reason);
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.failure.get().cloned()
    }
}

impl Writer {
    /// Writes a bulk: each document is deleted by its id, then added.
    pub(super) fn write(
        &mut self,
        shared: &Shared,
        operations: &[Operation],
        mode: WriteMode,
    ) -> Result<Vec<ItemOutcome>, WriteError> {
        if let Some(reason) = shared.failure() {
            return Err(WriteError::LeaseLost(reason));
        }
        if mode == WriteMode::Load && shared.state().phase != Phase::Loading {
            // A write of the load that comes after it would undo what followed.
            return Err(WriteError::LeaseLost("the load is over".to_owned()));
        }
        let mut outcomes = Vec::with_capacity(operations.len());
        for operation in operations {
            outcomes.push(self.write_one(operation).map_err(|error| {
                shared.fail(error.clone());
                WriteError::LeaseLost(error)
            })?);
        }
        Ok(outcomes)
    }

    fn write_one(&mut self, operation: &Operation) -> Result<ItemOutcome, String> {
        let Some(inner) = &self.inner else { return Err("the index was released".to_owned()) };
        let id = operation.id.as_str();
        let document = match &operation.action {
            Action::Index(source) => match convert(&self.plan, id, source) {
                Ok(document) => Some(document),
                Err(refusal) => {
                    return Ok(ItemOutcome::Rejected {
                        error_type: refusal.error_type.to_owned(),
                        reason: refusal.reason,
                    });
                }
            },
            Action::Delete => None,
        };
        inner.delete_term(Term::from_field_text(self.plan.id, id));
        if let Some(document) = document {
            inner.add_document(document).map_err(|error| {
                format!("adding document `{id}` to index `{}` failed: {error}", self.index)
            })?;
        }
        self.letters.settle(&operation.id);
        Ok(ItemOutcome::Done)
    }

    /// Stores dead letters.
    pub(super) fn bury(&mut self, letters: &[DeadLetter]) -> Result<(), SinkError> {
        self.letters.bury(letters).map_err(|error| self.unavailable("dead letters", &error))
    }

    /// Stores a state that `change` makes of the last one, with all that was written.
    pub(super) fn store(
        &mut self,
        shared: &Shared,
        change: impl FnOnce(&mut IndexState),
    ) -> Result<(), SinkError> {
        if let Some(reason) = shared.failure() {
            return Err(SinkError::LeaseLost { index: self.index.clone(), reason });
        }
        let mut state = shared.state();
        change(&mut state);
        self.commit(shared, state).map_err(|error| {
            // What the failed commit left of the documents is not known.
            let reason = format!("committing failed: {error}");
            shared.fail(reason.clone());
            SinkError::LeaseLost { index: self.index.clone(), reason }
        })
    }

    /// One commit: documents, state, and the versions that may be made until the next.
    fn commit(&mut self, shared: &Shared, mut state: IndexState) -> Result<(), TantivyError> {
        let Some(inner) = &mut self.inner else {
            return Err(TantivyError::InvalidArgument("the index was released".to_owned()));
        };
        state.ceiling = shared.versions.next_ceiling();
        let payload = serde_json::to_string(&state)
            .map_err(|error| TantivyError::InternalError(format!("the state cannot be written: {error}")))?;
        let mut prepared = inner.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        shared.versions.reserved(state.ceiling);
        *shared.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.letters.committed();
        Ok(())
    }

    /// Commits and gives the folder back, after background merges are done.
    pub(super) fn release(&mut self, shared: &Shared) -> Result<(), SinkError> {
        if self.inner.is_none() {
            return Ok(());
        }
        let stored = self.store(shared, |_| {});
        if let Some(inner) = self.inner.take() {
            // A merge that failed is tried again by the next owner.
            if let Err(error) = inner.wait_merging_threads() {
                tracing::warn!(index = self.index, %error, "merging in the background failed");
            }
        }
        self.lock = None;
        stored
    }

    fn unavailable(&self, what: &'static str, reason: &dyn std::fmt::Display) -> SinkError {
        SinkError::Unavailable { index: self.index.clone(), what, reason: reason.to_string() }
    }
}

fn same_database(
    place: &Place,
    state: IndexState,
    asked: &DatabaseIdentity,
) -> Result<IndexState, EmbeddedError> {
    let named = |database: &DatabaseIdentity| {
        format!("`{}` (start time `{}`)", database.name, database.instance_start_time)
    };
    if state.database == *asked {
        return Ok(state);
    }
    Err(EmbeddedError::OtherDatabase {
        folder: place.folder.clone(),
        stored: named(&state.database),
        asked: named(asked),
    })
}

fn new_state(
    place: &Place,
    definition: &Definition,
    database: DatabaseIdentity,
    load: Option<LoadState>,
) -> IndexState {
    IndexState {
        pillow: definition.pillow.clone(),
        index: place.name.clone(),
        hash: definition.hash.to_string(),
        phase: if load.is_some() { Phase::Loading } else { Phase::Following },
        checkpoint: None,
        ceiling: Version(0),
        load,
        database,
        past: Vec::new(),
    }
}

/// Stores the position, if there is one.
pub(super) fn set_position(state: &mut IndexState, position: Option<Sequence>) {
    if let Some(position) = position {
        state.set_position(position, &now_text());
    }
}
