//! From decided rows to acknowledged operations: what one member has on its way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{DocumentId, Revision};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::MemberError;
use super::concurrency::ConcurrencyLimit;
use super::counters::{Count, Counters};
use super::decide::{Decided, Decision};
use super::entry::{Entry, Receipt, Work, hash_of};
use super::isolation::{needs_probe, probe_then_write};
use super::lanes::{BulkLimits, Lanes};
use super::loaded_ids::{Admission, LoadedIds};
use super::options::MemberOptions;
use super::pool::DecidedChunk;
use super::reporter::Reporter;
use super::watermark::{Ordinal, Watermark};
use crate::backoff::Backoff;
use crate::claim::{ClaimError, FollowReport, Phase};
use crate::dead_letter::{DeadLetter, DeadLetterError};
use crate::operation::{Action, Operation, Version};
use crate::request::{Processed, RequestResult, Ticket};
use crate::source::{Purges, SourceError};
use crate::target::{OpenTarget, Outcome, WriteError};

/// What one member has on its way into one target.
pub(super) struct Pipeline {
    /// The name of the member in logs and counters: its pillow, and its database where it reads
    /// several.
    pub(super) member: String,
    pub(super) open: OpenTarget,
    pub(super) counters: Arc<Counters>,
    pub(super) options: MemberOptions,
    /// What a load has written, as long as all of it was written by this process.
    loaded: Option<LoadedIds>,
    pub(super) lanes: Lanes,
    pub(super) watermark: Watermark,
    pub(super) concurrency: ConcurrencyLimit,
    pub(super) backoff: Backoff,
    pub(super) dead_letters: OpenDeadLetters,
    /// Revisions of documents that a person has given up on, by the hashes of their ids. They may
    /// come once more through the feed.
    pub(super) buried: HashMap<u64, Revision>,
    pub(super) pause: Pause,
    pub(super) lost: Option<String>,
    /// Whether it was suspended and has not acknowledged everything since.
    pub(super) is_suspended: bool,
    /// Whether anything was written since the last save.
    pub(super) has_written: bool,
    /// When something was acknowledged last.
    pub(super) progress: Instant,
    /// Changes of the database that are left, if the source reports it.
    pub(super) pending: Option<u64>,
    reporter: Reporter,
}

/// The dead letters of a target: which are open, by the hashes of their ids, and whether some are
/// being stored.
pub(super) struct OpenDeadLetters {
    pub(super) open: HashSet<u64>,
    pub(super) in_flight: bool,
    pub(super) backoff: Backoff,
    /// Why they cannot be stored.
    pub(super) failing: Option<String>,
    /// Error type, id and reason of the last one.
    pub(super) last: Option<String>,
}

/// Whether, why and since when a member is paused.
#[derive(Debug, Default)]
pub(super) struct Pause {
    pub(super) since: Option<Instant>,
    pub(super) until: Option<Instant>,
    pub(super) reason: Option<String>,
}

/// The documents of a request, fetched and decided.
pub(super) struct Fetched {
    pub(super) ticket: Arc<Ticket>,
    /// Whether a document that fails with an unrecognised error becomes a dead letter at once.
    pub(super) gives_up: bool,
    pub(super) version: Version,
    pub(super) decided: Vec<(Decided, Revision)>,
}

/// Something that a member started is done.
pub(super) enum Done {
    /// A bulk. `after_probe`: the target took another write right before.
    Bulk {
        entries: Vec<Entry>,
        lanes: Vec<usize>,
        response: Result<Vec<Outcome>, WriteError>,
        after_probe: bool,
    },
    /// Dead letters were recorded and resolved.
    DeadLetters { entries: Vec<Entry>, lanes: Vec<usize>, response: Result<(), DeadLetterError> },
    /// What was written was flushed, and the position saved.
    Saved(Result<(), ClaimError>),
    /// The result of a request was written.
    Reported { key: String, result: RequestResult, is_stored: bool },
    /// The documents of a request were fetched and decided.
    Fetched(Box<Fetched>),
    /// The purge position of the database was read.
    Purges(Result<Option<Purges>, SourceError>),
    /// The purge position was saved, or not.
    PurgesSaved(Result<(), ClaimError>),
    /// A report was stored, or not.
    Told,
}

impl OpenDeadLetters {
    /// The ids of those that are open now.
    pub(super) fn set(&mut self, open: &[DocumentId]) {
        self.open = open.iter().map(hash_of).collect();
    }
}

impl Pipeline {
    /// A pipeline into an open target. Its phase decides how it writes. `loaded`: the load begins
    /// now, with an empty target.
    pub(super) fn new(
        member: String,
        open: OpenTarget,
        counters: Arc<Counters>,
        options: MemberOptions,
        open_dead_letters: &[DocumentId],
        load_begins: bool,
    ) -> Self {
        let backoff = || Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        Self {
            member,
            open,
            counters,
            loaded: load_begins.then(LoadedIds::default),
            lanes: Lanes::default(),
            watermark: Watermark::default(),
            concurrency: ConcurrencyLimit::new(options.concurrency),
            backoff: backoff(),
            dead_letters: OpenDeadLetters {
                open: open_dead_letters.iter().map(hash_of).collect(),
                in_flight: false,
                backoff: backoff(),
                failing: None,
                last: None,
            },
            buried: HashMap::new(),
            pause: Pause::default(),
            lost: None,
            is_suspended: false,
            has_written: false,
            progress: Instant::now(),
            pending: None,
            reporter: Reporter::default(),
            options,
        }
    }

    /// Forgets what is on its way, which is read again. What is known about the target stays.
    pub(super) fn reset(&mut self) {
        self.lanes = Lanes::default();
        self.watermark = Watermark::default();
        self.concurrency = ConcurrencyLimit::new(self.options.concurrency);
        self.dead_letters.in_flight = false;
        // What is shown stays until something else is.
        self.pause = Pause { reason: self.pause.reason.take(), ..Pause::default() };
        self.progress = Instant::now();
    }

    /// The load's memory of what it wrote ends with the load, or with the first rows that are read
    /// again.
    pub(super) fn forget_loaded(&mut self) {
        self.loaded = None;
    }

    /// Whether more rows can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.lanes.waiting_bytes() < self.options.waiting_bytes
            && self.watermark.pending() < self.options.waiting_rows
            && !self.has_too_many_dead_letters()
            && self.open.claim.versions().has_room()
    }

    /// Whether so many dead letters are open that the pillow waits for some to be resolved.
    pub(super) fn has_too_many_dead_letters(&self) -> bool {
        self.dead_letters.open.len() as u64 >= self.options.max_open_dead_letters
    }

    /// Whether everything that was taken is acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.watermark.pending() == 0
    }

    /// Takes the decisions of a chunk.
    pub(super) fn take(&mut self, chunk: DecidedChunk) {
        let DecidedChunk { batch, rows, ordinal, version, decided } = chunk;
        for (offset, (row, decided)) in (0..).zip(batch.rows[rows].iter().zip(decided)) {
            let (receipt, version) = (Receipt::Row(Ordinal(ordinal.0 + offset)), Version(version.0 + offset));
            self.accept(decided, row.revision.clone(), version, receipt);
        }
    }

    /// Takes one decision.
    pub(super) fn accept(
        &mut self,
        decided: Decided,
        revision: Revision,
        version: Version,
        receipt: Receipt,
    ) {
        let Decided { id, decision } = decided;
        let (mut is_deletion, mut routing_value) = (false, None);
        let action = match decision {
            Decision::Ignore => return self.ignore(id, revision, version, receipt),
            Decision::DeadLetter(mut letter) => {
                letter.version = version;
                self.counters.add(Count::Seen, 1);
                self.lanes.push(Entry::new(id, version, Work::DeadLetter(letter), revision, vec![receipt]));
                return;
            }
            Decision::Remove => Action::Delete,
            Decision::Filtered => {
                self.counters.add(Count::Seen, 1);
                self.counters.add(Count::Filtered, 1);
                Action::Delete
            }
            Decision::Delete => {
                self.counters.add(Count::Seen, 1);
                is_deletion = true;
                Action::Delete
            }
            Decision::Index { source, routing } => {
                self.counters.add(Count::Seen, 1);
                routing_value = routing;
                Action::Index(source)
            }
        };
        let is_index = matches!(action, Action::Index(_));
        let entry = Entry::new(id, version, Work::Write(action), revision, vec![receipt.clone()]);
        let loaded = self.loaded.as_mut();
        let admission = loaded.map_or(Admission::Again, |loaded| loaded.admit(entry.hash, is_index));
        if admission == Admission::NotNeeded {
            return self.ignore(entry.id, entry.revision, version, receipt);
        }
        let mut entry = entry.routed(routing_value, admission == Admission::First);
        entry.is_deletion = is_deletion;
        self.lanes.push(entry);
    }

    /// Nothing is written. An earlier failure of the document is resolved all the same: it was
    /// decided again.
    fn ignore(&mut self, id: DocumentId, revision: Revision, version: Version, receipt: Receipt) {
        if self.dead_letters.open.contains(&hash_of(&id)) {
            let work = Work::Resolve(Processed::Ignored);
            self.lanes.push(Entry::new(id, version, work, revision, vec![receipt]));
        } else {
            self.acknowledge(vec![receipt], Processed::Ignored);
        }
    }

    /// Acknowledges receipts.
    pub(super) fn acknowledge(&mut self, receipts: Vec<Receipt>, processed: Processed) {
        self.progress = Instant::now();
        for receipt in receipts {
            match receipt {
                Receipt::Row(ordinal) => self.watermark.acknowledge(ordinal),
                Receipt::Request(ticket) => ticket.acknowledge(processed),
            }
        }
    }

    /// Starts what can be started. With `flush`, nothing waits for other operations.
    pub(super) fn dispatch(&mut self, flush: bool, tasks: &mut JoinSet<Done>) {
        let now = Instant::now();
        self.lanes.wake(now);
        self.dispatch_dead_letters(tasks);
        if self.pause.until.is_some_and(|until| until > now || self.concurrency.in_flight() > 0) {
            return;
        }
        while self.lanes.is_ready() && self.concurrency.has_room() && (flush || self.is_worth_a_bulk()) {
            let Some(taken) = self.lanes.take_writes(self.options.bulk) else { return };
            self.concurrency.sent();
            self.has_written = true;
            let (mut entries, lanes) = (taken.entries, taken.lanes);
            let operations: Vec<Operation> = entries.iter_mut().filter_map(Entry::take_operation).collect();
            let needed = needs_probe(&entries);
            let probe = if needed { self.open.claim.versions().stamp() } else { None };
            let target = Arc::clone(&self.open.target);
            tasks.spawn(async move {
                let response = probe_then_write(&target, &operations, probe).await;
                for (entry, operation) in entries.iter_mut().zip(operations) {
                    entry.restore(operation);
                }
                Done::Bulk { entries, lanes, response, after_probe: probe.is_some() }
            });
        }
    }

    fn is_worth_a_bulk(&self) -> bool {
        self.lanes.has_writes_for(self.options.bulk) || self.lanes.age() >= self.options.linger
    }

    fn dispatch_dead_letters(&mut self, tasks: &mut JoinSet<Done>) {
        if self.dead_letters.in_flight {
            return;
        }
        let Some(taken) = self.lanes.take_dead_letters(self.options.bulk) else { return };
        self.dead_letters.in_flight = true;
        let store = Arc::clone(&self.open.dead_letters);
        tasks.spawn(async move {
            let (mut recorded, mut resolved) = (Vec::<DeadLetter>::new(), Vec::new());
            for entry in &taken.entries {
                match &entry.work {
                    Work::DeadLetter(letter) => recorded.push(letter.as_ref().clone()),
                    Work::Resolve(_) => resolved.push((entry.id.clone(), entry.version)),
                    Work::Write(_) => {}
                }
            }
            let mut response = Ok(());
            if !recorded.is_empty() {
                response = store.record(&recorded).await;
            }
            if response.is_ok() && !resolved.is_empty() {
                response = store.resolve(&resolved).await;
            }
            Done::DeadLetters { entries: taken.entries, lanes: taken.lanes, response }
        });
    }

    /// When something is to be started that waits for time alone.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let may_send = self.concurrency.has_room() && self.lanes.is_ready() && self.pause.until.is_none();
        let linger = (may_send && self.lanes.waiting_writes() > 0)
            .then(|| Instant::now() + self.options.linger.saturating_sub(self.lanes.age()));
        [linger, self.lanes.next_retry(), self.pause.until].into_iter().flatten().min()
    }

    /// Takes the documents of a request.
    pub(super) fn take_fetched(&mut self, fetched: Fetched) {
        let Fetched { ticket, gives_up, version, decided } = fetched;
        for (offset, (decided, revision)) in (0..).zip(decided) {
            if gives_up {
                self.buried.insert(hash_of(&decided.id), revision.clone());
            }
            let receipt = Receipt::Request(Arc::clone(&ticket));
            self.accept(decided, revision, Version(version.0 + offset), receipt);
        }
    }

    /// What is to be reported to other processes now, if anything.
    pub(super) fn report(&mut self) -> Option<FollowReport> {
        self.reporter.due(self.pause.reason.as_deref(), self.pending)
    }

    /// Whether a load makes so many dead letters that the mapping or the transform must be wrong.
    pub(super) fn check_share(&self) -> Result<(), MemberError> {
        let Some(share) = self.options.max_dead_letter_share else { return Ok(()) };
        if !self.options.is_load && self.open.claim.state().phase != Phase::Loading {
            return Ok(());
        }
        let counts = self.counters.snapshot();
        let (documents, dead_letters) = (counts.seen, counts.dead_letters);
        #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
        let is_over = documents >= 1000 && dead_letters as f64 > documents as f64 * share;
        if is_over || (dead_letters >= 100 && dead_letters == documents) {
            let example = self.dead_letters.last.clone().unwrap_or_default();
            return Err(MemberError::TooManyDeadLetters { dead_letters, documents, example });
        }
        Ok(())
    }

    /// The highest number of bytes of a request changes while running.
    pub(super) fn limits(&mut self) -> &mut BulkLimits {
        &mut self.options.bulk
    }
}
