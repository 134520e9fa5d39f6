//! One session of reading: a feed, the pipelines of the pillows that stand at its position, and their common checkpoint.
//!
//! Rows have ordinals within a session, which may be compared. What is stored for all members is the last position at or below the lowest
//! watermark: so members that stood together go on standing together.

use std::time::Duration;

use pillowtop_core::{PillowName, Sequence};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::pillow::{Done, Pipeline};
use super::watermark::{Ordinal, Positions};
use crate::sink::SinkError;
use crate::source::{Feed, FeedEvent, SourceError};
use crate::stop::StopSignal as _;

/// How often a position is stored, and the lease renewed with it.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long unanswered operations are waited for when a stop is asked for. What is unacknowledged then comes again at the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// The longest sleep of an idle session.
const IDLE: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The feed ended, everything is acknowledged, and this position is stored; `None` if the feed gave none.
    Caught(Option<Sequence>),
    /// It was asked to stop.
    Stopped,
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The feed is broken for good.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Another process owns an index of the session now.
    #[error("pillow `{pillow}` stops: {reason}")]
    LeaseLost {
        /// The pillow.
        pillow: PillowName,
        /// How it was noticed.
        reason: String,
    },
    /// A task of the runtime panicked, which is a bug.
    #[error("a task of the pipeline failed: {0}")]
    Task(String),
}

/// A feed and the pipelines of the pillows that stand at its position.
pub struct Session {
    pipelines: Vec<Pipeline>,
    positions: Positions,
    next: u64,
    tasks: JoinSet<(usize, Done)>,
    /// Reached and not yet stored by all.
    unsaved: Option<Sequence>,
    stored: Option<Sequence>,
    saving: usize,
    save_failed: bool,
    saved_at: Instant,
}

impl Session {
    /// A session of pipelines that all stand at the position that the feed starts from.
    pub fn new(pipelines: Vec<Pipeline>) -> Self {
        Self {
            pipelines,
            positions: Positions::default(),
            next: 0,
            tasks: JoinSet::new(),
            unsaved: None,
            stored: None,
            saving: 0,
            save_failed: false,
            saved_at: Instant::now(),
        }
    }

    /// Reads the feed until it ends or a stop is asked for, and stores how far everything is acknowledged.
    ///
    /// # Errors
    ///
    /// When the feed is broken for good, or a lease is lost. Nothing is lost by it: what is not acknowledged comes again.
    pub async fn run(
        mut self,
        mut feed: Feed,
        mut stop: watch::Receiver<bool>,
    ) -> Result<SessionEnd, SessionError> {
        let mut ended = None;
        while ended.is_none() {
            self.dispatch(false);
            self.save_if_due(false);
            let wake = self.wake_time();
            let has_room = self.pipelines.iter().all(Pipeline::has_room);
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => self.complete(done)?,
                // A closed channel means that nobody will ever ask.
                Ok(()) = stop.wait_for_stop() => ended = Some(SessionEnd::Stopped),
                event = feed.next(), if has_room => match event {
                    Some(Ok(event)) => self.take(event),
                    Some(Err(error)) => {
                        self.drain(Some(STOP_PATIENCE), &mut stop).await?;
                        return Err(error.into());
                    }
                    None => ended = Some(SessionEnd::Caught(None)),
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        let mut stopped = ended == Some(SessionEnd::Stopped);
        stopped |= self.drain(stopped.then_some(STOP_PATIENCE), &mut stop).await?;
        Ok(if stopped { SessionEnd::Stopped } else { SessionEnd::Caught(self.stored) })
    }

    fn take(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Rows(rows) => {
                for row in rows {
                    let ordinal = Ordinal(self.next);
                    self.next += 1;
                    for pipeline in &mut self.pipelines {
                        pipeline.accept(&row, ordinal);
                    }
                    if let Some(sequence) = row.sequence {
                        self.positions.note(Ordinal(self.next), sequence);
                    }
                }
            }
            FeedEvent::Position(sequence) => self.positions.note(Ordinal(self.next), sequence),
            FeedEvent::Waiting(reason) => tracing::warn!(%reason, "waiting for the changes feed"),
        }
    }

    fn dispatch(&mut self, flush: bool) {
        for (place, pipeline) in self.pipelines.iter_mut().enumerate() {
            pipeline.dispatch(place, flush, &mut self.tasks);
        }
    }

    fn complete(&mut self, done: Result<(usize, Done), tokio::task::JoinError>) -> Result<(), SessionError> {
        let (place, done) = done.map_err(|error| SessionError::Task(error.to_string()))?;
        let pipeline = &mut self.pipelines[place];
        let lost = match done {
            Done::Saved { answer } => {
                self.saving -= 1;
                match answer {
                    Ok(()) => None,
                    Err(SinkError::LeaseLost { reason, .. }) => Some(reason),
                    Err(error) => {
                        tracing::warn!(pillow = %pipeline.name(), %error, "the checkpoint is not stored");
                        self.save_failed = true;
                        None
                    }
                }
            }
            other => {
                pipeline.complete(other);
                pipeline.lost().map(str::to_owned)
            }
        };
        if self.saving == 0
            && !self.save_failed
            && let Some(saved) = self.unsaved.take()
        {
            self.stored = Some(saved);
        }
        match lost.or_else(|| pipeline.lost().map(str::to_owned)) {
            Some(reason) => Err(SessionError::LeaseLost { pillow: pipeline.name().clone(), reason }),
            None => Ok(()),
        }
    }

    /// Stores the position in each member's own document. One save at a time, so that they end as they began.
    fn save_if_due(&mut self, now: bool) {
        if self.saving > 0 || !(now || self.saved_at.elapsed() >= SAVE_INTERVAL) {
            return;
        }
        let low = self.pipelines.iter().map(Pipeline::low).min().unwrap_or(Ordinal(self.next));
        if let Some(reached) = self.positions.take(low) {
            self.unsaved = Some(reached);
        }
        self.saved_at = Instant::now();
        self.save_failed = false;
        for (place, pipeline) in self.pipelines.iter().enumerate() {
            let (sink, position) = (std::sync::Arc::clone(&pipeline.sink), self.unsaved.clone());
            self.saving += 1;
            self.tasks.spawn(async move { (place, Done::Saved { answer: sink.save(position).await }) });
        }
    }

    fn wake_time(&self) -> Instant {
        let save = self.saved_at + SAVE_INTERVAL;
        let due = self.pipelines.iter().filter_map(Pipeline::next_due).chain([save]).min().unwrap_or(save);
        // Never now: what is overdue and could not be started waits for an answer.
        due.clamp(Instant::now() + Duration::from_millis(10), Instant::now() + IDLE)
    }

    /// Waits until everything that was taken is acknowledged and stored, or patience ends. Without `patience` it ends once a stop is asked
    /// for; tells whether one was.
    async fn drain(
        &mut self,
        patience: Option<Duration>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, SessionError> {
        let mut end = patience.map(|patience| Instant::now() + patience);
        let mut stopped = false;
        let mut last_save = false;
        loop {
            if end.is_some_and(|end| Instant::now() > end) {
                tracing::warn!(
                    "stopping with unanswered operations; their changes come again at the next start"
                );
                return Ok(stopped);
            }
            self.dispatch(true);
            if self.pipelines.iter().all(Pipeline::is_idle) && self.saving == 0 {
                if last_save && !self.save_failed {
                    return Ok(stopped);
                }
                // What failed is tried again when it is due, not at once and for ever.
                self.save_if_due(!last_save);
                last_save = true;
            } else {
                self.save_if_due(false);
            }
            let wake = self.wake_time();
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => self.complete(done)?,
                Ok(()) = stop.wait_for_stop(), if end.is_none() => {
                    stopped = true;
                    end = Some(Instant::now() + STOP_PATIENCE);
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }
}
