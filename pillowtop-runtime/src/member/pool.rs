//! Deciding on several cores: chunks of a batch are decided at once and taken in order. A chunk
//! whose lookup is slow delays those after it, and never changes places with them.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pillowtop_core::DocumentId;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::decide::{Decided, Decider};
use super::lookups::{Freshness, MemberLookup};
use super::watermark::Ordinal;
use crate::operation::Version;
use crate::reader::Batch;
use crate::row::Row;

/// Rows that are decided by one core at a time.
const CHUNK: usize = 256;
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
    /// Runs work on a thread of its own, when a core is free. Work that does not end gives its core
    /// back, so that others continue; whoever waits for it notices by its progress.
    async fn run<T: Send + 'static>(
        &self,
        progress: &Progress,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        // The semaphore is never closed.
        let core = self.cores.acquire().await.ok();
        progress.set(Some(Instant::now()));
        match tokio::time::timeout(HUNG, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(done)) => {
                progress.set(None);
                done
            }
            // It was not cancelled: a panic is a bug that must be seen.
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {
                drop(core);
                std::future::pending().await
            }
        }
    }
}

/// How far deciding some rows is.
#[derive(Default)]
pub(super) struct Progress {
    /// The row that is decided.
    current: AtomicUsize,
    /// Since when rows are decided; `None` while a core or a lookup is waited for.
    since: Mutex<Option<Instant>>,
}

impl Progress {
    fn set(&self, since: Option<Instant>) {
        // Nothing panics while it is held.
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn is_hung(&self) -> bool {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= HUNG)
    }
}

/// What decides the rows of a member.
#[derive(Clone)]
pub(crate) struct Deciders {
    pub(crate) decider: Decider,
    pub(crate) pool: DecidePool,
    /// What the transform looks up, if it does.
    pub(crate) lookup: Option<Arc<MemberLookup>>,
}

impl Deciders {
    /// Decides rows outside of a member, which nobody watches.
    pub(crate) async fn decide_rows(&self, rows: Arc<[Row]>) -> Vec<Decided> {
        self.decide(rows, Freshness::Cached, Arc::default()).await
    }

    /// Decides rows. With a lookup: the keys of all rows, then one look-up of those that are
    /// distinct, then the transforms.
    pub(super) async fn decide<Rows>(
        &self,
        rows: Rows,
        freshness: Freshness,
        progress: Arc<Progress>,
    ) -> Vec<Decided>
    where
        Rows: AsRef<[Row]> + Clone + Send + 'static,
    {
        let decider = self.decider.clone();
        let Some(lookup) = &self.lookup else {
            let current = Arc::clone(&progress);
            return self.pool.run(&progress, move || decider.decide(rows.as_ref(), &current.current)).await;
        };
        let needed = {
            let (decider, rows, current) = (decider.clone(), rows.clone(), Arc::clone(&progress));
            self.pool.run(&progress, move || decider.needed_keys(rows.as_ref(), &current.current)).await
        };
        let distinct: HashSet<_> = needed.iter().flatten().flatten().cloned().collect();
        let answers = lookup.find(distinct, freshness).await;
        let current = Arc::clone(&progress);
        let decide = move || decider.decide_found(rows.as_ref(), &current.current, &needed, &answers);
        self.pool.run(&progress, decide).await
    }
}

/// Rows of a batch.
#[derive(Clone)]
struct ChunkRows {
    batch: Arc<Batch>,
    rows: Range<usize>,
}

impl AsRef<[Row]> for ChunkRows {
    fn as_ref(&self) -> &[Row] {
        &self.batch.rows[self.rows.clone()]
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
    rows: ChunkRows,
    ordinal: Ordinal,
    version: Version,
    progress: Arc<Progress>,
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
        deciders: &Deciders,
        batch: &Arc<Batch>,
        ordinal: Ordinal,
        version: Version,
    ) {
        let mut start = 0;
        while start < batch.rows.len() {
            let end = batch.rows.len().min(start + CHUNK);
            let rows = ChunkRows { batch: Arc::clone(batch), rows: start..end };
            let progress = Arc::<Progress>::default();
            let (deciders, taken, reported) = (deciders.clone(), rows.clone(), Arc::clone(&progress));
            let task = tokio::spawn(async move { deciders.decide(taken, Freshness::Cached, reported).await });
            let offset = start as u64;
            self.chunks.push_back(Chunk {
                rows,
                ordinal: Ordinal(ordinal.0 + offset),
                version: Version(version.0 + offset),
                progress,
                task: AbortOnDropHandle::new(task),
            });
            start = end;
        }
    }

    /// The next chunk, in order; waits for ever when there is none. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<DecidedChunk, JoinError> {
        let Some(first) = self.chunks.front_mut() else { return std::future::pending().await };
        let decided = (&mut first.task).await;
        // It is there: nothing removes chunks but this.
        let Some(Chunk { rows, ordinal, version, .. }) = self.chunks.pop_front() else {
            return std::future::pending().await;
        };
        let ChunkRows { batch, rows } = rows;
        decided.map(|decided| DecidedChunk { batch, rows, ordinal, version, decided })
    }

    /// Chunks that are being decided.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The document whose decision does not end, if there is one.
    pub(super) fn hung(&self) -> Option<DocumentId> {
        let first = self.chunks.front().filter(|first| first.progress.is_hung())?;
        let row = first.rows.as_ref().get(first.progress.current.load(Ordering::Relaxed))?;
        (!first.task.is_finished()).then(|| row.id.clone())
    }
}
