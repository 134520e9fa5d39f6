//! Bulks that never get an answer: is it the index, or what is in them?
//!
//! An index that is away answers nothing, and everything has to wait. A document that kills each node that it reaches, or that takes
//! longer than anybody waits, looks the same. So before a bulk that got no answer some times is sent again, the index is asked for a small
//! write. When it takes that and not the bulk, the bulk is at fault: it is halved, and again, until a document is alone; one that gets no
//! answer alone, again and again, is a dead letter. That the server answers `GET /` would say less: it does while no shard takes writes.

use super::queued::Queued;
use crate::operation::{Action, Operation, Version, WriteMode};
use crate::sink::{ItemOutcome, Sink, WriteError};

/// How often an operation gets no answer before the index is probed first.
const BEFORE_PROBE: u32 = 2;
/// How often an operation that is alone gets no answer right after a probe that was well before it is a dead letter.
const ALONE: u32 = 3;
/// An id that no document in a feed has: such documents are never replicated.
const PROBE_ID: &str = "_local/pillowtop-probe";

/// What is done with a bulk that got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It is sent again as it is.
    Again,
    /// It is sent again in halves.
    Halve,
    /// Its one operation cannot be written.
    GiveUp,
}

/// Whether the index has to be probed before these are sent.
pub(super) fn is_suspicious(operations: &[Queued]) -> bool {
    operations.iter().any(|queued| queued.unanswered >= BEFORE_PROBE)
}

/// Counts that a bulk got no answer. `was_well`: the index took another write right before.
pub(super) fn count_unanswered(operations: &mut [Queued], was_well: bool) -> Unanswered {
    match operations {
        [alone] if was_well => {
            alone.unanswered += 1;
            let is_hopeless = alone.unanswered >= BEFORE_PROBE + ALONE;
            if is_hopeless { Unanswered::GiveUp } else { Unanswered::Again }
        }
        many if was_well => {
            many.iter_mut().for_each(|queued| queued.unanswered = BEFORE_PROBE);
            Unanswered::Halve
        }
        all => {
            for queued in all {
                queued.unanswered = queued.unanswered.max(BEFORE_PROBE.min(queued.unanswered + 1));
            }
            Unanswered::Again
        }
    }
}

/// Sends a bulk, after a probe if there is a version for one. When the probe fails the bulk is not sent. Tells whether it was well.
pub(super) async fn write(
    sink: &dyn Sink,
    operations: &[Queued],
    mode: WriteMode,
    probe: Option<Version>,
) -> (Result<Vec<ItemOutcome>, WriteError>, bool) {
    if let Some(version) = probe
        && let Err(error) = try_small_write(sink, version, mode).await
    {
        return (Err(error), false);
    }
    let operations: Vec<Operation> = operations.iter().map(|queued| queued.operation.clone()).collect();
    (sink.write(&operations, mode).await, probe.is_some())
}

/// Deletes what is never there.
async fn try_small_write(sink: &dyn Sink, version: Version, mode: WriteMode) -> Result<(), WriteError> {
    let probe = Operation { id: PROBE_ID.into(), version, action: Action::Delete };
    match sink.write(&[probe], mode).await?.into_iter().next() {
        Some(ItemOutcome::Done | ItemOutcome::Absent) => Ok(()),
        Some(ItemOutcome::Fenced { reason }) => Err(WriteError::LeaseLost(reason)),
        Some(ItemOutcome::Held { reason }) => Err(WriteError::Held(reason)),
        Some(ItemOutcome::Busy { reason }) => Err(WriteError::Busy(reason)),
        other => Err(WriteError::Unreachable(format!("a small write is not taken either: {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::fake::queued;

    #[test]
    fn nothing_is_given_up_while_the_index_is_away() {
        let mut operations = [queued("a", 0)];
        for _ in 0..100 {
            assert_eq!(count_unanswered(&mut operations, false), Unanswered::Again);
        }
        assert!(is_suspicious(&operations));
        let answers: Vec<_> = (0..ALONE).map(|_| count_unanswered(&mut operations, true)).collect();
        assert_eq!(answers, [Unanswered::Again, Unanswered::Again, Unanswered::GiveUp]);
    }

    #[test]
    fn what_is_alone_now_is_not_blamed_for_what_its_company_did() {
        let mut operations = [queued("a", 0), queued("b", 1)];
        assert_eq!(count_unanswered(&mut operations, false), Unanswered::Again);
        assert!(!is_suspicious(&operations));
        for _ in 0..10 {
            assert_eq!(count_unanswered(&mut operations, true), Unanswered::Halve);
        }
        assert_eq!(count_unanswered(&mut operations[..1], true), Unanswered::Again);
    }
}
