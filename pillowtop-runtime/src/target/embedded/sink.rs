//! The embedded index as a sink of the pipeline.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pillowtop_core::Sequence;

use super::index::{EmbeddedIndex, Writer, set_position};
use crate::clock::{CEILING_AHEAD, VersionClock, now_micros};
use crate::dead_letter::DeadLetter;
use crate::operation::{Operation, WriteMode};
use crate::sink::{ItemOutcome, Sink, SinkError, WriteError};
use crate::state::{IndexState, Phase};

impl EmbeddedIndex {
    fn lost(&self, reason: String) -> SinkError {
        SinkError::LeaseLost { index: self.name().to_string(), reason }
    }

    /// What was committed is searched from now on. A reader that fails has no part in what was stored.
    fn show(&self) {
        if let Err(error) = self.refresh() {
            tracing::warn!(index = %self.name(), %error, "searches do not see the last commit");
        }
    }

    async fn store(&self, change: impl FnOnce(&mut IndexState) + Send + 'static) -> Result<(), SinkError> {
        self.with_writer(move |writer, shared| writer.store(shared, change))
            .await
            .map_err(|reason| self.lost(reason))??;
        self.show();
        Ok(())
    }
}

/// No version is compared here: one process writes, each document's operations and dead letters come in order, and
/// the writer is passed on in the order in which it was asked for.
impl Sink for EmbeddedIndex {
    fn describe(&self) -> String {
        format!("{} in folder {}", self.name(), self.folder().display())
    }

    fn state(&self) -> IndexState {
        self.shared().state()
    }

    fn versions(&self) -> &VersionClock {
        self.shared().versions()
    }

    fn write<'a>(
        &'a self,
        operations: &'a [Operation],
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<Vec<ItemOutcome>, WriteError>> {
        // Cloning an operation does not copy its document.
        let operations = operations.to_vec();
        async move {
            self.with_writer(move |writer, shared| writer.write(shared, &operations, mode))
                .await
                .map_err(WriteError::LeaseLost)?
        }
        .boxed()
    }

    fn bury(&self, letters: Vec<DeadLetter>) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            self.with_writer(move |writer, _| writer.bury(&letters))
                .await
                .map_err(|reason| self.lost(reason))?
        }
        .boxed()
    }

    fn save(&self, position: Option<Sequence>) -> BoxFuture<'_, Result<(), SinkError>> {
        self.store(move |state| set_position(state, position)).boxed()
    }

    /// Nobody else can open the folder; what runs out is the versions that are reserved.
    fn lease(&self) -> Duration {
        CEILING_AHEAD
    }

    fn renew(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        async {
            let left = self.shared().versions().ceiling().0.saturating_sub(now_micros());
            if Duration::from_micros(left) > CEILING_AHEAD * 2 / 3 {
                return Ok(());
            }
            self.store(|_| {}).await
        }
        .boxed()
    }

    fn enter(&self, phase: Phase) -> BoxFuture<'_, Result<(), SinkError>> {
        self.store(move |state| state.enter(phase)).boxed()
    }

    fn release(&self) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let released = self.with_writer(Writer::release).await;
            self.show();
            released.map_err(|reason| self.lost(reason))?
        }
        .boxed()
    }
}
