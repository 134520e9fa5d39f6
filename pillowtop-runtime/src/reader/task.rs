//! The task of one reader: reads to the end, follows, and delivers to its members.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::Sequence;
use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::batch::{Batch, Delivery, ReadMode, Subscriber, Subscription};
use super::hub::{Adoption, Hub, Shared};
use crate::claim::DatabaseIdentity;
use crate::row::Row;
use crate::source::{Feed, FeedEvent, FeedMode, FeedRequest, SourceError};

/// How often a reached position is noted, for joining readers of a database with several copies.
const NOTE_INTERVAL: Duration = Duration::from_secs(10);
/// How many reached positions are kept: an hour of them.
const NOTED: usize = 360;
/// How often a reader that follows beside an earlier one tries to join it.
const JOIN_INTERVAL: Duration = Duration::from_mins(1);
/// What operations made of a batch take, beside the batch, as a share of it. Counted in its part of
/// the budget.
const OPERATIONS_SHARE: usize = 2;

/// A delivery that did not have to wait gives a member this part of its lost patience back.
const PATIENCE_RETURNS: u32 = 64;

/// One reader.
struct ReaderTask {
    hub: Arc<Hub>,
    shared: Arc<Shared>,
    identity: DatabaseIdentity,
    /// Everything delivered lies before it; rows after it may have been delivered too.
    position: Sequence,
    /// Rows since `position` was reached.
    is_past_position: bool,
    /// Whether rows came since the last position.
    has_rows: bool,
    members: Vec<Subscriber>,
    /// When the last complete reading began.
    began: Instant,
}

/// How a feed ended.
enum Ended {
    /// It came to its end.
    AtEnd,
    /// Members of another reader are to be adopted.
    Adopting(Adoption),
    /// It is time to try to join an earlier reader.
    Joining,
    /// No member is left.
    Unread,
}

impl Hub {
    /// Subscribes to the changes after a position. `expected` is the database that the position
    /// belongs to. The source may leave out what does not match `selector`, but for deletions.
    ///
    /// # Errors
    ///
    /// When the source does not respond, or is another database.
    pub async fn subscribe(
        self: &Arc<Self>,
        since: Sequence,
        expected: &DatabaseIdentity,
        mode: ReadMode,
        selector: Option<&Value>,
    ) -> Result<Subscription, SourceError> {
        let found = self.checked(expected).await?;
        let (subscriber, subscription) = Subscription::new(found.clone());
        let _one_at_a_time = self.subscribing.lock().await;
        let Some(subscriber) = self.join_equal(&since, mode, selector, subscriber) else {
            return Ok(subscription);
        };
        let shared = self.add_reader(mode, selector, since.clone());
        tokio::spawn(ReaderTask::new(Arc::clone(self), shared, found, since, subscriber).run());
        Ok(subscription)
    }
}

impl ReaderTask {
    fn new(
        hub: Arc<Hub>,
        shared: Arc<Shared>,
        identity: DatabaseIdentity,
        since: Sequence,
        member: Subscriber,
    ) -> Self {
        let (position, members) = (since, vec![member]);
        Self {
            hub,
            shared,
            identity,
            position,
            is_past_position: false,
            has_rows: false,
            members,
            began: Instant::now(),
        }
    }

    async fn run(mut self) {
        tokio::time::sleep(self.hub.options.gather).await;
        loop {
            match self.read().await {
                Ok(()) => {}
                Err(error) => self.deliver(&Delivery::Failed(error.to_string())).await,
            }
            let mut state = self.shared.lock();
            // Whoever joined in the last moment is at this position.
            self.members = std::mem::take(&mut state.joining);
            if self.members.is_empty() {
                state.is_closed = true;
                let left = state.adopting.take();
                drop(state);
                self.hub.remove(&self.shared);
                // Its members subscribe again.
                drop(left);
                return;
            }
        }
    }

    /// Reads until no member is left.
    async fn read(&mut self) -> Result<(), SourceError> {
        loop {
            match self.read_to_end().await? {
                Ended::Unread => return Ok(()),
                Ended::Adopting(adoption) => {
                    self.adopt(adoption).await?;
                    continue;
                }
                Ended::AtEnd | Ended::Joining => {}
            }
            if self.shared.mode == ReadMode::ToEnd {
                self.deliver(&Delivery::End).await;
                self.members.clear();
                return Ok(());
            }
            self.shared.lock().is_live = true;
            if self.join_leader().await? {
                return Ok(());
            }
            let connection = Arc::clone(&self.hub.options.connections).try_acquire_owned();
            let ended = match &connection {
                Ok(_) => {
                    let feed = self.open(FeedMode::Continuous);
                    self.drive(feed, true).await?
                }
                Err(_) => self.rest().await,
            };
            drop(connection);
            match ended {
                Ended::Unread => return Ok(()),
                Ended::Adopting(adoption) => self.adopt(adoption).await?,
                // A source that does not follow ended: there is nothing to come.
                Ended::AtEnd => {
                    self.deliver(&Delivery::End).await;
                    self.members.clear();
                    return Ok(());
                }
                Ended::Joining => {}
            }
        }
    }

    /// Waits until the database is to be read again.
    async fn rest(&mut self) -> Ended {
        self.become_joinable();
        // Not all databases at once.
        tokio::time::sleep(self.hub.options.poll_interval.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        self.stop_being_joinable();
        self.members.retain(|member| !member.deliveries.is_closed());
        if self.members.is_empty() {
            return Ended::Unread;
        }
        match self.shared.lock().adopting.take() {
            Some(adoption) => Ended::Adopting(adoption),
            None => Ended::Joining,
        }
    }

    async fn read_to_end(&mut self) -> Result<Ended, SourceError> {
        // The semaphore is never closed. Whoever has a permit depends on no other reader: members
        // that are slow or paused leave it.
        let _reading = Arc::clone(&self.hub.options.readings).acquire_owned().await;
        self.began = Instant::now();
        let feed = self.open(FeedMode::OneShot);
        self.drive(feed, false).await
    }

    fn open(&self, mode: FeedMode) -> Feed {
        let (since, identity) = (self.position.clone(), self.identity.clone());
        let selector = self.shared.selector.clone();
        self.hub.source.open(FeedRequest { since, identity, mode, selector })
    }

    /// Gives the members to an earlier reader, where that is safe. `true` if they are gone.
    async fn join_leader(&mut self) -> Result<bool, SourceError> {
        if !self.hub.has_leader(&self.shared) {
            return Ok(false);
        }
        let has_one_copy = self.hub.source.has_one_copy().await?;
        let members = std::mem::take(&mut self.members);
        match self.hub.join_leader(&self.shared, members, &self.position, self.began, has_one_copy) {
            Ok(()) => Ok(true),
            Err(members) => {
                self.members = members;
                Ok(false)
            }
        }
    }

    /// Takes up the members of a reader that lagged behind.
    async fn adopt(&mut self, adoption: Adoption) -> Result<(), SourceError> {
        let Adoption { members, from, after_reading_to_end } = adoption;
        if after_reading_to_end {
            // Everything that the laggard has read is read by this reading too, as it began later.
            // However it ends: without a member of its own left, no member can miss anything.
            self.read_to_end().await?;
            self.deliver(&Delivery::Position { sequence: from.clone(), pending: None }).await;
        }
        self.position = from;
        self.is_past_position = false;
        self.members.extend(members);
        Ok(())
    }

    /// Delivers what a feed brings. While `following`, it ends when members are to be adopted, or
    /// an earlier reader is to be joined.
    async fn drive(&mut self, mut feed: Feed, following: bool) -> Result<Ended, SourceError> {
        let shared = Arc::clone(&self.shared);
        let mut join_at = Instant::now() + self.join_interval();
        loop {
            self.become_joinable();
            self.members.retain(|member| !member.deliveries.is_closed());
            if self.members.is_empty() {
                return Ok(Ended::Unread);
            }
            let event = tokio::select! {
                biased;
                () = shared.adopted.notified(), if following => None,
                () = tokio::time::sleep_until(join_at), if following => {
                    if self.hub.has_leader(&shared) {
                        return Ok(Ended::Joining);
                    }
                    join_at = Instant::now() + self.join_interval();
                    None
                }
                event = feed.next() => Some(event),
                () = all_closed(&self.members) => None,
            };
            self.stop_being_joinable();
            let adopting = if following { self.shared.lock().adopting.take() } else { None };
            if let Some(adoption) = adopting {
                return Ok(Ended::Adopting(adoption));
            }
            match event {
                None => {}
                Some(None) => return Ok(Ended::AtEnd),
                Some(Some(event)) => self.handle(event?).await,
            }
        }
    }

    /// Where copies may lag, a new complete reading is of use only once the leader has reached a
    /// position long enough before it.
    fn join_interval(&self) -> Duration {
        JOIN_INTERVAL.max(self.hub.options.copy_lag_bound / 4)
    }

    /// Takes up who joined, and lets others join at this position.
    fn become_joinable(&mut self) {
        let mut state = self.shared.lock();
        self.members.append(&mut state.joining);
        state.joinable = (!self.is_past_position).then(|| self.position.clone());
    }

    fn stop_being_joinable(&mut self) {
        let mut state = self.shared.lock();
        self.members.append(&mut state.joining);
        state.joinable = None;
    }

    async fn handle(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Rows(rows) => {
                self.has_rows = true;
                let last = rows.last().and_then(|row| row.sequence.clone());
                let bytes: usize = rows.iter().map(Row::len).sum();
                let share = self.hub.budget.take(bytes * OPERATIONS_SHARE).await;
                self.deliver(&Delivery::Batch(Arc::new(Batch::new(rows, share)))).await;
                match last {
                    Some(sequence) => self.reach(sequence),
                    None => self.is_past_position = true,
                }
            }
            FeedEvent::Position { sequence, pending } => {
                // Without rows in between, another sequence is another spelling of the same position,
                // which nobody needs to save. A selector may have withheld rows.
                let has_moved = std::mem::take(&mut self.has_rows) || self.shared.selector.is_some();
                let sequence = if has_moved { sequence } else { self.position.clone() };
                self.deliver(&Delivery::Position { sequence: sequence.clone(), pending }).await;
                self.reach(sequence);
            }
            FeedEvent::Waiting(reason) => {
                // Each member is paused for this reason, which is logged.
                tracing::debug!(source = self.hub.source.describe(), reason, "the source does not respond");
                // Whoever has a full queue has other things to report.
                self.members.iter().for_each(|member| {
                    let _ = member.deliveries.try_send(Delivery::Waiting(reason.clone()));
                });
            }
        }
    }

    /// Everything that was delivered lies before this position.
    fn reach(&mut self, sequence: Sequence) {
        self.position = sequence;
        self.is_past_position = false;
        let mut state = self.shared.lock();
        let now = Instant::now();
        if state.reached.last().is_none_or(|(time, _)| now.duration_since(*time) >= NOTE_INTERVAL) {
            if state.reached.len() == NOTED {
                state.reached.remove(0);
            }
            state.reached.push((now, self.position.clone()));
        }
    }

    /// Delivers to every member. One that keeps the others waiting for too long, in all, is
    /// detached. Members that all wait for the same slow target delay no other: time counts
    /// from when the first of them has room.
    async fn deliver(&mut self, delivery: &Delivery) {
        let mut full = Vec::new();
        for mut member in std::mem::take(&mut self.members) {
            match member.deliveries.try_send(delivery.clone()) {
                Ok(()) => {
                    member.blocked -= member.blocked / PATIENCE_RETURNS;
                    self.members.push(member);
                }
                Err(TrySendError::Full(_)) => full.push(member),
                // The member is gone.
                Err(TrySendError::Closed(_)) => {}
            }
        }
        let mut others_wait_since = (!self.members.is_empty()).then(Instant::now);
        while !full.is_empty() {
            let limit = others_wait_since.and_then(|since| {
                let left = full.iter().map(|member| self.hub.options.patience.saturating_sub(member.blocked));
                left.min().map(|left| since + left)
            });
            let sent = first_with_room(&full, delivery, limit).await;
            let now = Instant::now();
            let waited = others_wait_since.map_or(Duration::ZERO, |since| now.duration_since(since));
            others_wait_since = Some(now);
            full.iter_mut().for_each(|member| member.blocked += waited);
            if let Some((position, is_open)) = sent {
                let member = full.swap_remove(position);
                self.members.extend(is_open.then_some(member));
            }
            let patience = self.hub.options.patience;
            for member in full.extract_if(.., |member| member.blocked >= patience) {
                member.detach();
            }
        }
    }
}

/// Delivers to the first member whose queue has room, and returns its index and whether it still
/// listens; `None` at the limit.
async fn first_with_room(
    members: &[Subscriber],
    delivery: &Delivery,
    limit: Option<Instant>,
) -> Option<(usize, bool)> {
    let waits = members
        .iter()
        .enumerate()
        .map(|(position, member)| Box::pin(async move { (position, member.deliveries.reserve().await) }));
    let first = futures_util::future::select_all(waits);
    let ((position, permit), ..) = match limit {
        Some(limit) => tokio::time::timeout_at(limit, first).await.ok()?,
        None => first.await,
    };
    match permit {
        Ok(permit) => {
            permit.send(delivery.clone());
            Some((position, true))
        }
        Err(_) => Some((position, false)),
    }
}

/// Resolves once no member listens any more.
async fn all_closed(members: &[Subscriber]) {
    for member in members {
        member.deliveries.closed().await;
    }
}
