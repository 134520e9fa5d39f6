//! Reading a database's changes feed, line by line, over as many connections as it takes.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use pillowtop_core::Sequence;

use super::couch::CouchDatabase;
use super::couch_error::CouchError;
use super::{Sender, SourceError};
use crate::backoff::Backoff;
use crate::row::{Line, Row};
use crate::state::DatabaseIdentity;

/// How much of a feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMode {
    /// What there is now, in pages; then the feed ends.
    OneShot,
    /// What there is and what comes, for ever.
    Continuous,
}

/// Changes of one request of a one-shot feed: pages of a thousand cost little over one stream, and a torn one is soon read again.
const PAGE: u32 = 2000;

pub(super) async fn read(
    database: CouchDatabase,
    since: Sequence,
    identity: DatabaseIdentity,
    mode: FeedMode,
    mut sender: Sender,
) -> Result<(), SourceError> {
    let mut since = since;
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let mut known = false;
    loop {
        let read =
            read_once(&database, &mut since, &identity, mode, &mut known, &mut sender, &mut backoff).await;
        match read {
            Ok(Progress::End) => return Ok(()),
            Ok(Progress::More) => {}
            Err(error) if error.is_retryable() => {
                // Before the position is used again, the database is asked who it is.
                known = false;
                let wait = backoff.failed();
                sender.waiting(error.to_string()).await;
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

/// Reads one response. `since` moves only to what a row or the end of a response says.
async fn read_once(
    database: &CouchDatabase,
    since: &mut Sequence,
    identity: &DatabaseIdentity,
    mode: FeedMode,
    known: &mut bool,
    sender: &mut Sender,
    backoff: &mut Backoff,
) -> Result<Progress, CouchError> {
    if !*known {
        let found = database.info().await?.identity;
        if found != *identity {
            return Err(CouchError::replaced(identity, &found));
        }
        *known = true;
    }
    let page = (mode == FeedMode::OneShot).then_some(PAGE);
    let mut lines = Lines { response: database.request_changes(since, page).await?, buffer: BytesMut::new() };
    let mut rows = 0_u32;
    let mut last = None;
    while let Some(line) = lines.next(database).await? {
        match line {
            Line::Nothing => sender.flush().await,
            Line::Row(row) => {
                rows += 1;
                backoff.reset();
                if mode == FeedMode::Continuous
                    && let Some(sequence) = &row.sequence
                {
                    *since = sequence.clone();
                }
                hand_over(row, &mut lines, mode, sender).await;
            }
            Line::End { last_sequence, pending } => last = Some((last_sequence, pending)),
        }
    }
    let Some((last_sequence, pending)) = last else {
        let reason = "the feed ended without its last line".to_owned();
        return Err(CouchError::Unreachable { server: database.server(), reason });
    };
    backoff.reset();
    *since = last_sequence.clone();
    sender.position(last_sequence).await;
    // An empty answer may be that of a database that was just deleted.
    *known = rows > 0;
    let at_end = rows == 0 || (pending == Some(0) && rows < PAGE);
    Ok(if mode == FeedMode::OneShot && at_end { Progress::End } else { Progress::More })
}

/// While more lines are already here, rows are collected; on a quiet feed each goes at once.
async fn hand_over(row: Row, lines: &mut Lines, mode: FeedMode, sender: &mut Sender) {
    sender.row(row).await;
    if mode == FeedMode::Continuous && !lines.has_line() {
        sender.flush().await;
    }
}

struct Lines {
    response: reqwest::Response,
    buffer: BytesMut,
}

impl Lines {
    fn has_line(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer).is_some()
    }

    /// The next line; `None` at a clean end of the response.
    async fn next(&mut self, database: &CouchDatabase) -> Result<Option<Line>, CouchError> {
        let mut searched = 0;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let line = self.buffer.split_to(searched + found);
                self.buffer.advance(1);
                return parse(line.freeze(), database).map(Some);
            }
            searched = self.buffer.len();
            let chunk = tokio::time::timeout(CouchDatabase::patience(), self.response.chunk()).await;
            match chunk {
                Ok(Ok(Some(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Ok(None)) if self.buffer.is_empty() => return Ok(None),
                Ok(Ok(None)) => {
                    let line = self.buffer.split();
                    return parse(line.freeze(), database).map(Some);
                }
                Ok(Err(error)) => return Err(database.unreachable(error)),
                Err(_) => {
                    let reason = format!("no heartbeat for {} seconds", CouchDatabase::patience().as_secs());
                    return Err(CouchError::Unreachable { server: database.server(), reason });
                }
            }
        }
    }
}

fn parse(line: Bytes, database: &CouchDatabase) -> Result<Line, CouchError> {
    let text = ByteString::try_from(line).map_err(|error| CouchError::Malformed {
        server: database.server(),
        what: "a changes feed",
        reason: format!("a row is no UTF-8: {error}"),
    })?;
    Line::parse(&text).map_err(|error| CouchError::of_row(database.server(), error))
}
