//! Where an audit's documents come from: a file, a folder, or a database.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;

use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{DatabaseName, Sequence};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::row::{Line, Row, RowError};
use pillowtop_runtime::scan;
use pillowtop_runtime::source::{CouchServer, DocumentFolder, Feed, FeedEvent, FeedMode};
use serde_json::value::RawValue;

use crate::config::Secret;
use crate::context::Context;
use crate::exit::Failure;

/// Rows handed over at once.
const ROWS: usize = 256;

/// Documents.
pub(in crate::commands) struct Input {
    shown: String,
    kind: Kind,
}

enum Kind {
    Feed(Feed),
    Lines { lines: Lines<BufReader<fs_err::File>>, number: usize },
    Rows(VecDeque<Row>),
}

impl Input {
    /// Opens what `--docs` names.
    pub(in crate::commands) async fn open(context: &Context, said: &str) -> Result<Self, Failure> {
        if said.starts_with("http://") || said.starts_with("https://") {
            return database(context, said).await;
        }
        let path = Path::new(said);
        let shown = said.to_owned();
        if path.is_dir() {
            let folder = DocumentFolder::open(path)?;
            return Ok(Self { shown, kind: Kind::Feed(folder.changes(&Sequence::start())) });
        }
        let kind = if is_one_value(path)? {
            Kind::Rows(whole_file(path)?.into())
        } else {
            Kind::Lines { lines: BufReader::new(fs_err::File::open(path)?).lines(), number: 0 }
        };
        Ok(Self { shown, kind })
    }

    /// For people, without credentials.
    pub(in crate::commands) fn shown(&self) -> &str {
        &self.shown
    }

    /// The next documents.
    pub(in crate::commands) async fn next(&mut self) -> Result<Option<Vec<Row>>, Failure> {
        match &mut self.kind {
            Kind::Feed(feed) => match feed.next().await.transpose()? {
                Some(FeedEvent::Rows(rows)) => Ok(Some(rows)),
                Some(FeedEvent::Position(_)) => Ok(Some(Vec::new())),
                Some(FeedEvent::Waiting(reason)) => Err(Failure::new(reason)),
                None => Ok(None),
            },
            Kind::Lines { lines, number } => {
                let mut rows = Vec::new();
                while rows.len() < ROWS {
                    let Some(line) = lines.next() else { break };
                    *number += 1;
                    let line = line.map_err(|error| unreadable(&self.shown, &error))?;
                    let row = row_of_line(&line, *number);
                    let broken = |reason| {
                        Failure::new(format!("line {number} of {} is no document: {reason}", self.shown))
                    };
                    rows.extend(row.map_err(broken)?);
                }
                Ok(if rows.is_empty() { None } else { Some(rows) })
            }
            Kind::Rows(rows) => {
                let some: Vec<Row> = rows.drain(..rows.len().min(ROWS)).collect();
                Ok(if some.is_empty() { None } else { Some(some) })
            }
        }
    }
}

async fn database(context: &Context, said: &str) -> Result<Input, Failure> {
    let trimmed = said.trim_end_matches('/');
    let split = trimmed
        .rsplit_once('/')
        .filter(|(server, name)| server.contains("://") && !server.ends_with('/') && !name.is_empty());
    let (server, name) = split.ok_or_else(|| {
        Failure::usage("the address names no database").hint("write it as `http://localhost:5984/DATABASE`")
    })?;
    let config = &context.config.couch;
    let has_own = server.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    let user = config.user.as_deref().filter(|_| !has_own);
    let password = config.password.as_ref().map(Secret::reveal).filter(|_| !has_own);
    let endpoint = Endpoint::parse(server, user, password).map_err(Failure::usage)?;
    let shown = format!("database `{name}` of {endpoint}");
    let database = CouchServer::new(endpoint).database(DatabaseName::from(name));
    let info = database.info().await?;
    let feed = database.changes(Sequence::start(), info.identity, FeedMode::OneShot);
    Ok(Input { shown, kind: Kind::Feed(feed) })
}

/// Whether a file is a list, or one document over several lines, and no file of lines.
fn is_one_value(path: &Path) -> Result<bool, Failure> {
    for line in BufReader::new(fs_err::File::open(path)?).lines() {
        let line = line.map_err(|error| unreadable(&path.display(), &error))?;
        let line = trimmed(&line);
        if line.is_empty() {
            continue;
        }
        if line.starts_with('[') {
            return Ok(true);
        }
        if line.starts_with("{\"results\":[") && Line::parse(&line.into()) == Ok(Line::Nothing) {
            return Ok(false);
        }
        let line = line.strip_suffix(',').unwrap_or(line);
        let is_whole = scan::members(line).is_ok_and(|mut members| members.all(|member| member.is_ok()));
        return Ok(!is_whole || scan::member(line, "results").is_some());
    }
    Ok(false)
}

/// A list of documents, one document, or an answer to `_changes` that is laid out otherwise than CouchDB does.
fn whole_file(path: &Path) -> Result<Vec<Row>, Failure> {
    let text = fs_err::read_to_string(path)?;
    let text = trimmed(&text);
    let broken = |reason: &dyn std::fmt::Display| {
        Failure::new(format!("{} is no JSON document and no list of them: {reason}", path.display()))
    };
    let read_list =
        |text: &str| serde_json::from_str::<Vec<Box<RawValue>>>(text).map_err(|error| broken(&error));
    let value: &RawValue = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let items = match scan::member(value.get(), "results") {
        _ if value.get().starts_with('[') => read_list(value.get())?,
        Some(results) if results.starts_with('[') => read_list(results)?,
        _ => vec![value.to_owned()],
    };
    items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let number = place + 1;
            row_of(item.get(), &format!("item {number}")).map_err(|reason| {
                Failure::new(format!("item {number} of {} is no document: {reason}", path.display()))
            })
        })
        .collect()
}

fn row_of_line(line: &str, number: usize) -> Result<Option<Row>, RowError> {
    let line = trimmed(line);
    let line = line.strip_suffix(',').unwrap_or(line);
    match Line::parse(&line.into()) {
        Ok(Line::Nothing | Line::End { .. }) => Ok(None),
        _ => row_of(line, &format!("line {number}")).map(Some),
    }
}

/// Without white space around it, and without the mark that some editors put at the start of a file.
fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn unreadable(shown: &dyn std::fmt::Display, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("{shown} cannot be read: {error}"));
    if error.kind() == std::io::ErrorKind::InvalidData {
        failure.hint("documents are JSON in UTF-8; unpack what is compressed")
    } else {
        failure
    }
}

/// A row of a feed, or a document by itself; one without an id is called by its place.
fn row_of(text: &str, place: &str) -> Result<Row, RowError> {
    let is_row = ["id", "changes"].iter().all(|name| scan::member(text, name).is_some());
    if is_row && scan::member(text, "_id").is_none() {
        return Row::parse(text.into());
    }
    Row::of_document(text.to_owned(), place, &format!("0-{:032x}", hash_text(text)))
}
