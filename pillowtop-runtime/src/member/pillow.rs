//! The pipeline of one pillow: rows in, bulks out. `answers` judges what comes back.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, PillowName};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counters::{Count, Counters};
use super::judge::{Judgement, judge};
use super::lanes::{BulkLimits, Lanes};
use super::loaded::Loaded;
use super::pace::{Circuit, Concurrency};
use super::probe::{is_suspicious, write};
use super::queued::{Queued, QueuedLetter};
use super::watermark::{Ordinal, Watermark};
use crate::backoff::Backoff;
use crate::dead_letter::DeadLetter;
use crate::operation::{Operation, Version, WriteMode};
use crate::row::Row;
use crate::sink::{ItemOutcome, Sink, SinkError, WriteError};
use crate::state::{IndexState, Phase};

/// The bounds of a pipeline.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The bounds of one request, with writes or with dead letters. Default: 5 MB and 1,000 of them. A server that takes less makes
    /// the bytes fewer while the pipeline runs.
    pub bulk: BulkLimits,
    /// How long an operation waits for company. Default: 200 ms.
    pub linger: Duration,
    /// The most bulks at once. Default: 4.
    pub concurrency: u32,
    /// The most bytes that wait in lanes, dead letters too, before reading stops. Default: 32 MB.
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
    pub(super) options: PipelineOptions,
    /// The state as the pipeline began: index, database and phase stay as they are while it runs, and asking for each row would copy it.
    pub(super) state: IndexState,
    mode: WriteMode,
    /// What a load has written; nothing while following.
    loaded: Option<Loaded>,
    pub(super) lanes: Lanes,
    pub(super) watermark: Watermark,
    /// Whether dead letters are being stored: one request at a time.
    pub(super) letters_in_flight: bool,
    pub(super) letters_backoff: Backoff,
    /// Why dead letters cannot be stored.
    pub(super) letters_hold: Option<String>,
    pub(super) concurrency: Concurrency,
    pub(super) backoff: Backoff,
    pub(super) circuit: Circuit,
    pub(super) held_until: Option<Instant>,
    pub(super) lost: Option<String>,
}

/// Something that a pipeline started is done.
#[derive(Debug)]
pub(super) enum Done {
    /// `was_well`: the index took another write right before.
    Bulk {
        operations: Vec<Queued>,
        lanes: Vec<usize>,
        answer: Result<Vec<ItemOutcome>, WriteError>,
        was_well: bool,
    },
    Letters {
        letters: Vec<QueuedLetter>,
        lanes: Vec<usize>,
        answer: Result<(), SinkError>,
    },
    Saved {
        answer: Result<(), SinkError>,
    },
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
        Self {
            pillow,
            sink,
            counters,
            mode: if is_loading { WriteMode::Load } else { WriteMode::Follow },
            loaded: is_loading.then(Loaded::default),
            lanes: Lanes::default(),
            watermark: Watermark::default(),
            letters_in_flight: false,
            letters_backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(30)),
            letters_hold: None,
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
            && self.sink.versions().has_room()
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
            if let Some(version) = self.stamp() {
                let letter = self.mourn(DeadLetter { version, ..letter });
                self.lanes.push(QueuedLetter::new(letter, vec![ordinal]));
            }
            return;
        }
        let is_deletion = matches!(judgement, Judgement::Delete);
        let action = judgement.action().filter(|action| match &mut self.loaded {
            Some(loaded) => loaded.takes(&row.id, action),
            None => true,
        });
        let Some(action) = action else {
            self.watermark.acknowledge(ordinal);
            return;
        };
        let Some(version) = self.stamp() else { return };
        self.lanes.push(Queued {
            operation: Operation { id: row.id.clone(), version, action },
            revision: row.revision.clone(),
            rows: vec![ordinal],
            attempts: 0,
            unanswered: 0,
            company: usize::MAX,
            is_deletion,
        });
    }

    /// The version of what a row asks for.
    fn stamp(&mut self) -> Option<Version> {
        let version = self.sink.versions().stamp();
        if version.is_none() {
            // There was room for many more when these rows were taken.
            self.lost = Some("no versions are left below the reserved ceiling".to_owned());
        }
        version
    }

    fn saw(&mut self, what: Count) {
        self.circuit.saw();
        self.counters.add(Count::Seen);
        if what != Count::Seen {
            self.counters.add(what);
        }
    }

    /// Counts a dead letter on its way; too many pause the pillow.
    pub(super) fn mourn(&mut self, letter: DeadLetter) -> DeadLetter {
        let was_open = self.circuit.open_until().is_some();
        self.circuit.died();
        if self.circuit.open_until().is_some() {
            let reason = format!("too many dead letters; the last: {}: {}", letter.id, letter.reason);
            if !was_open {
                tracing::warn!(pillow = %self.name(), %reason, "holding");
            }
            self.counters.set_hold(Some(reason));
        }
        letter
    }

    /// Starts what can be started. With `flush`, nothing waits for company.
    pub(super) fn dispatch(&mut self, place: usize, flush: bool, tasks: &mut JoinSet<(usize, Done)>) {
        let now = Instant::now();
        self.lanes.wake(now);
        self.dispatch_letters(place, tasks);
        if self.held_until.is_some_and(|until| until > now || self.concurrency.in_flight() > 0) {
            return;
        }
        while self.lanes.is_ready() && self.concurrency.has_room() && (flush || self.is_worth_a_bulk()) {
            let Some(bulk) = self.lanes.take(self.options.bulk) else { return };
            self.concurrency.sent();
            let (sink, mode) = (Arc::clone(&self.sink), self.mode);
            let (operations, lanes) = (bulk.entries, bulk.lanes);
            let probe = is_suspicious(&operations).then(|| self.sink.versions().stamp()).flatten();
            tasks.spawn(async move {
                let (answer, was_well) = write(sink.as_ref(), &operations, mode, probe).await;
                (place, Done::Bulk { operations, lanes, answer, was_well })
            });
        }
    }

    fn is_worth_a_bulk(&self) -> bool {
        self.lanes.has_writes_for(self.options.bulk) || self.lanes.age() >= self.options.linger
    }

    fn dispatch_letters(&mut self, place: usize, tasks: &mut JoinSet<(usize, Done)>) {
        if self.letters_in_flight {
            return;
        }
        let Some(taken) = self.lanes.take_letters(self.options.bulk) else { return };
        self.letters_in_flight = true;
        let sink = Arc::clone(&self.sink);
        tasks.spawn(async move {
            let letters = taken.entries.iter().map(|queued| queued.letter.clone()).collect();
            let answer = sink.bury(letters).await;
            (place, Done::Letters { letters: taken.entries, lanes: taken.lanes, answer })
        });
    }

    /// When something is to be started that waits for time alone.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let linger = (self.lanes.waiting_writes() > 0).then(|| Instant::now() + self.options.linger);
        [linger, self.lanes.next_retry(), self.held_until, self.circuit.open_until()]
            .into_iter()
            .flatten()
            .min()
    }
}
