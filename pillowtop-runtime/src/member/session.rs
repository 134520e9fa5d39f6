//! One session of a member: a subscription, what is on its way, and how far everything is
//! acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::Sequence;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::MemberError;
use super::pipeline::{Done, Pipeline};
use super::pool::Deciding;
use super::purges::{PurgeCheck, position_of};
use super::requests::{FetchContext, Requests, store_result};
use super::watermark::{Ordinal, Positions};
use crate::claim::ClaimError;
use crate::reader::{Delivery, Share, Subscription};
use crate::request::{Request, RequestResult};

/// How often a position is saved while the database changes and nothing of it is written.
const IDLE_SAVE_INTERVAL: Duration = Duration::from_mins(1);
/// How often versions are reserved anew when there is no room.
const RESERVE_INTERVAL: Duration = Duration::from_secs(1);
/// A member that is paused for so long gives up what is on its way, which is read again later.
const PAUSE_LIMIT: Duration = Duration::from_secs(5);
/// So does one that acknowledges nothing for so long.
const PROGRESS_LIMIT: Duration = Duration::from_mins(2);
/// The longest sleep of an idle session.
const IDLE: Duration = Duration::from_secs(1);
/// Batches that are decided ahead.
const DECIDED_AHEAD: usize = 8;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// Everything that there was is acknowledged and saved.
    CaughtUp,
    /// It was requested to stop.
    Stopped,
    /// The reader let the member go, because it was too slow for the others.
    Detached,
    /// The target accepts nothing: the reason. What was on its way is given up and read again.
    Suspended(String),
}

/// Requests for a member, by their keys.
pub(crate) type RequestQueue = mpsc::Receiver<(String, Request)>;

pub(super) struct Session<'a> {
    pipeline: &'a mut Pipeline,
    context: FetchContext,
    requests: Requests,
    queue: &'a mut RequestQueue,
    deciding: Deciding,
    positions: Positions,
    next: u64,
    tasks: JoinSet<Done>,
    /// Reached and not yet saved.
    unsaved: Option<Sequence>,
    is_saving: bool,
    saved_at: Instant,
    /// Whether it reads the feed, and does not only work on requests.
    is_reading: bool,
    purges: PurgeCheck,
    /// Whether the reader has delivered anything.
    has_received: bool,
    /// The memory of batches with rows that are not acknowledged, by the ordinal after their last
    /// row.
    shares: VecDeque<(Ordinal, Arc<Share>)>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        pipeline: &'a mut Pipeline,
        context: FetchContext,
        queue: &'a mut RequestQueue,
        is_reading: bool,
    ) -> Self {
        pipeline.reset();
        if let Some(lookup) = &context.deciders.lookup {
            lookup.reset();
        }
        let now = Instant::now();
        Self {
            pipeline,
            context,
            requests: Requests::new(),
            queue,
            deciding: Deciding::default(),
            positions: Positions::default(),
            next: 0,
            tasks: JoinSet::new(),
            unsaved: None,
            is_saving: false,
            saved_at: now,
            is_reading,
            purges: PurgeCheck::new(),
            has_received: false,
            shares: VecDeque::new(),
        }
    }

    /// Takes what the reader delivers until the subscription ends or a stop is requested, and saves
    /// how far everything is acknowledged.
    pub(super) async fn run(
        mut self,
        mut subscription: Subscription,
        stop: &CancellationToken,
    ) -> Result<SessionEnd, MemberError> {
        loop {
            let is_quiet = subscription.is_empty() && self.deciding.len() == 0;
            self.start_work(is_quiet);
            if self.is_reading && self.pipeline.has_too_many_dead_letters() {
                let limit = self.pipeline.options.max_open_dead_letters;
                // What was read is not read again.
                self.drain(Some(self.pipeline.options.stop_within), stop).await?;
                return Ok(SessionEnd::Suspended(format!(
                    "{limit} dead letters are open, which is the limit; resolve some (`dead-letters`), or raise `max_open_dead_letters`"
                )));
            }
            if let Some(reason) = self.is_stuck() {
                return Ok(SessionEnd::Suspended(reason));
            }
            if let Some(id) = self.deciding.hung() {
                return Err(MemberError::Hung { id });
            }
            let wake = self.wake_time();
            let has_room = self.pipeline.has_room() && self.deciding.len() < DECIDED_AHEAD;
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => self.complete(done)?,
                () = stop.cancelled() => {
                    self.drain(Some(self.pipeline.options.stop_within), stop).await?;
                    return Ok(SessionEnd::Stopped);
                }
                chunk = self.deciding.next() => self.decided(chunk)?,
                (key, result) = self.requests.completed() => self.finish_request(key, result),
                Some((key, request)) = self.queue.recv() => self.request(key, request).await?,
                delivery = subscription.next(), if has_room => match delivery {
                    Some(Delivery::End) => return self.drain(None, stop).await,
                    Some(Delivery::Failed(reason)) => {
                        self.drain(Some(self.pipeline.options.stop_within), stop).await?;
                        return Err(MemberError::Source(reason));
                    }
                    Some(delivery) => self.take(delivery),
                    None => return self.detached(&subscription, stop).await,
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    async fn detached(
        mut self,
        subscription: &Subscription,
        stop: &CancellationToken,
    ) -> Result<SessionEnd, MemberError> {
        if !subscription.is_detached() {
            self.drain(Some(self.pipeline.options.stop_within), stop).await?;
            return Err(MemberError::Source("the reader of the source ended".to_owned()));
        }
        tracing::info!(member = self.pipeline.member, "continues on a reader of its own, at its own pace");
        Ok(match self.drain(None, stop).await? {
            SessionEnd::CaughtUp => SessionEnd::Detached,
            end => end,
        })
    }

    fn take(&mut self, delivery: Delivery) {
        self.has_received = true;
        match delivery {
            Delivery::Batch(batch) => {
                let count = batch.rows.len() as u64;
                // There is room for many more: `has_room` was checked.
                let Some(version) = self.pipeline.open.claim.versions().stamp_many(count) else {
                    self.pipeline.lost = Some("no versions are left below the reserved ceiling".to_owned());
                    return;
                };
                let first = Ordinal(self.next);
                for row in &batch.rows {
                    self.pipeline.watermark.open();
                    self.next += 1;
                    if let Some(sequence) = &row.sequence {
                        self.positions.note(Ordinal(self.next), sequence.clone());
                    }
                }
                self.shares.push_back((Ordinal(self.next), batch.share()));
                self.deciding.start(&self.context.deciders, &batch, first, version);
            }
            Delivery::Position { sequence, pending } => {
                self.positions.note(Ordinal(self.next), sequence);
                self.pipeline.pending = pending;
                self.pipeline.counters.set_pending(&self.pipeline.member, pending);
                if self.pipeline.pause.since.is_none() {
                    self.pipeline.show(None);
                }
            }
            Delivery::Waiting(reason) => self.pipeline.show(Some(reason)),
            // Handled by the caller.
            Delivery::Failed(_) | Delivery::End => {}
        }
    }

    fn decided(
        &mut self,
        chunk: Result<super::pool::DecidedChunk, tokio::task::JoinError>,
    ) -> Result<(), MemberError> {
        let chunk = chunk.map_err(|error| MemberError::Task(error.to_string()))?;
        self.pipeline.take(chunk);
        self.check_lost()
    }

    async fn request(&mut self, key: String, request: Request) -> Result<(), MemberError> {
        if request.kind == crate::request::RequestKind::Reload {
            match self.pipeline.open.claim.save(None).await {
                Err(ClaimError::Lost { reason, .. }) => return Err(self.claim_lost(reason)),
                Err(error) => {
                    tracing::warn!(member = self.pipeline.member, %error, "the claim is not read again");
                }
                Ok(()) => {}
            }
        }
        self.requests.start(key, request, self.pipeline, &self.context, &mut self.tasks);
        Ok(())
    }

    /// All ids of a request are acknowledged.
    fn finish_request(&mut self, key: String, result: RequestResult) {
        let claim = Arc::clone(&self.pipeline.open.claim);
        match position_of(&key) {
            Some(position) => {
                self.requests.reported(key, result, true);
                self.tasks.spawn(async move { Done::PurgesSaved(claim.save_purges(position).await) });
            }
            None => {
                self.tasks.spawn(store_result(Arc::clone(claim.lease().store()), key, result));
            }
        }
    }

    fn start_work(&mut self, is_quiet: bool) {
        // An idle pillow does not wait for more operations.
        let flush = is_quiet && self.pipeline.concurrency.in_flight() == 0;
        self.pipeline.dispatch(flush, &mut self.tasks);
        self.release_shares();
        self.save_if_due(false);
        self.purges.start_if_due(self.pipeline, &self.context, &mut self.tasks);
        if let Some(report) = self.pipeline.report() {
            let claim = Arc::clone(&self.pipeline.open.claim);
            self.tasks.spawn(async move {
                super::reporter::store(claim, report).await;
                Done::Told
            });
        }
        if is_quiet && self.has_received && self.pipeline.is_idle() {
            self.pipeline.end_suspension();
            self.pipeline.counters.set_caught_up(&self.pipeline.member);
        }
    }

    fn release_shares(&mut self) {
        let low = self.pipeline.watermark.low();
        while self.shares.front().is_some_and(|(end, _)| *end <= low) {
            self.shares.pop_front();
        }
    }

    /// Why the session has to give up what is on its way.
    fn is_stuck(&self) -> Option<String> {
        let pause = &self.pipeline.pause;
        let reason = || pause.reason.clone().unwrap_or_else(|| "the target does not respond".to_owned());
        if pause.since.is_some_and(|since| since.elapsed() >= PAUSE_LIMIT) {
            return Some(reason());
        }
        // Rows are read again, and requests come again, once the lookup succeeds.
        let lookup = self.context.deciders.lookup.as_ref();
        if let Some(reason) = lookup.and_then(|lookup| lookup.failing_for(PAUSE_LIMIT)) {
            return Some(reason);
        }
        let waits = !self.pipeline.is_idle() && self.deciding.len() == 0;
        (waits && self.pipeline.progress.elapsed() >= PROGRESS_LIMIT).then(reason)
    }

    fn complete(&mut self, done: Result<Done, tokio::task::JoinError>) -> Result<(), MemberError> {
        match done.map_err(|error| MemberError::Task(error.to_string()))? {
            Done::Bulk { entries, lanes, response: Ok(outcomes), .. } => {
                self.pipeline.complete_bulk(entries, &lanes, outcomes);
            }
            Done::Bulk { entries, lanes, response: Err(error), after_probe } => {
                self.pipeline.complete_failure(entries, &lanes, error, after_probe);
            }
            Done::DeadLetters { entries, lanes, response } => {
                self.pipeline.complete_dead_letters(entries, &lanes, response);
                self.pipeline.check_share()?;
            }
            Done::Saved(result) => self.saved(result)?,
            Done::Reported { key, result, is_stored } => self.requests.reported(key, result, is_stored),
            Done::Fetched(fetched) => {
                // A member that only works on requests receives nothing else.
                self.has_received = true;
                self.pipeline.take_fetched(*fetched);
            }
            Done::Purges(found) => {
                let (requests, tasks) = (&mut self.requests, &mut self.tasks);
                self.purges.found(found, requests, self.pipeline, &self.context, tasks);
            }
            Done::PurgesSaved(Err(ClaimError::Lost { reason, .. })) => return Err(self.claim_lost(reason)),
            // Fetched again after the next start.
            Done::PurgesSaved(_) | Done::Told => {}
        }
        self.check_lost()
    }

    fn saved(&mut self, result: Result<(), ClaimError>) -> Result<(), MemberError> {
        self.is_saving = false;
        match result {
            Ok(()) => self.unsaved = None,
            Err(ClaimError::Lost { reason, .. }) => return Err(self.claim_lost(reason)),
            // The pause is logged.
            Err(error) if self.pipeline.pause.reason.is_some() => {
                tracing::debug!(member = self.pipeline.member, %error, "the position is not saved");
            }
            Err(error) => tracing::warn!(member = self.pipeline.member, %error, "the position is not saved"),
        }
        Ok(())
    }

    fn check_lost(&mut self) -> Result<(), MemberError> {
        match self.pipeline.lost.take() {
            Some(reason) => Err(self.claim_lost(reason)),
            None => Ok(()),
        }
    }

    fn claim_lost(&self, reason: String) -> MemberError {
        MemberError::ClaimLost { member: self.pipeline.member.clone(), reason }
    }

    /// Saves the position if it moved. One save at a time, so that they end as they began.
    fn save_if_due(&mut self, now: bool) {
        if self.is_saving {
            return;
        }
        let needs_versions = !self.pipeline.open.claim.versions().has_room();
        let since = self.saved_at.elapsed();
        let interval = match (needs_versions, self.pipeline.has_written) {
            (true, _) => RESERVE_INTERVAL,
            (false, true) => self.pipeline.options.save_interval,
            (false, false) => IDLE_SAVE_INTERVAL,
        };
        if !now && since < interval {
            return;
        }
        if let Some(reached) = self.positions.take(self.pipeline.watermark.low()) {
            self.unsaved = (reached != self.pipeline.open.claim.state().position()).then_some(reached);
        }
        let needs_save = needs_versions || self.pipeline.open.target.needs_save();
        if self.unsaved.is_none() && !needs_save {
            return;
        }
        self.saved_at = Instant::now();
        self.is_saving = true;
        self.pipeline.has_written = false;
        let (claim, target) = (Arc::clone(&self.pipeline.open.claim), Arc::clone(&self.pipeline.open.target));
        let position = self.unsaved.clone();
        self.tasks.spawn(async move {
            if position.is_some()
                && let Err(error) = target.flush().await
            {
                let target = claim.target();
                return Done::Saved(Err(ClaimError::Unavailable { target, reason: error.to_string() }));
            }
            Done::Saved(claim.save(position).await)
        });
    }

    fn wake_time(&self) -> Instant {
        let now = Instant::now();
        let save = self.saved_at + self.pipeline.options.save_interval;
        let due = self.pipeline.next_due().map_or(save, |due| due.min(save));
        // Never now: what is overdue and could not be started waits for a response.
        due.clamp(now + Duration::from_millis(10), now + IDLE)
    }

    /// Waits until everything that was taken is acknowledged and saved, or patience ends. Without
    /// `patience` it ends once a stop is asked for.
    async fn drain(
        &mut self,
        patience: Option<Duration>,
        stop: &CancellationToken,
    ) -> Result<SessionEnd, MemberError> {
        let mut end = patience.map(|patience| Instant::now() + patience);
        let mut result = SessionEnd::CaughtUp;
        let mut is_last_save = false;
        loop {
            let is_paused = self.pipeline.pause.since.is_some();
            if end.is_some_and(|end| is_paused || Instant::now() > end) {
                tracing::warn!(
                    member = self.pipeline.member,
                    "stopping with unanswered operations; their changes come again at the next start"
                );
                return Ok(result);
            }
            if let Some(reason) = self.is_stuck() {
                return Ok(SessionEnd::Suspended(reason));
            }
            self.pipeline.dispatch(true, &mut self.tasks);
            self.release_shares();
            if self.pipeline.is_idle() && self.deciding.len() == 0 && !self.is_saving {
                self.save_if_due(!is_last_save);
                is_last_save = true;
                if !self.is_saving && self.unsaved.is_none() {
                    return Ok(result);
                }
            } else {
                self.save_if_due(false);
            }
            let wake = self.wake_time();
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => self.complete(done)?,
                chunk = self.deciding.next() => self.decided(chunk)?,
                () = stop.cancelled(), if end.is_none() => {
                    result = SessionEnd::Stopped;
                    end = Some(Instant::now() + self.pipeline.options.stop_within);
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("member", &self.pipeline.member).finish_non_exhaustive()
    }
}
