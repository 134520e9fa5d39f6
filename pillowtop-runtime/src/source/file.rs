//! A file of changes: the lines of `_changes?include_docs=true`, as `curl` writes them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::{DatabaseName, DocumentId, Sequence};

use super::{BYTES, Feed, FeedMode, FeedRequest, ROWS, Sender, Source, SourceError};
use crate::claim::DatabaseIdentity;
use crate::row::{Line, Row, RowError};

/// How often a file that is followed is read again.
const POLL: Duration = Duration::from_secs(1);

/// A file of changes.
#[derive(Debug, Clone)]
pub struct ChangesFile {
    path: PathBuf,
    identity: DatabaseIdentity,
    rows: u64,
}

impl ChangesFile {
    /// Opens a file of changes of a database and reads it once: a broken line is an error here,
    /// before anything is indexed.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line is not a change.
    pub fn open(path: &Path, database: DatabaseName) -> Result<Self, SourceError> {
        let mut lines = Lines::open(path, FilePosition::default())?;
        let mut rows = 0;
        while let Some(line) = lines.next(FeedMode::OneShot)? {
            rows += u64::from(matches!(line, Line::Row(_)));
        }
        let identity = DatabaseIdentity { name: database, instance_start_time: "file".to_owned() };
        Ok(Self { path: path.to_owned(), identity, rows })
    }

    /// How many changes are in it.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl Source for ChangesFile {
    fn describe(&self) -> String {
        format!("changes file {}", self.path.display())
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        Box::pin(async { Ok(self.identity.clone()) })
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let (path, identity) = (self.path.clone(), self.identity.clone());
        Feed::spawn(async move |sender| {
            request.check_identity(&identity)?;
            read(path, request.since, request.mode, sender).await
        })
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        let path = self.path.clone();
        Box::pin(async move {
            let mut found: HashMap<DocumentId, Row> =
                ids.iter().map(|id| (id.clone(), Row::missing(id.clone()))).collect();
            blocking(move || {
                let mut lines = Lines::open(&path, FilePosition::default())?;
                while let Some(line) = lines.next(FeedMode::OneShot)? {
                    // The last row of a document is the newest.
                    if let Line::Row(row) = line
                        && let Some(newest) = found.get_mut(&row.id)
                    {
                        *newest = row;
                    }
                }
                Ok(found.into_values().collect())
            })
            .await
        })
    }

    fn total(&self) -> Option<u64> {
        Some(self.rows)
    }
}

/// Runs what reads files on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(read).await.map_err(|error| SourceError::Task(error.to_string()))?
}

/// Reads the changes after a position: after the row that carries it, or after that many lines.
async fn read(path: PathBuf, since: Sequence, mode: FeedMode, mut sender: Sender) -> Result<(), SourceError> {
    let mut position = FilePosition::default();
    let mut last = (since != Sequence::start()).then(|| since.clone());
    let mut is_found = last.is_none();
    loop {
        let (path, sought) = (path.clone(), (!is_found).then(|| since.clone()));
        let portion = blocking(move || Portion::read(&path, position, sought.as_ref(), mode)).await?;
        is_found |= portion.is_found;
        let is_progress = portion.position != position;
        position = portion.position;
        for row in portion.rows {
            sender.row(row).await;
        }
        if let Some(position) = portion.last {
            last = Some(position);
        }
        if !portion.is_at_end {
            continue;
        }
        if !is_found {
            return Err(SourceError::UnknownPosition { path: portion.path, since });
        }
        if let (true, Some(last)) = (is_progress, &last) {
            sender.position(last.clone(), Some(0)).await;
        }
        if mode == FeedMode::OneShot {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A position between two lines of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct FilePosition {
    offset: u64,
    lines: usize,
}

/// A part of a file, about as large as an event.
struct Portion {
    path: PathBuf,
    rows: Vec<Row>,
    /// The position after the last line.
    last: Option<Sequence>,
    position: FilePosition,
    is_found: bool,
    is_at_end: bool,
}

impl Portion {
    /// Reads from a position on. With a sought position, lines up to the one that carries it are
    /// skipped.
    fn read(
        path: &Path,
        position: FilePosition,
        sought: Option<&Sequence>,
        mode: FeedMode,
    ) -> Result<Self, SourceError> {
        let mut lines = Lines::open(path, position)?;
        let mut portion = Self {
            path: path.to_owned(),
            rows: Vec::new(),
            last: None,
            position,
            is_found: sought.is_none(),
            is_at_end: false,
        };
        let mut bytes = 0;
        while portion.rows.len() < ROWS && bytes < BYTES {
            let Some(line) = lines.next(mode)? else {
                portion.is_at_end = true;
                break;
            };
            let (sequence, row) = match line {
                Line::Nothing => continue,
                Line::End { last_sequence, .. } => (last_sequence, None),
                Line::Row(row) => {
                    (row.sequence.clone().unwrap_or_else(|| lines.position.sequence()), Some(row))
                }
            };
            if !portion.is_found {
                portion.is_found = Some(&sequence) == sought;
                continue;
            }
            if let Some(mut row) = row {
                row.sequence = Some(sequence.clone());
                bytes += row.len();
                portion.rows.push(row);
            }
            portion.last = Some(sequence);
        }
        portion.position = lines.position;
        Ok(portion)
    }
}

impl FilePosition {
    /// The sequence of a row that carries none: after so many lines.
    fn sequence(self) -> Sequence {
        Sequence::new(format!("line {}", self.lines))
    }
}

/// The lines of a file from a position on.
struct Lines<'path> {
    path: &'path Path,
    reader: BufReader<fs_err::File>,
    position: FilePosition,
}

impl<'path> Lines<'path> {
    fn open(path: &'path Path, position: FilePosition) -> Result<Self, SourceError> {
        let mut file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        if length < position.offset {
            return Err(SourceError::Shrunk { path: path.to_owned(), length, read: position.offset });
        }
        file.seek(SeekFrom::Start(position.offset))?;
        Ok(Self { path, reader: BufReader::new(file), position })
    }

    /// The next line; `None` at the end. A last line without a line break is one only if the file
    /// is not followed.
    fn next(&mut self, mode: FeedMode) -> Result<Option<Line>, SourceError> {
        let mut text = String::new();
        let number = self.position.lines + 1;
        let read = self.reader.read_line(&mut text).map_err(|reason| SourceError::UnreadableLine {
            path: self.path.to_owned(),
            line: number,
            reason,
        })?;
        if read == 0 || (mode == FeedMode::Continuous && !text.ends_with('\n')) {
            return Ok(None);
        }
        let broken = |reason| SourceError::BrokenLine { path: self.path.to_owned(), line: number, reason };
        let line = match Line::parse(&text.into()).map_err(broken)? {
            Line::Row(Row { unreadable: Some(why), .. }) => return Err(broken(RowError::Unreadable(why))),
            line => line,
        };
        self.position = FilePosition { offset: self.position.offset + read as u64, lines: number };
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FeedEvent;

    const ROW: &str = r#"{"seq":"1-a","id":"x","changes":[{"rev":"1-0"}],"doc":{"_id":"x"}},"#;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("changes.jsonl");
        fs_err::write(&path, text).unwrap();
        (directory, path)
    }

    fn request(since: &str, mode: FeedMode) -> FeedRequest {
        let identity = DatabaseIdentity { name: "db".into(), instance_start_time: "file".to_owned() };
        FeedRequest { since: since.into(), identity, mode, selector: None }
    }

    fn changes(file: &ChangesFile, since: &str) -> Feed {
        file.open(request(since, FeedMode::OneShot))
    }

    /// The ids that a feed brings, and the last position.
    async fn drain(mut feed: Feed) -> Result<(Vec<String>, Option<Sequence>), SourceError> {
        let (mut ids, mut last) = (Vec::new(), None);
        while let Some(event) = feed.next().await {
            match event? {
                FeedEvent::Rows(rows) => {
                    for row in rows {
                        last = row.sequence.clone();
                        ids.push(row.id.to_string());
                    }
                }
                FeedEvent::Position { sequence, .. } => last = Some(sequence),
                FeedEvent::Waiting(reason) => panic!("{reason}"),
            }
        }
        Ok((ids, last))
    }

    #[tokio::test]
    async fn a_file_is_read_on_from_a_position() {
        let second = ROW.replace("1-a", "2-b").replace("\"x\"", "\"y\"");
        let whole = format!("{{\"results\":[\n{ROW}\n{second}\n],\n\"last_seq\":\"9-z\",\"pending\":0}}\n");
        let (_directory, path) = file(&whole);
        let file = ChangesFile::open(&path, "db".into()).unwrap();
        assert_eq!(file.rows(), 2);
        let (ids, last) = drain(changes(&file, "0")).await.unwrap();
        assert_eq!((ids, last), (vec!["x".to_owned(), "y".to_owned()], Some("9-z".into())));
        let (ids, last) = drain(changes(&file, "1-a")).await.unwrap();
        assert_eq!((ids, last), (vec!["y".to_owned()], Some("9-z".into())));
        assert_eq!(drain(changes(&file, "9-z")).await.unwrap(), (Vec::new(), Some("9-z".into())));
        let error = drain(changes(&file, "7-q")).await.unwrap_err();
        assert!(error.to_string().contains("position `7-q` is not in"), "{error}");
    }

    #[tokio::test]
    async fn rows_without_a_sequence_are_known_by_their_lines() {
        let row = ROW.replace("\"1-a\"", "null");
        let (_directory, path) = file(&format!("{row}\n{row}\n"));
        let file = ChangesFile::open(&path, "db".into()).unwrap();
        let (_, last) = drain(changes(&file, "0")).await.unwrap();
        assert_eq!(last, Some("line 2".into()));
        assert_eq!(drain(changes(&file, "line 1")).await.unwrap().0.len(), 1);
    }

    #[test]
    fn a_broken_line_is_named_before_anything_is_read() {
        let (_directory, path) = file(&format!("{ROW}\n{{\"seq\":\n"));
        let error = ChangesFile::open(&path, "db".into()).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of ") && error.contains("malformed JSON"), "{error}");
        assert!(ChangesFile::open(Path::new("nowhere.jsonl"), "db".into()).is_err());
        let (_directory, path) = file(&ROW.replace(",\"doc\":{\"_id\":\"x\"}", ""));
        let error = ChangesFile::open(&path, "db".into()).unwrap_err().to_string();
        assert!(error.ends_with("a row without its document, of a document that is not deleted"), "{error}");
        fs_err::write(&path, [ROW.as_bytes(), b"\n\xff\xfe\n"].concat()).unwrap();
        let error = ChangesFile::open(&path, "db".into()).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of ") && error.contains("UTF-8"), "{error}");
    }

    /// The next rows of a feed, and the position after them.
    async fn next_rows(feed: &mut Feed) -> (Vec<String>, Option<Sequence>) {
        let mut ids = Vec::new();
        loop {
            match feed.next().await.expect("an event").unwrap() {
                FeedEvent::Rows(rows) => ids.extend(rows.iter().map(|row| row.id.to_string())),
                FeedEvent::Position { sequence, pending } => {
                    assert_eq!(pending, Some(0));
                    return (ids, Some(sequence));
                }
                FeedEvent::Waiting(reason) => panic!("{reason}"),
            }
        }
    }

    #[tokio::test]
    async fn a_followed_file_is_read_as_it_grows_line_by_whole_line() {
        let (_directory, path) = file(&format!("{ROW}\n"));
        let changes = ChangesFile::open(&path, "db".into()).unwrap();
        let mut feed = changes.open(request("0", FeedMode::Continuous));
        assert_eq!(next_rows(&mut feed).await, (vec!["x".to_owned()], Some("1-a".into())));
        let second = ROW.replace("1-a", "2-b").replace("\"x\"", "\"y\"");
        let (start, end) = second.split_at(20);
        fs_err::write(&path, format!("{ROW}\n{start}")).unwrap();
        tokio::time::sleep(POLL).await;
        fs_err::write(&path, format!("{ROW}\n{start}{end}\n")).unwrap();
        assert_eq!(next_rows(&mut feed).await, (vec!["y".to_owned()], Some("2-b".into())));
    }

    #[tokio::test]
    async fn a_followed_file_that_shrinks_is_an_error() {
        let (_directory, path) = file(&format!("{ROW}\n"));
        let changes = ChangesFile::open(&path, "db".into()).unwrap();
        let mut feed = changes.open(request("0", FeedMode::Continuous));
        next_rows(&mut feed).await;
        fs_err::write(&path, "\n").unwrap();
        let error = feed.next().await.expect("an error").unwrap_err().to_string();
        assert!(error.contains("became shorter while it was followed"), "{error}");
        assert!(feed.next().await.is_none());
    }

    #[tokio::test]
    async fn documents_of_a_file_are_fetched_by_their_ids() {
        let newer = ROW.replace("1-a", "2-b").replace("1-0", "2-0");
        let (_directory, path) = file(&format!("{ROW}\n{newer}\n"));
        let changes = ChangesFile::open(&path, "db".into()).unwrap();
        let mut rows = changes.fetch(&["x".into(), "nowhere".into()]).await.unwrap();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        assert!(rows[0].is_missing() && rows[0].deleted);
        assert_eq!((rows[1].revision.as_str(), rows[1].document()), ("2-0", Some(r#"{"_id":"x"}"#)));
    }

    #[tokio::test]
    async fn a_position_of_another_database_is_refused() {
        let (_directory, path) = file(&format!("{ROW}\n"));
        let changes = ChangesFile::open(&path, "other".into()).unwrap();
        let error = drain(changes.open(request("0", FeedMode::OneShot))).await.unwrap_err().to_string();
        assert!(error.contains("`db`") && error.contains("`other`"), "{error}");
    }
}
