//! Requests of other processes that a member works on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::DocumentId;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::lookups::Freshness;
use super::pipeline::{Done, Fetched, Pipeline};
use super::pool::Deciders;
use crate::backoff::Backoff;
use crate::claim::{ClaimStore, StoreError};
use crate::operation::Version;
use crate::request::{Request, RequestKind, RequestResult, Ticket};
use crate::row::Row;
use crate::source::Source;

/// The requests that a member works on.
pub(super) struct Requests {
    working: HashSet<String>,
    completed: mpsc::UnboundedReceiver<(String, RequestResult)>,
    complete: mpsc::UnboundedSender<(String, RequestResult)>,
}

impl Requests {
    pub(super) fn new() -> Self {
        let (complete, completed) = mpsc::unbounded_channel();
        Self { working: HashSet::new(), completed, complete }
    }

    /// The next request whose ids are all acknowledged. Safe to cancel.
    pub(super) async fn completed(&mut self) -> (String, RequestResult) {
        // A sender is kept, so the channel is never closed.
        match self.completed.recv().await {
            Some(completed) => completed,
            None => std::future::pending().await,
        }
    }

    /// Starts a request, unless it is being worked on. Versions are stamped before the documents
    /// are fetched: whatever changes a document after that has a higher one.
    pub(super) fn start(
        &mut self,
        key: String,
        request: Request,
        pipeline: &mut Pipeline,
        context: &FetchContext,
        tasks: &mut JoinSet<Done>,
    ) {
        if request.result.is_some() || !self.working.insert(key.clone()) {
            return;
        }
        // A document that is named twice is one.
        let mut ids = request.ids;
        ids.sort_unstable();
        ids.dedup();
        match request.kind {
            RequestKind::Touch | RequestKind::Bury if !ids.is_empty() => {
                let Some(version) = pipeline.open.claim.versions().stamp_many(ids.len() as u64) else {
                    // It comes again.
                    self.working.remove(&key);
                    return;
                };
                let ticket = Ticket::new(key, ids.len(), self.complete.clone());
                let gives_up = request.kind == RequestKind::Bury;
                tasks.spawn(fetch(context.clone(), ids, ticket, gives_up, version));
            }
            RequestKind::Touch | RequestKind::Bury | RequestKind::Reload => {
                self.report(key, RequestResult::default());
            }
        }
    }

    fn report(&self, key: String, result: RequestResult) {
        // The receiver is in this struct.
        let _ = self.complete.send((key, result));
    }

    /// The result of a request was stored, or not: then it is stored later.
    pub(super) fn reported(&mut self, key: String, result: RequestResult, is_stored: bool) {
        if is_stored {
            self.working.remove(&key);
        } else {
            self.report(key, result);
        }
    }
}

/// What fetching documents needs.
#[derive(Clone)]
pub(super) struct FetchContext {
    pub(super) source: Arc<dyn Source>,
    pub(super) deciders: Deciders,
}

async fn fetch(
    context: FetchContext,
    ids: Vec<DocumentId>,
    ticket: Arc<Ticket>,
    gives_up: bool,
    version: Version,
) -> Done {
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let rows = loop {
        match context.source.fetch(&ids).await {
            Ok(rows) => break rows,
            Err(error) => {
                tracing::warn!(source = context.source.describe(), %error, "documents of a request are not fetched");
                tokio::time::sleep(backoff.failed()).await;
            }
        }
    };
    let rows: Arc<[Row]> = rows.into();
    // Whoever asks for a document wants what is true now.
    let decided = context.deciders.decide(Arc::clone(&rows), Freshness::Fetched, Arc::default()).await;
    let decided = decided.into_iter().zip(rows.iter().map(|row| row.revision.clone())).collect();
    Done::Fetched(Box::new(Fetched { ticket, gives_up, version, decided }))
}

/// Writes what became of a request into its document.
pub(super) async fn store_result(store: Arc<dyn ClaimStore>, key: String, result: RequestResult) -> Done {
    let is_stored = match write_result(store.as_ref(), &key, result).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the result of a request is not stored");
            tokio::time::sleep(Duration::from_secs(1)).await;
            false
        }
    };
    Done::Reported { key, result, is_stored }
}

async fn write_result(store: &dyn ClaimStore, key: &str, result: RequestResult) -> Result<(), StoreError> {
    let Some(stored) = store.read(key).await? else { return Ok(()) };
    let Ok(request) = serde_json::from_value::<Request>(stored.value) else { return Ok(()) };
    let request = Request { result: Some(result), ..request };
    match store.write(key, &json!(request), Some(stored.token)).await {
        // Whoever made it has removed it.
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
