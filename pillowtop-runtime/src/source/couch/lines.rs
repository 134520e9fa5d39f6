//! The lines of one response of a changes feed.

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use reqwest::Response;

use super::changes::ChangesRequest;
use super::database::CouchDatabase;
use super::error::CouchError;
use crate::row::Line;

/// The lines of one response.
pub(super) struct Lines {
    database: CouchDatabase,
    wanted: ChangesRequest,
    response: Response,
    buffer: BytesMut,
    has_received: bool,
}

/// Why there is no next line.
#[derive(Debug)]
pub(super) enum ReadFailure {
    /// Nothing came for too long.
    Silent(CouchError),
    /// The connection was closed between two lines, or in the middle of one.
    Cut(CouchError),
    /// A line that cannot be read.
    Broken(CouchError),
}

impl ReadFailure {
    pub(super) fn into_error(self) -> CouchError {
        match self {
            Self::Silent(error) | Self::Cut(error) | Self::Broken(error) => error,
        }
    }
}

impl Lines {
    pub(super) fn new(database: CouchDatabase, wanted: ChangesRequest, response: Response) -> Self {
        Self { database, wanted, response, buffer: BytesMut::new(), has_received: false }
    }

    /// Whether a whole line is here already.
    pub(super) fn has_line(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer).is_some()
    }

    /// Whether there is no part of a line.
    pub(super) fn is_between_lines(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Whether anything has come.
    pub(super) fn has_received(&self) -> bool {
        self.has_received
    }

    /// The next line; `None` at a clean end of the response.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, ReadFailure> {
        let mut searched = 0;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let line = self.buffer.split_to(searched + found);
                self.buffer.advance(1);
                return self.parse(line.freeze()).map(Some);
            }
            searched = self.buffer.len();
            let patience = self.wanted.patience(self.has_received);
            match tokio::time::timeout(patience, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    self.has_received = true;
                    self.buffer.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) if self.buffer.is_empty() => return Ok(None),
                Ok(Ok(None)) => {
                    let line = self.buffer.split();
                    return self.parse(line.freeze()).map(Some);
                }
                Ok(Err(error)) => return Err(ReadFailure::Cut(self.database.server().unreachable(error))),
                Err(_) => return Err(ReadFailure::Silent(self.database.silent(patience))),
            }
        }
    }

    fn parse(&self, line: Bytes) -> Result<Line, ReadFailure> {
        let text = ByteString::try_from(line).map_err(|error| {
            let reason = format!("a row of the feed is not UTF-8: {error}");
            ReadFailure::Broken(CouchError::Unreachable { server: self.database.address(), reason })
        })?;
        Line::parse(&text)
            .map_err(|error| ReadFailure::Broken(CouchError::of_row(self.database.address(), error)))
    }
}
