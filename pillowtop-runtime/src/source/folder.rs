//! A folder of JSON documents, one a file. It has no order and no past, so a change of any file means all are read again, and a
//! file that was removed leaves no change: its document stays in the index until one with `"_deleted": true` takes its place.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{DatabaseName, Sequence};

use super::{Feed, Sender, SourceError};
use crate::claim::DatabaseIdentity;
use crate::row::Row;

/// A folder of JSON documents.
#[derive(Debug, Clone)]
pub struct DocumentFolder {
    files: Vec<PathBuf>,
    position: Sequence,
}

impl DocumentFolder {
    /// Opens a folder and reads it once: a broken document is an error here, before anything was indexed.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be read, or a file is no JSON object.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(path)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "json") {
                files.push(file);
            }
        }
        files.sort();
        let mut state = Vec::new();
        for file in &files {
            document(file)?;
            let metadata = fs_err::metadata(file)?;
            let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            state.push(format!("{} {} {}", file.display(), metadata.len(), modified.as_nanos()));
        }
        Ok(Self { files, position: Sequence::new(format!("folder {:032x}", hash_text(&state.join("\n")))) })
    }

    /// How many documents are in it.
    pub fn rows(&self) -> usize {
        self.files.len()
    }

    /// Which folder it is, in place of a database.
    pub fn identity(&self, database: DatabaseName) -> DatabaseIdentity {
        DatabaseIdentity { name: database, instance_start_time: "folder".to_owned() }
    }

    /// Nothing if the folder is as it was at that position, else all documents.
    pub fn changes(&self, since: &Sequence) -> Feed {
        let files = if *since == self.position { Vec::new() } else { self.files.clone() };
        let position = self.position.clone();
        Feed::spawn(|sender| read(files, position, sender))
    }
}

async fn read(files: Vec<PathBuf>, position: Sequence, mut sender: Sender) -> Result<(), SourceError> {
    for file in files {
        let row =
            tokio::task::spawn_blocking(move || document(&file)).await.map_err(std::io::Error::other)??;
        sender.row(row).await;
    }
    sender.position(position, None).await;
    Ok(())
}

/// A document, with its file's name for an id and a hash of its text for a revision where it has none.
fn document(file: &Path) -> Result<Row, SourceError> {
    let text = fs_err::read_to_string(file)?.trim().to_owned();
    let id = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let revision = format!("0-{:032x}", hash_text(&text));
    Row::of_document(text, &id, &revision)
        .map_err(|reason| SourceError::BrokenDocument { path: file.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FeedEvent;

    async fn ids(folder: &DocumentFolder, since: &Sequence) -> (Vec<String>, Option<Sequence>) {
        let (mut ids, mut last) = (Vec::new(), None);
        let mut feed = folder.changes(since);
        while let Some(event) = feed.next().await {
            match event.unwrap() {
                FeedEvent::Rows(rows) => ids.extend(rows.iter().map(|row| row.id.to_string())),
                FeedEvent::Position { sequence: position, .. } => last = Some(position),
                FeedEvent::Waiting(reason) => panic!("{reason}"),
            }
        }
        (ids, last)
    }

    #[tokio::test]
    async fn all_documents_come_again_when_one_file_changes() {
        let path = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(path.path().join(name), text).unwrap();
        write("b.json", "{\"_id\": \"named\", \"_rev\": \"1-0\"}");
        write("a.json", "{}\n");
        write("notes.txt", "no document");
        let folder = DocumentFolder::open(path.path()).unwrap();
        let (found, position) = ids(&folder, &Sequence::start()).await;
        assert_eq!(found, ["a", "named"]);
        let position = position.unwrap();
        assert_eq!(ids(&folder, &position).await.0, Vec::<String>::new());
        write("a.json", "{\"changed\": true}\n");
        let changed = DocumentFolder::open(path.path()).unwrap();
        assert_eq!(ids(&changed, &position).await.0.len(), 2);
    }

    #[test]
    fn a_broken_document_is_named_before_anything_is_read() {
        let path = tempfile::tempdir().unwrap();
        fs_err::write(path.path().join("bad.json"), "[1]").unwrap();
        let error = DocumentFolder::open(path.path()).unwrap_err().to_string();
        assert!(error.contains("bad.json is no JSON object"), "{error}");
    }
}
