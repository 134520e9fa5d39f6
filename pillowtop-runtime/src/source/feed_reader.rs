//! Reading a database's changes feed, line by line, over as many connections as it takes.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use pillowtop_core::Sequence;

use super::couch::CouchDatabase;
use super::couch_error::CouchError;
use super::{Sender, SourceError};
use crate::backoff::Backoff;
use crate::claim::DatabaseIdentity;
use crate::row::{Line, Row};

/// How much of a feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedMode {
    /// What there is now, in pages; then the feed ends.
    OneShot,
    /// What there is and what comes, for ever.
    Continuous,
}

/// Changes of one request of a one-shot feed: pages of a thousand cost little over one stream.
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
                if let Some(sequence) = &row.sequence {
                    // Only what is new is progress: a row that cannot be read comes after the same ones each time.
                    if since != sequence {
                        backoff.reset();
                    }
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
    sender.position(last_sequence, pending).await;
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
                Err(_) => return Err(database.silent()),
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::http::{Endpoint, EndpointOptions};
    use crate::source::{CouchServer, Feed, FeedEvent};

    const END: &str = "],\n\"last_seq\":\"end\",\"pending\":0}\n";

    fn row(sequence: &str, id: &str) -> String {
        format!("{{\"seq\":{sequence},\"id\":\"{id}\",\"changes\":[{{\"rev\":\"1-0\"}}],\"doc\":{{}}}},\n")
    }

    /// What a server does after the head of an answer to `_changes`.
    #[derive(Clone)]
    enum Script {
        /// Sends parts, and pauses after each.
        Parts(Vec<String>, Duration),
        /// Says nothing, not even the head.
        Silent,
    }

    /// A server that answers one request of changes after the other by its scripts, the last one again and again; and what it was asked.
    async fn server(scripts: Vec<Script>) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer(stream, scripts.clone(), Arc::clone(&told));
                tokio::spawn(answer);
            }
        });
        (url, asked)
    }

    async fn answer(mut stream: TcpStream, scripts: Vec<Script>, asked: Arc<Mutex<Vec<String>>>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let (parts, pause) = if head.starts_with("GET /db/_changes") {
            let place = {
                let mut asked = asked.lock().unwrap();
                asked.push(head.lines().next().unwrap().to_owned());
                asked.len().min(scripts.len()) - 1
            };
            match scripts[place].clone() {
                Script::Parts(parts, pause) => (parts, pause),
                Script::Silent => std::future::pending().await,
            }
        } else {
            (vec!["{\"instance_start_time\":\"1\",\"update_seq\":\"s\"}".to_owned()], Duration::ZERO)
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.unwrap();
        for part in parts {
            // Whoever reads may have gone.
            if stream.write_all(part.as_bytes()).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn feed(url: &str, request_timeout: Duration) -> Feed {
        let options = EndpointOptions { request_timeout, ..EndpointOptions::default() };
        let server = CouchServer::new(Endpoint::with_options(url, None, None, &options).unwrap());
        let identity = DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() };
        server.database("db".into()).changes(Sequence::start(), identity, FeedMode::OneShot)
    }

    /// The ids of a whole feed, and why it waited.
    async fn drain(mut feed: Feed) -> (Vec<String>, Vec<String>) {
        let (mut ids, mut waits) = (Vec::new(), Vec::new());
        while let Some(event) = feed.next().await {
            match event.unwrap() {
                FeedEvent::Rows(rows) => ids.extend(rows.iter().map(|row| row.id.to_string())),
                FeedEvent::Position { .. } => {}
                FeedEvent::Waiting(reason) => waits.push(reason),
            }
        }
        (ids, waits)
    }

    #[tokio::test]
    async fn a_page_may_take_longer_than_a_request() {
        let mut parts: Vec<String> = (0..8).map(|number| row("null", &number.to_string())).collect();
        parts.push(END.to_owned());
        let (url, _) = server(vec![Script::Parts(parts, Duration::from_millis(100))]).await;
        let read = drain(feed(&url, Duration::from_millis(300)));
        let (ids, waits) = tokio::time::timeout(Duration::from_secs(5), read).await.unwrap();
        assert_eq!((ids.len(), waits), (8, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let whole = Script::Parts(vec![END.to_owned()], Duration::ZERO);
        let (url, _) = server(vec![Script::Silent, whole]).await;
        let (_, waits) = drain(feed(&url, Duration::from_hours(1))).await;
        assert_eq!(waits.len(), 1, "{waits:?}");
        assert!(waits[0].contains("nothing came for 60 seconds"), "{waits:?}");
    }

    #[tokio::test]
    async fn a_torn_page_is_read_on_from_its_last_sequence() {
        let torn =
            row("\"a\"", "1") + &row("null", "2") + &row("\"c\"", "3") + &row("null", "4") + "{\"seq\":";
        let rest = row("null", "4") + &row("null", "5") + END;
        let script = |text: String| Script::Parts(vec![text], Duration::ZERO);
        let (url, asked) = server(vec![script(torn), script(rest)]).await;
        let (ids, waits) = drain(feed(&url, Duration::from_secs(9))).await;
        assert_eq!(ids, ["1", "2", "3", "4", "4", "5"]);
        assert!(waits.len() == 1 && waits[0].contains("torn"), "{waits:?}");
        let asked = asked.lock().unwrap();
        assert!(asked[0].contains("since=0&") && asked[1].contains("since=c&"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_document_that_does_not_come_is_asked_for_again() {
        let without = row("\"a\"", "1") + &row("\"b\"", "2").replace("{}", "null") + END;
        let with = row("\"b\"", "2") + END;
        let script = |text: String| Script::Parts(vec![text], Duration::ZERO);
        let (url, asked) = server(vec![script(without), script(with)]).await;
        let (ids, waits) = drain(feed(&url, Duration::from_secs(9))).await;
        assert_eq!(ids, ["1", "2"]);
        assert!(waits.len() == 1 && waits[0].contains("without its document"), "{waits:?}");
        assert!(asked.lock().unwrap()[1].contains("since=a&"));
    }
}
