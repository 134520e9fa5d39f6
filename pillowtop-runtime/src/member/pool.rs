//! Deciding on several cores: chunks of a batch are decided at once and taken in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pillowtop_core::DocumentId;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::decide::{Decided, Decider};
use super::watermark::Ordinal;
use crate::operation::Version;
use crate::reader::Batch;

/// Rows that are decided by one core at a time.
const CHUNK: usize = 128;
/// After this long a decision counts as hung.
const HUNG: Duration = Duration::from_mins(1);

/// The cores that decide for all members of a process. Clones share them.
#[derive(Debug, Clone)]
pub struct DecidePool {
    cores: Arc<Semaphore>,
}

impl Default for DecidePool {
    /// All cores of the machine.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }
}

impl DecidePool {
    /// Runs work on a thread of its own, when a core is free.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // The semaphore is never closed.
        let _core = self.cores.acquire().await.ok();
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            // It was not cancelled: a panic is a bug that must be seen.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// A chunk of a batch, decided.
pub(super) struct DecidedChunk {
    /// The batch.
    pub(super) batch: Arc<Batch>,
    /// Its rows that were decided.
    pub(super) rows: Range<usize>,
    /// The ordinal of the first of them.
    pub(super) ordinal: Ordinal,
    /// The version of the first of them; the others follow in a row.
    pub(super) version: Version,
    /// What was decided of each.
    pub(super) decided: Vec<Decided>,
}

struct Chunk {
    batch: Arc<Batch>,
    rows: Range<usize>,
    ordinal: Ordinal,
    version: Version,
    started: Arc<OnceLock<Instant>>,
    current: Arc<AtomicUsize>,
    task: AbortOnDropHandle<Vec<Decided>>,
}

/// The chunks of one member that are being decided, in order.
#[derive(Default)]
pub(super) struct Deciding {
    chunks: VecDeque<Chunk>,
}

impl Deciding {
    /// Starts deciding a batch. Its versions are stamped already: when it was received.
    pub(super) fn start(
        &mut self,
        pool: &DecidePool,
        decider: &Decider,
        batch: &Arc<Batch>,
        ordinal: Ordinal,
        version: Version,
    ) {
        let mut start = 0;
        while start < batch.rows.len() {
            let rows = start..batch.rows.len().min(start + CHUNK);
            let current = Arc::new(AtomicUsize::new(0));
            let started = Arc::new(OnceLock::new());
            let work = {
                let (decider, batch) = (decider.clone(), Arc::clone(batch));
                let (rows, current) = (rows.clone(), Arc::clone(&current));
                move || decider.decide(&batch.rows[rows], &current)
            };
            let task = spawn(pool, work, Arc::clone(&started));
            let offset = start as u64;
            self.chunks.push_back(Chunk {
                batch: Arc::clone(batch),
                rows: rows.clone(),
                ordinal: Ordinal(ordinal.0 + offset),
                version: Version(version.0 + offset),
                started,
                current,
                task,
            });
            start = rows.end;
        }
    }

    /// The next chunk, in order; waits for ever when there is none. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<DecidedChunk, JoinError> {
        let Some(first) = self.chunks.front_mut() else { return std::future::pending().await };
        let decided = (&mut first.task).await;
        // It exists: nothing else removes chunks.
        let Some(Chunk { batch, rows, ordinal, version, .. }) = self.chunks.pop_front() else {
            return std::future::pending().await;
        };
        decided.map(|decided| DecidedChunk { batch, rows, ordinal, version, decided })
    }

    /// Chunks that are being decided.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The document whose decision does not end, if there is one.
    pub(super) fn hung(&self) -> Option<DocumentId> {
        let is_late = |chunk: &&Chunk| chunk.started.get().is_some_and(|started| started.elapsed() >= HUNG);
        let first = self.chunks.front().filter(is_late)?;
        let row = first.batch.rows.get(first.rows.start + first.current.load(Ordering::Relaxed))?;
        (!first.task.is_finished()).then(|| row.id.clone())
    }
}

/// Decides on a thread of its own, when a core is free. A decision that does not end gives its core back, so that others go on.
fn spawn(
    pool: &DecidePool,
    work: impl FnOnce() -> Vec<Decided> + Send + 'static,
    started: Arc<OnceLock<Instant>>,
) -> AbortOnDropHandle<Vec<Decided>> {
    let cores = Arc::clone(&pool.cores);
    AbortOnDropHandle::new(tokio::spawn(async move {
        // The semaphore is never closed.
        let core = cores.acquire().await.ok();
        // It is set once: here.
        let _ = started.set(Instant::now());
        match tokio::time::timeout(HUNG, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(decided)) => decided,
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {
                drop(core);
                // The member notices, and ends.
                std::future::pending().await
            }
        }
    }))
}
