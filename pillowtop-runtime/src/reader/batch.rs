//! What a reader hands to its members.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pillowtop_core::Sequence;
use tokio::sync::mpsc;

use super::budget::Share;
use crate::claim::DatabaseIdentity;
use crate::row::Row;

/// Batches that wait in the queue of one member.
const QUEUE: usize = 8;

/// How far a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// To the end of what there is now. The subscription then ends.
    ToEnd,
    /// What there is and what comes, until the subscription is dropped.
    Follow,
}

/// Rows, in the feed's order, shared by all members of a reader.
#[derive(Debug)]
pub struct Batch {
    /// The rows.
    pub rows: Vec<Row>,
    share: Arc<Share>,
}

impl Batch {
    /// Rows, and their part of the process's memory budget.
    pub(super) fn new(rows: Vec<Row>, share: Share) -> Self {
        Self { rows, share: Arc::new(share) }
    }

    /// Its part of the process's memory budget. Every member holds it until it has acknowledged the
    /// rows, which need less and less memory meanwhile: a row is dropped once it is decided.
    pub fn share(&self) -> Arc<Share> {
        Arc::clone(&self.share)
    }
}

/// What a member receives.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// Rows.
    Batch(Arc<Batch>),
    /// Everything delivered so far lies before this position.
    Position {
        /// The position.
        sequence: Sequence,
        /// How many changes of the database are left, if the source reports it.
        pending: Option<u64>,
    },
    /// The source does not respond. It is retried.
    Waiting(String),
    /// The source is broken for good: the reason.
    Failed(String),
    /// The end of what there is. Only with [`ReadMode::ToEnd`].
    End,
}

/// A member's side of a reader.
#[derive(Debug)]
pub struct Subscription {
    deliveries: mpsc::Receiver<Delivery>,
    /// Keeps a subscription open that nobody delivers to.
    _kept_open: Option<Subscriber>,
    is_detached: Arc<AtomicBool>,
    /// The database as it was found when the subscription began.
    pub identity: DatabaseIdentity,
}

/// A reader's side of a subscription.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) deliveries: mpsc::Sender<Delivery>,
    is_detached: Arc<AtomicBool>,
    /// For how long its full queue has kept the others waiting.
    pub(super) blocked: std::time::Duration,
}

impl Subscription {
    pub(super) fn new(identity: DatabaseIdentity) -> (Subscriber, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let is_detached = Arc::new(AtomicBool::new(false));
        let subscriber = Subscriber {
            deliveries: sender,
            is_detached: Arc::clone(&is_detached),
            blocked: std::time::Duration::ZERO,
        };
        (subscriber, Self { deliveries: receiver, _kept_open: None, is_detached, identity })
    }

    /// A subscription to nothing, which never ends.
    pub(super) fn to_nothing(identity: DatabaseIdentity) -> Self {
        let (subscriber, subscription) = Self::new(identity);
        Self { _kept_open: Some(subscriber), ..subscription }
    }

    /// The next delivery; `None` when the reader let the member go: it has to subscribe again, at
    /// its own position. Safe to cancel.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// Whether nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Whether the member was let go because it was too slow for the others.
    pub fn is_detached(&self) -> bool {
        self.is_detached.load(Ordering::Relaxed)
    }
}

impl Subscriber {
    /// Lets the member go.
    pub(super) fn detach(self) {
        self.is_detached.store(true, Ordering::Relaxed);
    }
}
