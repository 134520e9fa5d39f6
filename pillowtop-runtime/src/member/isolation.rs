//! Isolation: finding the document that a target cannot take, among those that were sent with it.
//!
//! A target that is away responds to nothing, and everything has to wait. A document that kills
//! each node that it reaches, or that takes longer than anybody waits, looks the same. So before a
//! bulk that got no response a few times is retried, the target is probed with a small write, to
//! the same shard. If it takes that and not the bulk, the bulk is at fault: it is halved, and
//! again, until a document is alone. One that gets no response alone, again and again, becomes a
//! dead letter. That the server responds to `GET /` would say less: it does so while no shard
//! accepts writes.

use std::sync::Arc;

use super::entry::Entry;
use crate::operation::{Action, Operation, Version};
use crate::target::{Outcome, Target, WriteError};

/// How often an operation gets no response before the target is probed first.
const BEFORE_PROBE: u32 = 2;
/// How often an operation that is alone gets no response, right after a successful probe, before it
/// becomes a dead letter.
const ALONE: u32 = 3;
/// How often an operation with an unrecognised error is retried alone before the pillow pauses.
const UNKNOWN_ATTEMPTS: u32 = 5;
/// An id that no document in a feed has: such documents are never replicated.
const PROBE_ID: &str = "_local/pillowtop-probe";

/// What is done with a bulk that got no response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It is retried as it is.
    Retry,
    /// It is retried in halves.
    Halve,
    /// Its one operation cannot be written.
    GiveUp,
}

/// Whether the target has to be probed before these are sent.
pub(super) fn needs_probe(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.timeouts >= BEFORE_PROBE)
}

/// Counts that a bulk got no response. `after_probe`: the target took another write right before.
pub(super) fn count_timeout(entries: &mut [Entry], after_probe: bool) -> Unanswered {
    match entries {
        [alone] if after_probe => {
            alone.timeouts += 1;
            let is_hopeless = alone.timeouts >= BEFORE_PROBE + ALONE;
            if is_hopeless { Unanswered::GiveUp } else { Unanswered::Retry }
        }
        many if after_probe => {
            many.iter_mut().for_each(|entry| entry.timeouts = BEFORE_PROBE);
            Unanswered::Halve
        }
        all => {
            for entry in all {
                entry.timeouts = entry.timeouts.max(BEFORE_PROBE.min(entry.timeouts + 1));
            }
            Unanswered::Retry
        }
    }
}

/// Counts an unrecognised error of an operation, which is sent alone from then on. Tells whether
/// the pillow has to pause.
pub(super) fn count_unknown(entry: &mut Entry) -> bool {
    entry.attempts += 1;
    entry.max_batch = 1;
    entry.attempts > UNKNOWN_ATTEMPTS
}

/// Each of these may be in a bulk of half as many.
pub(super) fn halve(entries: &mut [Entry]) {
    let half = entries.len().div_ceil(2);
    entries.iter_mut().for_each(|entry| entry.max_batch = half);
}

/// Writes a bulk, after a probe if there is a version for one. If the probe fails, the bulk is not
/// sent.
pub(super) async fn probe_then_write(
    target: &Arc<dyn Target>,
    operations: &[Operation],
    probe: Option<Version>,
) -> Result<Vec<Outcome>, WriteError> {
    if let Some(version) = probe
        && let Some(first) = operations.first()
    {
        probe_target(target, version, first).await?;
    }
    let outcomes = target.write(operations).await?;
    if outcomes.len() == operations.len() {
        return Ok(outcomes);
    }
    let (found, sent) = (outcomes.len(), operations.len());
    Err(WriteError::Unreachable(format!("{found} outcomes for {sent} operations")))
}

/// Deletes what is never there, where `like` is written.
pub(super) async fn probe_target(
    target: &Arc<dyn Target>,
    version: Version,
    like: &Operation,
) -> Result<(), WriteError> {
    let probe = Operation::new(PROBE_ID.into(), version, Action::Delete);
    match target.probe(&probe, &like.id).await?.into_iter().next() {
        Some(Outcome::Done | Outcome::Absent) => Ok(()),
        Some(Outcome::Fenced { reason }) => Err(WriteError::ClaimLost(reason)),
        Some(Outcome::Blocked { reason }) => Err(WriteError::Blocked(reason)),
        Some(Outcome::Busy { reason }) => Err(WriteError::Busy(reason)),
        other => Err(WriteError::Unreachable(format!("a small write is not accepted either: {other:?}"))),
    }
}
