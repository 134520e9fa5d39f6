//! Purged documents: a purge is not a change of the feed, so the purge position of the database is
//! compared now and then, and what was purged is fetched again. That may bring an older revision
//! that the purge uncovered, or nothing: then it is deleted.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::Sequence;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::pipeline::{Done, Pipeline};
use super::requests::{FetchContext, Requests};
use crate::clock::now_text;
use crate::request::{Request, RequestKind};
use crate::source::{Purges, SourceError};

/// How often the purge position is compared.
const INTERVAL: Duration = Duration::from_mins(5);
/// What the keys of requests begin with that are not in a store: the purge position follows.
const KEY: &str = "purges:";

/// The purge position of a member's database.
pub(super) struct PurgeCheck {
    due: Instant,
    is_running: bool,
}

impl PurgeCheck {
    /// Due at once.
    pub(super) fn new() -> Self {
        Self { due: Instant::now(), is_running: false }
    }

    /// Compares the position, if that is due.
    pub(super) fn start_if_due(
        &mut self,
        pipeline: &Pipeline,
        context: &FetchContext,
        tasks: &mut JoinSet<Done>,
    ) {
        if self.is_running || self.due > Instant::now() {
            return;
        }
        self.is_running = true;
        let (source, since) = (Arc::clone(&context.source), pipeline.open.claim.state().purges);
        tasks.spawn(async move { Done::Purges(source.purges(since.as_ref()).await) });
    }

    /// Fetches what was purged. The position is saved once that is acknowledged.
    pub(super) fn found(
        &mut self,
        found: Result<Option<Purges>, SourceError>,
        requests: &mut Requests,
        pipeline: &mut Pipeline,
        context: &FetchContext,
        tasks: &mut JoinSet<Done>,
    ) {
        self.is_running = false;
        self.due = Instant::now() + INTERVAL;
        let Purges { ids, position, is_complete } = match found {
            Ok(Some(purges)) => purges,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(member = pipeline.member, %error, "the purge position is not compared");
                return;
            }
        };
        if !is_complete {
            tracing::warn!(
                member = pipeline.member,
                "documents were purged, and CouchDB does not list all of them; the index may hold some that do not exist any more"
            );
        }
        let key = format!("{KEY}{position}");
        let request = Request { kind: RequestKind::Touch, ids, made: now_text(), result: None };
        requests.start(key, request, pipeline, context, tasks);
    }
}

/// The purge position whose documents are all acknowledged, if that is what a request was about.
pub(super) fn position_of(key: &str) -> Option<Sequence> {
    key.strip_prefix(KEY).map(Sequence::new)
}
