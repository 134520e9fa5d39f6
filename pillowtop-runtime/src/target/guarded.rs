//! A guard around a target: what an implementation can do wrong becomes an error that is retried.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;

use super::{OpenTarget, Outcome, Target, WriteError};
use crate::claim::{Claim, ClaimError};
use crate::operation::{Operation, Version};
use crate::panic_message::panic_message;

/// A target behind its guard. Every member writes through one.
///
/// | what the target does | what the member sees |
/// |---|---|
/// | too few or too many outcomes | [`WriteError::Unreachable`] with both numbers |
/// | a panic | [`WriteError::Unreachable`] with the message of the panic |
/// | no result within the time limit | [`WriteError::Unreachable`]; the future is dropped |
///
/// Nothing is passed on to the target while the claim may not be used: [`WriteError::Blocked`]
/// while the lease is being renewed, [`WriteError::ClaimLost`] once it is lost. When the target
/// returns [`WriteError::ClaimLost`], the claim is lost too.
#[derive(Debug, Clone)]
pub struct GuardedTarget {
    target: Arc<dyn Target>,
    claim: Arc<Claim>,
    limit: Duration,
}

impl OpenTarget {
    /// The same with its target behind a guard.
    #[must_use]
    pub fn guarded(self, limit: Duration) -> Self {
        let target = Arc::new(GuardedTarget::new(&self, limit));
        Self { target, ..self }
    }
}

impl GuardedTarget {
    /// The time limit of a call by default. A server that is given 30 s for a bulk responds before.
    pub const LIMIT: Duration = Duration::from_secs(90);

    /// A guard around an open target, with a time limit for each call.
    pub fn new(open: &OpenTarget, limit: Duration) -> Self {
        Self { target: Arc::clone(&open.target), claim: Arc::clone(&open.claim), limit }
    }

    async fn guarded<T>(
        &self,
        doing: &str,
        highest: Version,
        call: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<T, WriteError> {
        self.claim.check(highest).map_err(|error| match error {
            ClaimError::Lost { reason, .. } => WriteError::ClaimLost(reason),
            ClaimError::Unavailable { reason, .. } => WriteError::Blocked(reason),
        })?;
        let caught = AssertUnwindSafe(call).catch_unwind();
        match tokio::time::timeout(self.limit, caught).await {
            // Nothing may be saved under the claim any more.
            Ok(Ok(Err(WriteError::ClaimLost(reason)))) => {
                self.claim.lose(reason.clone());
                Err(WriteError::ClaimLost(reason))
            }
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => {
                let message = panic_message(panic.as_ref());
                Err(WriteError::Unreachable(format!("{doing} panicked: {message}")))
            }
            Err(_) => Err(WriteError::Unreachable(format!("{doing} did not end within {:?}", self.limit))),
        }
    }

    async fn counted(
        &self,
        doing: &str,
        operations: &[Operation],
        call: impl Future<Output = Result<Vec<Outcome>, WriteError>>,
    ) -> Result<Vec<Outcome>, WriteError> {
        let highest = operations.iter().map(|operation| operation.version).max().unwrap_or_default();
        let outcomes = self.guarded(doing, highest, call).await?;
        if outcomes.len() == operations.len() {
            return Ok(outcomes);
        }
        let (found, expected) = (outcomes.len(), operations.len());
        Err(WriteError::Unreachable(format!("{doing} returned {found} outcomes for {expected} operations")))
    }
}

impl Target for GuardedTarget {
    fn describe(&self) -> String {
        self.target.describe()
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        // In an async block: the call itself may panic, not only its future.
        let call = async move { self.target.write(operations).await };
        self.counted("`write`", operations, call).boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
        let call = async move { self.target.flush().await };
        self.guarded("`flush`", Version::default(), call).boxed()
    }

    fn needs_save(&self) -> bool {
        self.target.needs_save()
    }

    fn probe<'a>(
        &'a self,
        probe: &'a Operation,
        like: &'a DocumentId,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        let call = async move { self.target.probe(probe, like).await };
        self.counted("`probe`", std::slice::from_ref(probe), call).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::operation::Action;
    use crate::target::test_support::{acquire, database, definition};
    use crate::target::{CustomDestination, LocalOptions};

    /// Behaves as the id of the first operation requests.
    #[derive(Debug)]
    struct Faulty;

    impl Target for Faulty {
        fn describe(&self) -> String {
            "faulty".to_owned()
        }

        fn write<'a>(
            &'a self,
            operations: &'a [Operation],
        ) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
            match operations[0].id.as_str() {
                "panics at once" => panic!("no {}", "connection"),
                "panics later" => async { panic!("no connection") }.boxed(),
                "never returns" => futures_util::future::pending().boxed(),
                "too few" => async { Ok(Vec::new()) }.boxed(),
                "deleted" => async { Err(WriteError::ClaimLost("it was deleted".to_owned())) }.boxed(),
                "too many" => async { Ok(vec![Outcome::Done; 9]) }.boxed(),
                _ => async { Ok(vec![Outcome::Done; operations.len()]) }.boxed(),
            }
        }

        fn flush(&self) -> BoxFuture<'_, Result<(), WriteError>> {
            panic!("cannot flush")
        }
    }

    async fn guarded(directory: &Path) -> (GuardedTarget, OpenTarget) {
        let options = LocalOptions::default();
        let destination =
            CustomDestination::new(Arc::new(Faulty), "faulty", directory, definition(), options);
        let open = acquire(&destination, Some(database())).await.unwrap();
        (GuardedTarget::new(&open, Duration::from_millis(50)), open)
    }

    fn delete(id: &str, version: Version) -> Operation {
        Operation::new(id.into(), version, Action::Delete)
    }

    #[tokio::test]
    async fn what_a_target_does_wrong_is_unreachable_with_a_reason() {
        let directory = tempfile::tempdir().unwrap();
        let (target, _open) = guarded(directory.path()).await;
        for (id, reason) in [
            ("panics at once", "`write` panicked: no connection"),
            ("panics later", "`write` panicked: no connection"),
            ("never returns", "`write` did not end within 50ms"),
            ("too few", "`write` returned 0 outcomes for 1 operations"),
            ("too many", "`write` returned 9 outcomes for 1 operations"),
        ] {
            let expected = Err(WriteError::Unreachable(reason.to_owned()));
            assert_eq!(target.write(&[delete(id, Version(1))]).await, expected, "{id}");
        }
        assert_eq!(target.write(&[delete("fine", Version(1))]).await, Ok(vec![Outcome::Done]));
        let probe = target.probe(&delete("too few", Version(1)), &"a".into()).await;
        let reason = "`probe` returned 0 outcomes for 1 operations".to_owned();
        assert_eq!(probe, Err(WriteError::Unreachable(reason)));
        let reason = "`flush` panicked: cannot flush".to_owned();
        assert_eq!(target.flush().await, Err(WriteError::Unreachable(reason)));
    }

    #[tokio::test]
    async fn no_position_is_saved_after_the_target_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let (target, open) = guarded(directory.path()).await;
        let lost = target.write(&[delete("deleted", Version(1))]).await;
        assert_eq!(lost, Err(WriteError::ClaimLost("it was deleted".to_owned())));
        assert!(open.claim.save(Some("5".into())).await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_written_without_the_claim() {
        let directory = tempfile::tempdir().unwrap();
        let (target, open) = guarded(directory.path()).await;
        let above = Version(open.claim.versions().ceiling().0 + 1);
        let beyond = target.write(&[delete("fine", above)]).await;
        assert!(matches!(beyond, Err(WriteError::ClaimLost(_))), "{beyond:?}");
        open.claim.release().await.unwrap();
        let released = target.write(&[delete("fine", Version(1))]).await;
        assert_eq!(released, Err(WriteError::ClaimLost("it was released".to_owned())));
    }
}
