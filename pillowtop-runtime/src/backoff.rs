//! Exponential backoff after failures.

use std::time::Duration;

/// Exponential backoff with full jitter, so that many pillows do not retry at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits up to `first` after the first failure and never longer than `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// How long to wait after one failure more.
    pub fn failed(&mut self) -> Duration {
        let most = self.first.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        // Never zero: a server that refuses at once would be called in a busy loop.
        most.mul_f64(fastrand::f64().max(0.05))
    }

    /// Something worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_bounded_and_never_nothing() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        for _ in 0..100 {
            let wait = backoff.failed();
            assert!(wait > Duration::ZERO && wait <= Duration::from_secs(5));
        }
    }
}
