//! Reading a database's changes feed, line by line, over as many connections as it takes.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use reqwest::Response;

use super::changes::ChangesRequest;
use super::database::CouchDatabase;
use super::error::CouchError;
use super::repair::complete;
use crate::backoff::Backoff;
use crate::row::{Line, Row};
use crate::source::{FeedEvent, FeedMode, FeedRequest, Sender, SourceError};

/// Changes of one request of a one-shot feed: pages of a thousand cost little over one stream.
const PAGE: u32 = 2000;

/// Responses that fail in the middle, one after the other without progress, before the next changes are listed without their
/// documents: one of the documents may be the cause.
const BROKEN_RESPONSES: u32 = 3;

/// Changes of one request without documents.
const LISTING: u32 = 100;

/// Reads a feed until it ends or fails for good.
pub(super) async fn read(
    database: CouchDatabase,
    request: FeedRequest,
    sender: Sender,
) -> Result<(), SourceError> {
    let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let mut reader =
        FeedReader { database, request, sender, backoff, broken_responses: 0, is_verified: false };
    loop {
        match reader.read_response().await {
            Ok(Progress::End) => return Ok(()),
            Ok(Progress::More) => {}
            Err(error) if error.is_retryable() => {
                // The identity of the database is verified before the position is used again.
                reader.is_verified = false;
                let wait = reader.backoff.failed();
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

struct FeedReader {
    database: CouchDatabase,
    /// What is still to be read: the position moves only to that of a row or of the end of a response.
    request: FeedRequest,
    sender: Sender,
    backoff: Backoff,
    /// Responses that failed in the middle since there was progress.
    broken_responses: u32,
    /// Whether the database is known to be the one that the position belongs to.
    is_verified: bool,
}

impl FeedReader {
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

    async fn read_response(&mut self) -> Result<Progress, CouchError> {
        self.verify().await?;
        let wanted = match self.request.mode {
            _ if self.broken_responses >= BROKEN_RESPONSES => ChangesRequest::Listing(LISTING),
            FeedMode::OneShot => ChangesRequest::Page(PAGE),
            FeedMode::Continuous => ChangesRequest::Stream,
        };
        let response = self.database.request_changes(&self.request.since, wanted).await?;
        let progress = self.read_lines(response, wanted).await;
        if progress.is_err() {
            self.broken_responses += 1;
        }
        progress
    }

    async fn read_lines(
        &mut self,
        response: Response,
        wanted: ChangesRequest,
    ) -> Result<Progress, CouchError> {
        let mut lines = Lines { response, buffer: BytesMut::new() };
        let mut rows = 0_u32;
        let mut last = None;
        while let Some(line) = lines.next(&self.database).await? {
            match line {
                Line::Nothing => self.flush().await?,
                Line::Row(row) => {
                    rows += 1;
                    self.take(row).await?;
                    // While more lines are here already, rows are collected. On a quiet feed each is handed over at once.
                    if wanted == ChangesRequest::Stream && !lines.has_line() {
                        self.flush().await?;
                    }
                }
                Line::End { last_sequence, pending } => last = Some((last_sequence, pending)),
            }
        }
        let Some((last_sequence, pending)) = last else {
            let reason = "the feed ended without its last line".to_owned();
            return Err(CouchError::Unreachable { server: self.database.address(), reason });
        };
        self.progressed();
        self.request.since = last_sequence.clone();
        self.flush().await?;
        self.sender.position(last_sequence, pending).await;
        // An empty response may be that of a database that was just deleted.
        self.is_verified = rows > 0;
        let is_last = match wanted {
            ChangesRequest::Page(limit) | ChangesRequest::Listing(limit) => {
                rows == 0 || (pending == Some(0) && rows < limit)
            }
            ChangesRequest::Stream => false,
        };
        let is_end = is_last && self.request.mode == FeedMode::OneShot;
        Ok(if is_end { Progress::End } else { Progress::More })
    }

    fn progressed(&mut self) {
        self.backoff.reset();
        self.broken_responses = 0;
    }

    async fn take(&mut self, row: Row) -> Result<(), CouchError> {
        if let Some(sequence) = &row.sequence {
            // Only what is new is progress: a row that cannot be read comes after the same ones each time.
            if self.request.since != *sequence {
                self.progressed();
            }
            self.request.since = sequence.clone();
        }
        if self.sender.keep(row) { self.flush().await } else { Ok(()) }
    }

    /// Hands over the rows that were collected. Those that came without their documents are completed before.
    async fn flush(&mut self) -> Result<(), CouchError> {
        complete(&self.database, &mut self.sender).await?;
        self.sender.flush().await;
        Ok(())
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
                Ok(Err(error)) => return Err(database.server().unreachable(error)),
                Err(_) => return Err(database.silent()),
            }
        }
    }
}

fn parse(line: Bytes, database: &CouchDatabase) -> Result<Line, CouchError> {
    let text = ByteString::try_from(line).map_err(|error| CouchError::Unreachable {
        server: database.address(),
        reason: format!("a row of the feed is not UTF-8: {error}"),
    })?;
    Line::parse(&text).map_err(|error| CouchError::of_row(database.address(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::EndpointOptions;
    use crate::source::Source as _;
    use crate::source::couch::scripted::{END, Script, Scripted, drain, request, row};

    async fn server(changes: Vec<Script>) -> crate::source::couch::scripted::Server {
        Scripted { changes, ..Scripted::default() }.start().await
    }

    #[tokio::test]
    async fn a_page_may_take_longer_than_a_request() {
        let mut parts: Vec<String> = (0..8).map(|number| row("null", &number.to_string())).collect();
        parts.push(END.to_owned());
        let server = server(vec![Script::Parts(parts, Duration::from_millis(100))]).await;
        let options =
            EndpointOptions { request_timeout: Duration::from_millis(300), ..EndpointOptions::default() };
        let feed = server.database_with(&options).open(request(FeedMode::OneShot));
        let drained = tokio::time::timeout(Duration::from_secs(5), drain(feed)).await.unwrap();
        assert_eq!((drained.ids.len(), drained.waits), (8, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let server = server(vec![Script::Silent, Script::text(END)]).await;
        let options =
            EndpointOptions { request_timeout: Duration::from_hours(1), ..EndpointOptions::default() };
        let waits = drain(server.database_with(&options).open(request(FeedMode::OneShot))).await.waits;
        assert!(waits.len() == 1 && waits[0].contains("nothing came for 60 seconds"), "{waits:?}");
    }

    #[tokio::test]
    async fn a_torn_page_is_resumed_from_its_last_sequence() {
        let torn =
            row("\"a\"", "1") + &row("null", "2") + &row("\"c\"", "3") + &row("null", "4") + "{\"seq\":";
        let rest = row("null", "4") + &row("null", "5") + END;
        let server = server(vec![Script::text(torn), Script::text(rest)]).await;
        let drained = drain(server.feed(FeedMode::OneShot)).await;
        assert_eq!(drained.ids, ["1", "2", "3", "4", "4", "5"]);
        assert!(drained.waits.len() == 1 && drained.waits[0].contains("torn"), "{:?}", drained.waits);
        let requests = server.requests("/db/_changes");
        assert!(requests[0].head.contains("since=0&") && requests[1].head.contains("since=c&"));
    }

    /// A page of two rows of which the second has lost its document.
    fn page_with_a_hole(hole: &str) -> Vec<Script> {
        let lost = row("\"b\"", "2").replace("\"doc\":{}", hole);
        vec![Script::text(row("\"a\"", "1") + &lost + &row("\"c\"", "3") + END)]
    }

    #[tokio::test]
    async fn a_document_that_did_not_come_is_fetched_by_its_id() {
        for hole in ["\"doc\":null", "\"error\":\"timeout\"", "\"doc\":[]"] {
            let document =
                "{\"results\":[{\"id\":\"2\",\"docs\":[{\"ok\":{\"_id\":\"2\",\"_rev\":\"1-0\"}}]}]}";
            let scripted = Scripted {
                changes: page_with_a_hole(hole),
                documents: vec![Script::text(document)],
                ..Scripted::default()
            };
            let server = scripted.start().await;
            let drained = drain(server.feed(FeedMode::OneShot)).await;
            assert_eq!((drained.ids, drained.unreadable, drained.waits.len()), (ids(3), Vec::new(), 0));
            assert_eq!(server.requests("/db/_bulk_get")[0].body, "{\"docs\":[{\"id\":\"2\"}]}");
            assert_eq!(server.requests("/db/_changes").len(), 1);
        }
    }

    fn ids(count: usize) -> Vec<String> {
        (1..=count).map(|number| number.to_string()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_that_cannot_be_read_is_handed_over_as_unreadable() {
        let of = |entry: &str| format!("{{\"results\":[{{\"id\":\"2\",\"docs\":[{entry}]}}]}}");
        let missing =
            "{\"error\":{\"id\":\"2\",\"rev\":\"undefined\",\"error\":\"not_found\",\"reason\":\"missing\"}}";
        let broken =
            "{\"error\":{\"id\":\"2\",\"rev\":\"1-0\",\"error\":\"file_corruption\",\"reason\":\"x\"}}";
        for (response, error_type) in [
            (Script::text(of(missing)), "missing"),
            (Script::text(of(broken)), "file_corruption"),
            (Script::Status(500, "{\"error\":\"unknown_error\"}"), "read_failed"),
        ] {
            let scripted = Scripted {
                changes: page_with_a_hole("\"doc\":null"),
                documents: vec![response],
                ..Scripted::default()
            };
            let server = scripted.start().await;
            let drained = drain(server.feed(FeedMode::OneShot)).await;
            assert_eq!((drained.ids, drained.deleted), (ids(3), Vec::new()));
            assert_eq!(drained.unreadable, [("2".to_owned(), error_type.to_owned())]);
            assert_eq!(server.requests("/db/_changes").len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_breaks_at_the_same_document_each_time_is_listed_without_documents() {
        let broken = row("\"a\"", "1") + "{\"error\":\"badmatch\",\"reason\":\"x\"}\n";
        let row_without = |id: &str| row("null", id).replace(",\"doc\":{}", "");
        let document = |id: &str| {
            format!("{{\"id\":\"{id}\",\"docs\":[{{\"ok\":{{\"_id\":\"{id}\",\"_rev\":\"1-0\"}}}}]}}")
        };
        let corrupt = "{\"id\":\"2\",\"docs\":[{\"error\":{\"id\":\"2\",\"rev\":\"1-0\",\"error\":\"badmatch\",\"reason\":\"x\"}}]}";
        let scripted = Scripted {
            changes: vec![
                Script::text(broken),
                Script::text("{\"error\":\"badmatch\",\"reason\":\"x\"}\n"),
                Script::text("{\"seq\":\"b\",\n"),
                Script::text(row_without("2") + &row_without("3") + END),
            ],
            documents: vec![
                Script::text(format!("{{\"results\":[{corrupt},{}]}}", document("3"))),
                Script::text(format!("{{\"results\":[{corrupt}]}}")),
            ],
            ..Scripted::default()
        };
        let server = scripted.start().await;
        let drained = drain(server.feed(FeedMode::OneShot)).await;
        assert_eq!((drained.ids, drained.waits.len()), (ids(3), 3));
        assert_eq!(drained.unreadable, [("2".to_owned(), "badmatch".to_owned())]);
        let requests = server.requests("/db/_changes");
        assert!(requests[3].head.contains("include_docs=false&since=a&"), "{requests:?}");
    }

    fn created_at(time: &str) -> Script {
        Script::text(format!("{{\"instance_start_time\":\"{time}\",\"update_seq\":\"s\"}}"))
    }

    #[tokio::test]
    async fn a_database_without_a_start_time_matches_any() {
        for (stored, found) in [("0", "1700000000"), ("1700000000", "0"), ("0", "0")] {
            let info = vec![created_at(found)];
            let server =
                Scripted { changes: vec![Script::text(END)], info, ..Scripted::default() }.start().await;
            let mut request = request(FeedMode::OneShot);
            request.identity.instance_start_time = stored.to_owned();
            assert_eq!(drain(server.database().open(request)).await.waits, Vec::<String>::new());
        }
    }

    #[tokio::test]
    async fn a_start_time_that_a_feed_has_seen_once_is_held_against_later_ones() {
        let page = row("\"a\"", "1") + &END.replace("\"pending\":0", "\"pending\":1");
        let scripted = Scripted {
            changes: vec![Script::text(page), Script::text(""), Script::text(END)],
            info: vec![created_at("1700000000"), created_at("1700000001")],
            ..Scripted::default()
        };
        let server = scripted.start().await;
        let mut request = request(FeedMode::OneShot);
        request.identity.instance_start_time = "0".to_owned();
        let mut feed = server.database().open(request);
        let error = loop {
            if let Err(error) = feed.next().await.expect("an error") {
                break error.to_string();
            }
        };
        assert!(error.contains("created at 1700000001, not at 1700000000"), "{error}");
    }
}
