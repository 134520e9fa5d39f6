//! What a member reports of itself in the claim store, for other processes: why it is paused, and
//! how far it is behind.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::claim::{Claim, FollowReport, StoreError};
use crate::clock::now_text;

/// The shortest time between two reports.
const INTERVAL: Duration = Duration::from_secs(10);

/// Writes a report when something changed. An idle member writes nothing.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    /// Since when changes are pending.
    behind_since: Option<String>,
    last: Option<(FollowReport, Instant)>,
}

impl Reporter {
    /// The report to write now, if there is one. Whether changes are left is reported when it
    /// changes; how many, as they halve or double.
    pub(super) fn due(&mut self, paused: Option<&str>, pending: Option<u64>) -> Option<FollowReport> {
        let now = Instant::now();
        match pending {
            Some(0) => self.behind_since = None,
            Some(_) if self.behind_since.is_none() => self.behind_since = Some(now_text()),
            _ => {}
        }
        if let Some((last, at)) = &self.last {
            let magnitude = |pending: Option<u64>| pending.map(|pending| u64::BITS - pending.leading_zeros());
            let is_same = last.paused.as_deref() == paused && magnitude(last.pending) == magnitude(pending);
            if is_same || now.duration_since(*at) < INTERVAL {
                return None;
            }
        }
        let (paused, behind_since) = (paused.map(str::to_owned), self.behind_since.clone());
        let report = FollowReport { paused, pending, behind_since, written: now_text() };
        self.last = Some((report.clone(), now));
        Some(report)
    }
}

/// Stores a report. Other processes can do without, so a failure is only logged.
pub(super) async fn store(claim: Arc<Claim>, report: FollowReport) {
    if let Err(error) = try_store(&claim, &report).await {
        tracing::debug!(target = %claim.target(), %error, "the report is not stored");
    }
}

async fn try_store(claim: &Claim, report: &FollowReport) -> Result<(), StoreError> {
    let (store, key) = (claim.lease().store(), FollowReport::key(claim.key()));
    let seen = store.read(&key).await?.map(|stored| stored.token);
    store.write(&key, &json!(report), seen).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_changed_is_reported() {
        let mut reporter = Reporter::default();
        assert!(reporter.due(None, Some(0)).is_some());
        assert!(reporter.due(Some("closed"), Some(0)).is_none(), "too soon");
        tokio::time::advance(INTERVAL).await;
        assert_eq!(
            reporter.due(Some("closed"), Some(0)).and_then(|report| report.paused).as_deref(),
            Some("closed")
        );
        tokio::time::advance(INTERVAL).await;
        assert!(reporter.due(Some("closed"), Some(0)).is_none());
        assert!(reporter.due(None, Some(1000)).is_some_and(|report| report.behind_since.is_some()));
        tokio::time::advance(INTERVAL).await;
        assert!(reporter.due(None, Some(900)).is_none());
        assert!(reporter.due(None, Some(0)).is_some_and(|report| report.behind_since.is_none()));
    }
}
