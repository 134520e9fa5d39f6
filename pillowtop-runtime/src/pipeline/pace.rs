//! How fast operations are sent: how many requests at once, and when to stop for a storm of dead letters.

use std::time::Duration;

use tokio::time::Instant;

/// Requests at once, by additive increase and multiplicative decrease.
#[derive(Debug)]
pub(super) struct Concurrency {
    limit: f64,
    most: f64,
    in_flight: usize,
}

impl Concurrency {
    /// Starts with two requests at once, or with fewer if no more are allowed.
    pub(super) fn new(most: u32) -> Self {
        let most = f64::from(most.max(1));
        Self { limit: most.min(2.0), most, in_flight: 0 }
    }

    /// Requests that are unanswered.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether one more may be sent.
    pub(super) fn has_room(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
        let in_flight = self.in_flight as f64;
        in_flight + 1.0 <= self.limit
    }

    /// A request was sent.
    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// A request was answered, well or not.
    pub(super) fn answered(&mut self, well: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.limit =
            if well { (self.limit + 1.0 / self.limit).min(self.most) } else { (self.limit / 2.0).max(1.0) };
    }
}

/// Opens when most of what comes turns into dead letters: then the mapping or the transform is wrong, not the documents.
#[derive(Debug)]
pub(super) struct Circuit {
    window: Instant,
    seen: u64,
    dead: u64,
    open_until: Option<Instant>,
}

const WINDOW: Duration = Duration::from_mins(1);
/// More dead letters than this in a minute open the circuit.
const MOST_DEAD: u64 = 1000;
/// More than one in this many changes opens it too, from `FEWEST_DEAD` on.
const ONE_IN: u64 = 20;
const FEWEST_DEAD: u64 = 100;
/// How long it stays open.
const PAUSE: Duration = Duration::from_mins(5);

impl Default for Circuit {
    fn default() -> Self {
        Self { window: Instant::now(), seen: 0, dead: 0, open_until: None }
    }
}

impl Circuit {
    /// A change came.
    pub(super) fn saw(&mut self) {
        self.roll();
        self.seen += 1;
    }

    /// It became a dead letter.
    pub(super) fn died(&mut self) {
        self.roll();
        self.dead += 1;
        if self.dead > MOST_DEAD || (self.dead >= FEWEST_DEAD && self.dead * ONE_IN > self.seen) {
            self.open_until = Some(Instant::now() + PAUSE);
        }
    }

    /// Until when nothing more is read.
    pub(super) fn open_until(&self) -> Option<Instant> {
        self.open_until.filter(|until| *until > Instant::now())
    }

    fn roll(&mut self) {
        if self.window.elapsed() > WINDOW {
            *self = Self { open_until: self.open_until, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_grow_slowly_and_shrink_fast() {
        let mut concurrency = Concurrency::new(4);
        let mut sent = 0;
        while concurrency.has_room() {
            concurrency.sent();
            sent += 1;
        }
        assert_eq!(sent, 2);
        for _ in 0..20 {
            concurrency.answered(true);
            concurrency.sent();
        }
        assert!(concurrency.has_room());
        concurrency.answered(false);
        concurrency.answered(false);
        concurrency.sent();
        assert!(!concurrency.has_room());
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_opens_the_circuit_and_a_drizzle_does_not() {
        let mut circuit = Circuit::default();
        for change in 0..10_000 {
            circuit.saw();
            if change % 30 == 0 {
                circuit.died();
            }
        }
        assert_eq!(circuit.open_until(), None);
        for _ in 0..700 {
            circuit.saw();
            circuit.died();
        }
        assert!(circuit.open_until().is_some());
        tokio::time::advance(PAUSE + Duration::from_secs(1)).await;
        assert_eq!(circuit.open_until(), None);
    }
}
