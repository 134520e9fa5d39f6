//! How many requests are sent at once, by additive increase and multiplicative decrease.

/// Requests at once.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    limit: f64,
    most: f64,
    in_flight: usize,
}

impl ConcurrencyLimit {
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

    /// A request got its response, from a target that keeps up or not.
    pub(super) fn answered(&mut self, keeps_up: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.limit = if keeps_up {
            (self.limit + 1.0 / self.limit).min(self.most)
        } else {
            (self.limit / 2.0).max(1.0)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_grow_slowly_and_shrink_fast() {
        let mut concurrency = ConcurrencyLimit::new(4);
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
}
