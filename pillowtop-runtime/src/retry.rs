//! Retrying requests that are safe to repeat, within a bounded time.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

/// For how long a request is retried, and how long the waits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait after the first failure; later waits are longer.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// No attempt begins later than this after the first one.
    pub within: Duration,
}

impl Default for RetryPolicy {
    /// For 30 seconds: longer than a node of a cluster needs to be noticed as lost.
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(5),
            within: Duration::from_secs(30),
        }
    }
}

/// Runs `attempt` until it succeeds, fails with an error that is not temporary, or the time of the
/// policy is over; then the last error is returned. Use it only for requests that may be sent
/// twice.
///
/// # Errors
///
/// The last error of `attempt`.
pub async fn retry<T, E, F>(
    policy: RetryPolicy,
    is_passing: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut backoff = Backoff::new(policy.first_wait, policy.longest_wait);
    let end = Instant::now() + policy.within;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait = backoff.failed();
        if !is_passing(&error) || Instant::now() + wait > end {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_retried() {
        let attempts = Cell::new(0);
        let result = retry(
            RetryPolicy::default(),
            |_: &&str| true,
            async || {
                attempts.set(attempts.get() + 1);
                if attempts.get() < 3 { Err("busy") } else { Ok(attempts.get()) }
            },
        );
        assert_eq!(result.await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn retrying_ends_with_the_time_of_the_policy() {
        let start = Instant::now();
        let result: Result<(), _> =
            retry(RetryPolicy::default(), |_: &&str| true, async || Err("busy")).await;
        assert_eq!(result, Err("busy"));
        assert!(start.elapsed() <= Duration::from_secs(30), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_lasting_failure_is_not_retried() {
        let attempts = Cell::new(0);
        let result: Result<(), _> = retry(
            RetryPolicy::default(),
            |_: &&str| false,
            async || {
                attempts.set(attempts.get() + 1);
                Err("refused")
            },
        )
        .await;
        assert_eq!((result, attempts.get()), (Err("refused"), 1));
    }
}
