//! The pipeline of one pillow: rows in, bulks out, answers judged.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, PillowName};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counters::{Count, Counters};
use super::judge::{Judgement, cut, judge};
use super::lanes::{BulkLimits, Lanes, Queued};
use super::pace::{Circuit, Concurrency};
use super::watermark::{Ordinal, Watermark};
use crate::backoff::Backoff;
use crate::clock::now_text;
use crate::dead_letter::{DeadLetter, Stage};
use crate::operation::{Action, Operation, Version, WriteMode};
use crate::row::Row;
use crate::sink::{ItemOutcome, Sink, SinkError, WriteError};
use crate::state::{IndexState, Phase};

/// How often an operation with an answer that is on no list is sent again before the pillow holds.
const UNKNOWN_ATTEMPTS: u32 = 5;

/// The bounds of a pipeline.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The bounds of one bulk. Default: 5 MB and 1,000 operations.
    pub bulk: BulkLimits,
    /// How long an operation waits for company. Default: 200 ms.
    pub linger: Duration,
    /// The most bulks at once. Default: 4.
    pub concurrency: u32,
    /// The most bytes that wait in lanes before reading stops. Default: 32 MB.
    pub waiting_bytes: usize,
    /// The most rows that are on their way before reading stops. Default: 100,000.
    pub waiting_rows: usize,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            bulk: BulkLimits { bytes: 5_000_000, operations: 1000 },
            linger: Duration::from_millis(200),
            concurrency: 4,
            waiting_bytes: 32_000_000,
            waiting_rows: 100_000,
        }
    }
}

/// One pillow on its way into one index.
pub struct Pipeline {
    pillow: Arc<dyn AnyPillow>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) counters: Arc<Counters>,
    options: PipelineOptions,
    /// The state as the pipeline began: index, database and phase stay as they are while it runs, and asking for each row would copy it.
    state: IndexState,
    mode: WriteMode,
    load_version: Option<Version>,
    lanes: Lanes,
    watermark: Watermark,
    letters: Vec<(DeadLetter, Vec<Ordinal>)>,
    letters_in_flight: bool,
    letters_after: Option<Instant>,
    concurrency: Concurrency,
    backoff: Backoff,
    circuit: Circuit,
    held_until: Option<Instant>,
    lost: Option<String>,
}

/// Something that a pipeline started is done.
#[derive(Debug)]
pub(super) enum Done {
    Bulk { operations: Vec<Queued>, lanes: Vec<usize>, answer: Result<Vec<ItemOutcome>, WriteError> },
    Letters { letters: Vec<(DeadLetter, Vec<Ordinal>)>, answer: Result<(), SinkError> },
    Saved { answer: Result<(), SinkError> },
}

impl Pipeline {
    /// A pipeline into an index whose lease is held. Its phase decides how it writes.
    pub fn new(
        pillow: Arc<dyn AnyPillow>,
        sink: Arc<dyn Sink>,
        counters: Arc<Counters>,
        options: PipelineOptions,
    ) -> Self {
        let state = sink.state();
        let is_loading = state.phase == Phase::Loading;
        let load_version = state.load.as_ref().filter(|_| is_loading).map(|load| load.version);
        Self {
            pillow,
            sink,
            counters,
            mode: if load_version.is_some() { WriteMode::Load } else { WriteMode::Follow },
            load_version,
            lanes: Lanes::default(),
            watermark: Watermark::default(),
            letters: Vec::new(),
            letters_in_flight: false,
            letters_after: None,
            concurrency: Concurrency::new(options.concurrency),
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(30)),
            circuit: Circuit::default(),
            held_until: None,
            lost: None,
            options,
            state,
        }
    }

    /// The pillow's name.
    pub fn name(&self) -> &PillowName {
        &self.pillow.definition().pillow
    }

    /// Whether more rows can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.lanes.waiting_bytes() < self.options.waiting_bytes
            && self.watermark.pending() < self.options.waiting_rows
            && self.circuit.open_until().is_none()
            && (self.load_version.is_some() || self.sink.versions().has_room())
    }

    /// Whether everything that was taken is acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.watermark.pending() == 0
    }

    /// The first row that is not acknowledged.
    pub(super) fn low(&self) -> Ordinal {
        self.watermark.low()
    }

    /// Why the lease is lost, if it is.
    pub(super) fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// Takes a row. Its version is stamped now, as it is received.
    pub(super) fn accept(&mut self, row: &Row, ordinal: Ordinal) {
        self.watermark.open();
        let judgement = judge(self.pillow.as_ref(), row, &self.state);
        match &judgement {
            Judgement::Foreign | Judgement::Leave => {}
            Judgement::Filtered => self.saw(Count::Filtered),
            Judgement::Delete | Judgement::Index(_) | Judgement::Dead(_) => self.saw(Count::Seen),
        }
        if let Judgement::Dead(letter) = judgement {
            self.bury(letter, vec![ordinal]);
            return;
        }
        let is_deletion = matches!(judgement, Judgement::Delete);
        let Some(action) = judgement.action(self.mode) else {
            self.watermark.acknowledge(ordinal);
            return;
        };
        let Some(version) = self.load_version.or_else(|| self.sink.versions().stamp()) else {
            // There was room for many more when these rows were taken.
            self.lost = Some("no versions are left below the reserved ceiling".to_owned());
            return;
        };
        self.lanes.push(Queued {
            operation: Operation { id: row.id.clone(), version, action },
            revision: row.revision.clone(),
            rows: vec![ordinal],
            attempts: 0,
            company: usize::MAX,
            is_deletion,
        });
    }

    fn saw(&mut self, what: Count) {
        self.circuit.saw();
        self.counters.add(Count::Seen);
        if what != Count::Seen {
            self.counters.add(what);
        }
    }

    fn bury(&mut self, letter: DeadLetter, rows: Vec<Ordinal>) {
        let was_open = self.circuit.open_until().is_some();
        self.circuit.died();
        if self.circuit.open_until().is_some() {
            let reason = format!("too many dead letters; the last: {}: {}", letter.id, letter.reason);
            if !was_open {
                tracing::warn!(pillow = %self.name(), %reason, "holding");
            }
            self.counters.set_hold(Some(reason));
        }
        self.letters.push((letter, rows));
    }

    /// Starts what can be started. With `flush`, nothing waits for company.
    pub(super) fn dispatch(&mut self, place: usize, flush: bool, tasks: &mut JoinSet<(usize, Done)>) {
        let now = Instant::now();
        self.lanes.wake(now);
        self.dispatch_letters(place, now, tasks);
        if self.held_until.is_some_and(|until| until > now || self.concurrency.in_flight() > 0) {
            return;
        }
        while self.lanes.is_ready() && self.concurrency.has_room() && (flush || self.is_worth_a_bulk()) {
            let Some(bulk) = self.lanes.take(self.options.bulk) else { return };
            self.concurrency.sent();
            let (sink, mode) = (Arc::clone(&self.sink), self.mode);
            tasks.spawn(async move {
                let (queued, lanes) = bulk.into_parts();
                let operations: Vec<Operation> =
                    queued.iter().map(|queued| queued.operation.clone()).collect();
                let answer = sink.write(&operations, mode).await;
                (place, Done::Bulk { operations: queued, lanes, answer })
            });
        }
    }

    fn is_worth_a_bulk(&self) -> bool {
        self.lanes.waiting_bytes() >= self.options.bulk.bytes
            || self.lanes.waiting() >= self.options.bulk.operations
            || self.lanes.age() >= self.options.linger
    }

    fn dispatch_letters(&mut self, place: usize, now: Instant, tasks: &mut JoinSet<(usize, Done)>) {
        let waits = self.letters_after.is_some_and(|after| after > now);
        if self.letters.is_empty() || self.letters_in_flight || waits {
            return;
        }
        self.letters_in_flight = true;
        let (sink, letters) = (Arc::clone(&self.sink), std::mem::take(&mut self.letters));
        tasks.spawn(async move {
            let texts = letters.iter().map(|(letter, _)| letter.clone()).collect();
            let answer = sink.bury(texts).await;
            (place, Done::Letters { letters, answer })
        });
    }

    /// When something is to be started that waits for time alone.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let linger = (self.lanes.waiting() > 0).then(|| Instant::now() + self.options.linger);
        [linger, self.lanes.next_retry(), self.letters_after, self.held_until, self.circuit.open_until()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Judges what became of a bulk or of dead letters.
    pub(super) fn complete(&mut self, done: Done) {
        match done {
            Done::Bulk { operations, lanes, answer: Ok(outcomes) } => {
                self.judge_items(operations, &lanes, outcomes);
            }
            Done::Bulk { operations, lanes, answer: Err(error) } => {
                self.judge_failure(operations, &lanes, error);
            }
            Done::Letters { letters, answer } => self.complete_letters(letters, answer),
            Done::Saved { .. } => {}
        }
    }

    fn complete_letters(&mut self, letters: Vec<(DeadLetter, Vec<Ordinal>)>, answer: Result<(), SinkError>) {
        self.letters_in_flight = false;
        match answer {
            Ok(()) => {
                self.letters_after = None;
                for (_, rows) in letters {
                    self.counters.add(Count::DeadLetter);
                    rows.into_iter().for_each(|row| self.watermark.acknowledge(row));
                }
            }
            Err(SinkError::LeaseLost { reason, .. }) => self.lost = Some(reason),
            Err(error) => {
                self.letters_after = Some(Instant::now() + self.backoff.failed());
                self.counters.set_hold(Some(error.to_string()));
                self.letters.splice(0..0, letters);
            }
        }
    }

    fn judge_items(&mut self, operations: Vec<Queued>, lanes: &[usize], outcomes: Vec<ItemOutcome>) {
        let (mut again, mut busy, mut held, mut done) = (Vec::new(), false, None, false);
        for (mut queued, outcome) in operations.into_iter().zip(outcomes) {
            match outcome {
                ItemOutcome::Done => {
                    done = true;
                    self.acknowledge(&queued);
                }
                ItemOutcome::Absent => {
                    done = true;
                    queued.is_deletion = false;
                    self.acknowledge(&queued);
                }
                ItemOutcome::Rejected { error_type, reason } => self.reject(queued, error_type, reason),
                ItemOutcome::Busy { .. } => {
                    busy = true;
                    again.push(queued);
                }
                ItemOutcome::Held { reason } => {
                    held = Some(reason);
                    again.push(queued);
                }
                ItemOutcome::Unknown { error_type, reason } => {
                    queued.attempts += 1;
                    queued.company = 1;
                    if queued.attempts > UNKNOWN_ATTEMPTS {
                        held = Some(format!("document {}: {error_type}: {reason}", queued.operation.id));
                    }
                    again.push(queued);
                }
                ItemOutcome::Fenced { reason } => self.lost = Some(reason),
            }
        }
        self.concurrency.answered(!busy);
        if let Some(reason) = held {
            self.hold(reason);
        } else if done && !busy {
            self.backoff.reset();
            self.release_hold();
        }
        let retry_at = Instant::now() + if again.is_empty() { Duration::ZERO } else { self.backoff.failed() };
        again.iter().for_each(|_| self.counters.add(Count::Retry));
        self.lanes.settle(lanes, again, retry_at);
    }

    fn judge_failure(&mut self, mut operations: Vec<Queued>, lanes: &[usize], error: WriteError) {
        self.concurrency.answered(matches!(error, WriteError::Refused(_)));
        let mut retry_at = Instant::now();
        match error {
            WriteError::Refused(reason) if operations.len() == 1 => {
                // Nothing else is in the request, so it is about this document.
                if let Some(queued) = operations.pop() {
                    self.reject(queued, "request_refused".to_owned(), reason);
                }
            }
            WriteError::Refused(_) => {
                let half = operations.len().div_ceil(2);
                operations.iter_mut().for_each(|queued| queued.company = half);
            }
            WriteError::LeaseLost(reason) => {
                self.lost = Some(reason);
                return;
            }
            WriteError::Held(reason) => {
                self.hold(reason);
                retry_at += self.backoff.failed();
            }
            WriteError::Busy(reason) | WriteError::Unreachable(reason) => {
                retry_at += self.backoff.failed();
                if self.backoff.failures() > 3 {
                    self.counters.set_hold(Some(reason));
                }
            }
        }
        operations.iter().for_each(|_| self.counters.add(Count::Retry));
        self.lanes.settle(lanes, operations, retry_at);
    }

    fn acknowledge(&mut self, queued: &Queued) {
        match &queued.operation.action {
            Action::Index(_) => self.counters.add(Count::Indexed),
            Action::Delete if queued.is_deletion => self.counters.add(Count::Deleted),
            Action::Delete => {}
        }
        queued.rows.iter().for_each(|row| self.watermark.acknowledge(*row));
    }

    fn reject(&mut self, queued: Queued, error_type: String, reason: String) {
        let document = match &queued.operation.action {
            Action::Index(source) => Some(cut(&String::from_utf8_lossy(source))),
            Action::Delete => None,
        };
        let letter = DeadLetter {
            pillow: self.state.pillow.clone(),
            index: self.state.index.clone(),
            database: self.state.database.name.clone(),
            id: queued.operation.id,
            revision: queued.revision,
            stage: Stage::Index,
            error_type,
            reason,
            time: now_text(),
            document,
        };
        self.bury(letter, queued.rows);
    }

    fn hold(&mut self, reason: String) {
        tracing::warn!(pillow = %self.name(), %reason, "holding");
        self.held_until = Some(Instant::now() + self.backoff.failed().max(Duration::from_secs(1)));
        self.counters.set_hold(Some(reason));
    }

    fn release_hold(&mut self) {
        self.held_until = None;
        if self.circuit.open_until().is_none() {
            self.counters.set_hold(None);
        }
    }
}
