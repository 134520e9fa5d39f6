//! Reading a database's changes feed over as many connections as it takes.

use std::time::Duration;

use pillowtop_core::Sequence;
use tokio::time::Instant;

use super::changes::ChangesRequest;
use super::database::CouchDatabase;
use super::error::CouchError;
use super::lines::{Lines, ReadFailure};
use super::live::{FallBack, Live, SHORTEST_WAIT};
use super::repair::complete;
use crate::backoff::Backoff;
use crate::row::{Line, Row};
use crate::source::{FeedEvent, FeedMode, FeedRequest, Sender, SourceError};

/// Responses that fail in the middle, one after the other without progress, before the next changes
/// are listed without their documents: one of the documents may be the cause.
const BROKEN_RESPONSES: u32 = 3;

/// Rows of a continuous feed without a pause after which pages are read: they are faster, and
/// report how much is pending.
const BUSY: u32 = 10_000;

/// The pause after a long-poll that ended at once without changes.
const PAUSE: Duration = Duration::from_secs(2);

/// Reads a feed until it ends or fails for good.
pub(super) async fn read(
    database: CouchDatabase,
    request: FeedRequest,
    sender: Sender,
) -> Result<(), SourceError> {
    let mut reader = FeedReader::new(database, request, sender);
    loop {
        match reader.read_response().await {
            Ok(Progress::End) => return Ok(()),
            Ok(Progress::More) => {}
            Err(error) if error.is_retryable() => {
                let wait = reader.failed();
                reader.flush().await?;
                reader.sender.tell(FeedEvent::Waiting(error.to_string())).await;
                tokio::time::sleep(wait).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

enum Progress {
    More,
    End,
}

/// The last line of a complete response.
struct Ending {
    last_sequence: Sequence,
    pending: Option<u64>,
}

struct FeedReader {
    database: CouchDatabase,
    /// What is still to be read: the position moves only to that of a row or of the end of a
    /// response.
    request: FeedRequest,
    sender: Sender,
    live: Live,
    backoff: Backoff,
    /// Responses that failed in the middle since there was progress.
    broken_responses: u32,
    /// Whether the database is known to be the one that the position belongs to.
    is_verified: bool,
    /// Whether the last page was short.
    is_caught_up: bool,
    /// Rows of the response that is read, since there was a pause.
    rows: u32,
    /// Whether the position after the last row was handed over.
    is_position_known: bool,
}

impl FeedReader {
    fn new(database: CouchDatabase, request: FeedRequest, sender: Sender) -> Self {
        // With a selector, the position of a continuous feed would stand still without a match.
        let is_stream = request.selector.is_none() && !database.server().holds_back_streams();
        Self {
            database,
            live: Live::new(is_stream),
            request,
            sender,
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(30)),
            broken_responses: 0,
            is_verified: false,
            is_caught_up: false,
            rows: 0,
            is_position_known: false,
        }
    }

    async fn verify(&mut self) -> Result<(), CouchError> {
        if self.is_verified {
            return Ok(());
        }
        let found = self.database.info().await?.identity;
        if !found.matches(&self.request.identity) {
            return Err(CouchError::replaced(&self.request.identity, &found));
        }
        if found.has_start_time() {
            self.request.identity = found;
        }
        self.is_verified = true;
        Ok(())
    }

    fn next_request(&self) -> ChangesRequest {
        if self.broken_responses >= BROKEN_RESPONSES {
            ChangesRequest::Listing
        } else if self.request.mode == FeedMode::OneShot || !self.is_caught_up {
            ChangesRequest::Page
        } else {
            self.live.request()
        }
    }

    async fn read_response(&mut self) -> Result<Progress, CouchError> {
        self.verify().await?;
        let wanted = self.next_request();
        let opened = Instant::now();
        let sent = self.database.request_changes(&self.request.since, wanted, self.request.selector.as_ref());
        let patience = wanted.patience(false);
        let response = match tokio::time::timeout(patience, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return self.without_lines(wanted, opened, error),
            Err(_) if wanted.is_stream() => return Ok(self.fall_back(FallBack::Buffered)),
            Err(_) => return Err(self.database.silent(patience)),
        };
        let mut lines = Lines::new(self.database.clone(), wanted, response);
        self.rows = 0;
        match self.read_lines(&mut lines, wanted).await? {
            Ok(Some(ending)) => self.ended(wanted, opened, ending).await,
            // The reader left a busy continuous feed.
            Ok(None) => Ok(Progress::More),
            Err(failure) => self.torn(wanted, opened, &lines, failure),
        }
    }

    /// Reads the lines of a response to its end. The outer error is one of fetching documents.
    async fn read_lines(
        &mut self,
        lines: &mut Lines,
        wanted: ChangesRequest,
    ) -> Result<Result<Option<Ending>, ReadFailure>, CouchError> {
        let mut ending = None;
        loop {
            match lines.next().await {
                Ok(Some(Line::Row(row))) => {
                    self.take(row).await?;
                    if !wanted.is_stream() {
                        continue;
                    }
                    // While more lines are here already, rows are collected. On a quiet feed each is handed
                    // over at once.
                    if !lines.has_line() {
                        self.flush().await?;
                    }
                    if self.rows >= BUSY {
                        self.is_caught_up = false;
                        self.flush().await?;
                        return Ok(Ok(None));
                    }
                }
                Ok(Some(Line::Nothing)) => self.paused(wanted).await?,
                Ok(Some(Line::End { last_sequence, pending })) => {
                    ending = Some(Ending { last_sequence, pending });
                }
                Ok(None) => break,
                Err(failure) => return Ok(Err(failure)),
            }
        }
        if ending.is_none() {
            let reason = "the feed ended without its last line".to_owned();
            let error = CouchError::Unreachable { server: self.database.address(), reason };
            return Ok(Err(ReadFailure::Cut(error)));
        }
        Ok(Ok(ending))
    }

    async fn take(&mut self, row: Row) -> Result<(), CouchError> {
        self.rows += 1;
        self.is_position_known = false;
        if let Some(sequence) = &row.sequence {
            // Only what is new is progress: a row that cannot be read comes after the same ones each time.
            if self.request.since != *sequence {
                self.progressed();
            }
            self.request.since = sequence.clone();
        }
        if self.sender.keep(row) { self.flush().await } else { Ok(()) }
    }

    /// A blank line came. On a continuous feed that means that there are no more changes now.
    async fn paused(&mut self, wanted: ChangesRequest) -> Result<(), CouchError> {
        self.flush().await?;
        if wanted.is_stream() && self.rows > 0 && !self.is_position_known {
            self.tell_position(Some(0)).await;
        }
        if wanted.is_stream() {
            self.rows = 0;
        }
        Ok(())
    }

    /// Hands over the position.
    async fn tell_position(&mut self, pending: Option<u64>) {
        self.sender.position(self.request.since.clone(), pending).await;
        self.is_position_known = true;
    }

    /// A response ended with its last line.
    async fn ended(
        &mut self,
        wanted: ChangesRequest,
        opened: Instant,
        ending: Ending,
    ) -> Result<Progress, CouchError> {
        self.progressed();
        self.flush().await?;
        let Ending { last_sequence, pending } = ending;
        let has_moved = self.request.since != last_sequence;
        self.request.since = last_sequence;
        // Another sequence of the same position is not news.
        let is_news = self.rows > 0 || (has_moved && self.request.selector.is_some());
        if !self.is_position_known || is_news {
            self.tell_position(pending).await;
        }
        // An empty response may be that of a database that was just deleted.
        self.is_verified = self.rows > 0;
        let is_short = wanted.limit().is_some_and(|limit| self.rows < limit);
        if self.request.mode == FeedMode::OneShot {
            let is_last = self.rows == 0 || (pending == Some(0) && is_short);
            return Ok(if is_last { Progress::End } else { Progress::More });
        }
        if wanted.is_stream() {
            return Ok(self.fall_back(FallBack::Ended));
        }
        self.is_caught_up = is_short;
        if wanted.is_live() && self.rows == 0 && opened.elapsed() < SHORTEST_WAIT {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Progress::More)
    }

    /// A response was not read to its end.
    fn torn(
        &mut self,
        wanted: ChangesRequest,
        opened: Instant,
        lines: &Lines,
        failure: ReadFailure,
    ) -> Result<Progress, CouchError> {
        match failure {
            ReadFailure::Silent(_) if wanted.is_stream() && !lines.has_received() => {
                Ok(self.fall_back(FallBack::Buffered))
            }
            ReadFailure::Cut(error)
                if lines.is_between_lines() && (wanted.is_stream() || wanted.is_live() && self.rows == 0) =>
            {
                self.closed(opened, lines.has_received(), error)
            }
            failure => {
                self.broken_responses += 1;
                Err(failure.into_error())
            }
        }
    }

    /// There is no response. That of a long-poll may have been given up by something on the way.
    fn without_lines(
        &mut self,
        wanted: ChangesRequest,
        opened: Instant,
        error: CouchError,
    ) -> Result<Progress, CouchError> {
        if matches!(wanted, ChangesRequest::LongPoll { .. }) && error.is_retryable() {
            return self.closed(opened, false, error);
        }
        Err(error)
    }

    /// A connection was closed while it waited for changes: no failure if it has waited for a while
    /// and worked before.
    fn closed(
        &mut self,
        opened: Instant,
        has_received: bool,
        error: CouchError,
    ) -> Result<Progress, CouchError> {
        if opened.elapsed() >= SHORTEST_WAIT && self.live.closed_while_waiting(has_received) {
            self.is_verified = false;
            return Ok(Progress::More);
        }
        Err(error)
    }

    fn fall_back(&mut self, why: FallBack) -> Progress {
        self.live.fall_back();
        if self.database.server().note_held_back_streams() {
            tracing::warn!(server = self.database.address(), "{}", why.message());
        }
        self.is_verified = false;
        Progress::More
    }

    fn progressed(&mut self) {
        self.backoff.reset();
        self.broken_responses = 0;
    }

    /// Notes a failure, and returns how long to wait.
    fn failed(&mut self) -> Duration {
        // The identity of the database is verified before the position is used again, and much may have
        // changed by then.
        self.is_verified = false;
        self.is_caught_up = false;
        // Told again, it reports that the server responds.
        self.is_position_known = false;
        self.backoff.failed()
    }

    /// Hands over the rows that were collected. Those that came without their documents are
    /// completed before.
    async fn flush(&mut self) -> Result<(), CouchError> {
        complete(&self.database, &mut self.sender).await?;
        self.sender.flush().await;
        Ok(())
    }
}
