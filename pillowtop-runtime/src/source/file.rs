//! A file of changes: the lines of `_changes?include_docs=true`, as `curl` writes them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use pillowtop_core::{DatabaseName, Sequence};

use super::{Feed, Sender, SourceError};
use crate::claim::DatabaseIdentity;
use crate::row::{Line, Row};

/// A file of changes.
#[derive(Debug, Clone)]
pub struct ChangesFile {
    path: PathBuf,
    rows: usize,
}

impl ChangesFile {
    /// Opens a file and reads it once: a broken line is an error here, before anything was indexed.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line is no change.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let mut rows = 0;
        for_each_line(path, |_, line| {
            rows += usize::from(matches!(line, Line::Row(_)));
            true
        })?;
        Ok(Self { path: path.to_owned(), rows })
    }

    /// How many changes are in it.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Which file it is, in place of a database.
    pub fn identity(&self, database: DatabaseName) -> DatabaseIdentity {
        DatabaseIdentity { name: database, instance_start_time: "file".to_owned() }
    }

    /// The changes after a position: after the row that carries it, or after that many lines.
    pub fn changes(&self, since: Sequence) -> Feed {
        let path = self.path.clone();
        Feed::spawn(|sender| read(path, since, sender))
    }
}

async fn read(path: PathBuf, since: Sequence, mut sender: Sender) -> Result<(), SourceError> {
    // A line is a document, so what is ahead is kept small.
    let (lines, mut ahead) = tokio::sync::mpsc::channel::<(Sequence, Option<Row>)>(64);
    let reader = tokio::task::spawn_blocking(move || {
        let mut found = since == Sequence::start();
        for_each_line(&path, |number, line| {
            let (position, row) = match line {
                Line::Nothing => return true,
                Line::End { last_sequence, .. } => (last_sequence, None),
                Line::Row(row) => (row.sequence.clone().unwrap_or_else(|| line_position(number)), Some(row)),
            };
            if found {
                return lines.blocking_send((position, row)).is_ok();
            }
            found = position == since;
            true
        })?;
        if found { Ok(()) } else { Err(SourceError::UnknownPosition { path, since }) }
    });
    while let Some((position, row)) = ahead.recv().await {
        match row {
            Some(mut row) => {
                row.sequence = Some(position);
                sender.row(row).await;
            }
            None => sender.position(position, None).await,
        }
    }
    sender.flush().await;
    reader.await.map_err(std::io::Error::other)?
}

fn line_position(number: usize) -> Sequence {
    Sequence::new(format!("line {number}"))
}

/// Calls `take` with each line and its number until it says that it has enough.
fn for_each_line(path: &Path, mut take: impl FnMut(usize, Line) -> bool) -> Result<(), SourceError> {
    let file = BufReader::new(fs_err::File::open(path)?);
    for (position, text) in file.lines().enumerate() {
        let number = position + 1;
        let text = text.map_err(|reason| SourceError::UnreadableLine {
            path: path.to_owned(),
            line: number,
            reason,
        })?;
        let line = Line::parse(&text.into()).map_err(|reason| SourceError::BrokenLine {
            path: path.to_owned(),
            line: number,
            reason,
        })?;
        if !take(number, line) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FeedEvent;

    const ROW: &str = r#"{"seq":"1-a","id":"x","changes":[{"rev":"1-0"}],"doc":{"_id":"x"}},"#;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes.jsonl");
        fs_err::write(&path, text).unwrap();
        (folder, path)
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
        let (_folder, path) = file(&whole);
        let changes = ChangesFile::open(&path).unwrap();
        assert_eq!(changes.rows(), 2);
        let (ids, last) = drain(changes.changes(Sequence::start())).await.unwrap();
        assert_eq!((ids, last), (vec!["x".to_owned(), "y".to_owned()], Some("9-z".into())));
        let (ids, last) = drain(changes.changes("1-a".into())).await.unwrap();
        assert_eq!((ids, last), (vec!["y".to_owned()], Some("9-z".into())));
        assert_eq!(drain(changes.changes("9-z".into())).await.unwrap(), (Vec::new(), None));
        let error = drain(changes.changes("7-q".into())).await.unwrap_err();
        assert!(error.to_string().contains("position `7-q` is not in"), "{error}");
    }

    #[tokio::test]
    async fn rows_without_a_sequence_are_known_by_their_lines() {
        let row = ROW.replace("\"1-a\"", "null");
        let (_folder, path) = file(&format!("{row}\n{row}\n"));
        let changes = ChangesFile::open(&path).unwrap();
        let (_, last) = drain(changes.changes(Sequence::start())).await.unwrap();
        assert_eq!(last, Some("line 2".into()));
        assert_eq!(drain(changes.changes("line 1".into())).await.unwrap().0.len(), 1);
    }

    #[test]
    fn a_broken_line_is_named_before_anything_is_read() {
        let (_folder, path) = file(&format!("{ROW}\n{{\"seq\":\n"));
        let error = ChangesFile::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of ") && error.contains("malformed JSON"), "{error}");
        assert!(ChangesFile::open(Path::new("nowhere.jsonl")).is_err());
        let (_folder, path) = file(&ROW.replace(",\"doc\":{\"_id\":\"x\"}", ""));
        let error = ChangesFile::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("a row without its document, of a document that is not deleted"), "{error}");
        fs_err::write(&path, [ROW.as_bytes(), b"\n\xff\xfe\n"].concat()).unwrap();
        let error = ChangesFile::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of ") && error.contains("UTF-8"), "{error}");
    }
}
