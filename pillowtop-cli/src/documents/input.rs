//! Where documents come from: a file, standard input, a directory, or a database.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use pillowtop_core::Sequence;
use pillowtop_runtime::row::{Row, RowError};
use pillowtop_runtime::source::{Feed, FeedEvent, FeedMode, FeedRequest, Source as _};
use serde_json::Value;

use super::bytes::{self, STANDARD_INPUT};
use super::database::Address;
use super::text::{Text, unreadable};
use crate::context::Context;
use crate::exit::Failure;

/// Rows handed over at once.
const ROWS: usize = 256;
/// What the files of a directory end with, perhaps after `.gz` or `.zst`.
const ENDINGS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// Documents.
pub(crate) struct Input {
    shown: String,
    kind: Kind,
}

enum Kind {
    Feed(Feed),
    Rows(VecDeque<Row>),
    Texts { current: Option<Text>, files: VecDeque<PathBuf> },
}

/// Whether a source is the address of a server.
pub(crate) fn is_url(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

impl Input {
    /// Opens what `--docs` or `--from-docs` names.
    pub(crate) async fn open(context: &Context, source: &str) -> Result<Self, Failure> {
        if is_url(source) {
            return database(context, source).await;
        }
        let directory = Path::new(source);
        let (shown, current, files) = if directory.is_dir() {
            (source.to_owned(), None, files_of(directory)?)
        } else {
            let shown = if source == STANDARD_INPUT { "standard input" } else { source };
            let bytes = bytes::open(source).map_err(|error| unreadable(shown, &error))?;
            (shown.to_owned(), Some(Text::new(shown.to_owned(), None, bytes)?), VecDeque::new())
        };
        Ok(Self { shown, kind: Kind::Texts { current, files } })
    }

    /// The first documents of some types in a database, at most `limit` of each: the same in every
    /// run.
    pub(crate) async fn of_types(
        context: &Context,
        source: &str,
        type_field: &str,
        types: &[&str],
        limit: u64,
    ) -> Result<Self, Failure> {
        let address = Address::parse(context, source)?;
        address.count().await?;
        let mut rows = VecDeque::new();
        for doc_type in types {
            let page = address.of_type(type_field, doc_type, limit).await?;
            let texts = page.documents.into_iter().map(|document| Value::from(document).to_string());
            let read: Result<Vec<Row>, RowError> = texts.map(|text| Row::of_document(text, "", "")).collect();
            rows.extend(read.map_err(Failure::new)?);
        }
        Ok(Self { shown: address.to_string(), kind: Kind::Rows(rows) })
    }

    /// For people, without credentials.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The next documents.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Row>>, Failure> {
        match &mut self.kind {
            Kind::Feed(feed) => match feed.next().await.transpose()? {
                Some(FeedEvent::Rows(rows)) => Ok(Some(rows)),
                Some(FeedEvent::Position { .. }) => Ok(Some(Vec::new())),
                Some(FeedEvent::Waiting(reason)) => Err(Failure::new(reason)),
                None => Ok(None),
            },
            Kind::Rows(rows) => {
                let some: Vec<Row> = rows.drain(..rows.len().min(ROWS)).collect();
                Ok(Some(some).filter(|rows| !rows.is_empty()))
            }
            Kind::Texts { current, files } => loop {
                if let Some(text) = current {
                    let rows = text.next(ROWS)?;
                    if !rows.is_empty() {
                        return Ok(Some(rows));
                    }
                }
                let Some(file) = files.pop_front() else { return Ok(None) };
                *current = Some(text_of(&file)?);
            },
        }
    }
}

async fn database(context: &Context, source: &str) -> Result<Input, Failure> {
    let address = Address::parse(context, source)?;
    let shown = address.to_string();
    let database = address.database();
    let info = address.info(&database).await?;
    let feed = database.open(FeedRequest {
        since: Sequence::start(),
        identity: info.identity,
        mode: FeedMode::OneShot,
        selector: None,
    });
    Ok(Input { shown, kind: Kind::Feed(feed) })
}

/// The files of documents in a directory, by name.
fn files_of(directory: &Path) -> Result<VecDeque<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let is_meant =
            |name: &Path| ENDINGS.iter().any(|ending| name.extension().is_some_and(|it| it == *ending));
        if path.is_file() && is_meant(&uncompressed(&path)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files.into())
}

/// The name that a file has when it is decompressed.
fn uncompressed(path: &Path) -> PathBuf {
    let is_compressed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    if is_compressed { path.with_extension("") } else { path.to_owned() }
}

/// A document without an id is named by its file.
fn text_of(file: &Path) -> Result<Text, Failure> {
    let shown = file.display().to_string();
    let bytes = bytes::open(&shown).map_err(|error| unreadable(&shown, &error))?;
    let stem = uncompressed(file).file_stem().map(|name| name.to_string_lossy().into_owned());
    Text::new(shown, stem, bytes)
}
