//! A directory of JSON documents, one per file. It has no order and no history, so a change of any
//! file means that all are read again. A removed file is not a change: its document stays in the
//! index until one with `"_deleted": true` replaces it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{DatabaseName, DocumentId, Sequence};

use super::file::blocking;
use super::{Feed, FeedEvent, FeedMode, FeedRequest, Sender, Source, SourceError};
use crate::claim::DatabaseIdentity;
use crate::row::Row;

/// How often a directory that is followed is listed.
const POLL: Duration = Duration::from_secs(1);

/// A directory of JSON documents.
#[derive(Debug, Clone)]
pub struct DocumentDirectory {
    path: PathBuf,
    identity: DatabaseIdentity,
    documents: u64,
}

/// The files of a directory at one time.
struct Listing {
    files: Vec<PathBuf>,
    position: Sequence,
}

impl DocumentDirectory {
    /// Opens a directory of documents of a database and reads it once: a broken document is an
    /// error here, before anything is indexed.
    ///
    /// # Errors
    ///
    /// When the directory or a file cannot be read, or a file is not a JSON object.
    pub fn open(path: &Path, database: DatabaseName) -> Result<Self, SourceError> {
        let listing = Listing::of(path)?;
        for file in &listing.files {
            document(file)?;
        }
        let identity = DatabaseIdentity { name: database, instance_start_time: "directory".to_owned() };
        Ok(Self { path: path.to_owned(), identity, documents: listing.files.len() as u64 })
    }

    /// How many documents were in it when it was opened.
    pub fn rows(&self) -> u64 {
        self.documents
    }
}

impl Listing {
    fn of(path: &Path) -> Result<Self, SourceError> {
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
            let metadata = fs_err::metadata(file)?;
            let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            state.push(format!("{} {} {}", file.display(), metadata.len(), modified.as_nanos()));
        }
        let hash = hash_text(&state.join("\n"));
        Ok(Self { files, position: Sequence::new(format!("directory {hash:032x}")) })
    }
}

impl Source for DocumentDirectory {
    fn describe(&self) -> String {
        format!("directory {}", self.path.display())
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        Box::pin(async { Ok(self.identity.clone()) })
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let (path, identity) = (self.path.clone(), self.identity.clone());
        Feed::spawn(async move |sender| {
            request.check_identity(&identity)?;
            match request.mode {
                FeedMode::OneShot => read(&path, &request.since, sender).await,
                FeedMode::Continuous => follow(&path, request.since, sender).await,
            }
        })
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        let path = self.path.clone();
        Box::pin(async move {
            let mut found: HashMap<DocumentId, Row> =
                ids.iter().map(|id| (id.clone(), Row::missing(id.clone()))).collect();
            blocking(move || {
                for file in Listing::of(&path)?.files {
                    let row = document(&file)?;
                    if let Some(slot) = found.get_mut(&row.id) {
                        *slot = row;
                    }
                }
                Ok(found.into_values().collect())
            })
            .await
        })
    }

    fn total(&self) -> Option<u64> {
        Some(self.documents)
    }
}

/// Reads all documents, or none if the directory is as it was at that position.
async fn read(path: &Path, since: &Sequence, mut sender: Sender) -> Result<(), SourceError> {
    let position = read_changed(path, since, &mut sender).await?;
    sender.position(position, Some(0)).await;
    Ok(())
}

/// Reads all documents again after each change. A file that is broken or gone may be in the middle
/// of being written.
async fn follow(path: &Path, mut since: Sequence, mut sender: Sender) -> Result<(), SourceError> {
    let mut last_reason = None;
    let mut is_told = false;
    loop {
        match read_changed(path, &since, &mut sender).await {
            Ok(position) => {
                if position != since || !is_told || last_reason.is_some() {
                    since = position.clone();
                    (is_told, last_reason) = (true, None);
                    sender.position(position, Some(0)).await;
                }
            }
            Err(error) => {
                let reason = Some(error.to_string());
                if reason != last_reason {
                    last_reason = reason;
                    sender.flush().await;
                    sender.tell(FeedEvent::Waiting(error.to_string())).await;
                }
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Hands over all documents unless the directory is unchanged. Returns its position.
async fn read_changed(path: &Path, since: &Sequence, sender: &mut Sender) -> Result<Sequence, SourceError> {
    let path = path.to_owned();
    let listing = blocking(move || Listing::of(&path)).await?;
    if listing.position != *since {
        for file in listing.files {
            sender.row(blocking(move || document(&file)).await?).await;
        }
    }
    Ok(listing.position)
}

/// A document, with its file's name for an id and a hash of its text for a revision where it has
/// none.
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

    fn open(path: &Path) -> DocumentDirectory {
        DocumentDirectory::open(path, "db".into()).unwrap()
    }

    fn request(since: &Sequence, mode: FeedMode) -> FeedRequest {
        let identity = DatabaseIdentity { name: "db".into(), instance_start_time: "directory".to_owned() };
        FeedRequest { since: since.clone(), identity, mode, selector: None }
    }

    async fn ids(directory: &DocumentDirectory, since: &Sequence) -> (Vec<String>, Option<Sequence>) {
        let (mut ids, mut last) = (Vec::new(), None);
        let mut feed = directory.open(request(since, FeedMode::OneShot));
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
        write("notes.txt", "not a document");
        let directory = open(path.path());
        let (found, position) = ids(&directory, &Sequence::start()).await;
        assert_eq!(found, ["a", "named"]);
        let position = position.unwrap();
        assert_eq!(ids(&directory, &position).await.0, Vec::<String>::new());
        write("a.json", "{\"changed\": true}\n");
        let changed = open(path.path());
        assert_eq!(ids(&changed, &position).await.0.len(), 2);
    }

    #[test]
    fn a_broken_document_is_named_before_anything_is_read() {
        let path = tempfile::tempdir().unwrap();
        fs_err::write(path.path().join("bad.json"), "[1]").unwrap();
        let error = DocumentDirectory::open(path.path(), "db".into()).unwrap_err().to_string();
        assert!(error.contains("bad.json is not a JSON object"), "{error}");
    }

    #[tokio::test]
    async fn a_followed_directory_is_read_again_after_a_change_and_waits_for_a_file_to_be_whole() {
        let path = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(path.path().join(name), text).unwrap();
        write("a.json", "{}");
        let mut feed = open(path.path()).open(request(&Sequence::start(), FeedMode::Continuous));
        let mut next = async || loop {
            match feed.next().await.expect("an event").unwrap() {
                FeedEvent::Rows(rows) => break format!("{} rows", rows.len()),
                FeedEvent::Waiting(reason) => break reason,
                FeedEvent::Position { .. } => {}
            }
        };
        assert_eq!(next().await, "1 rows");
        write("b.json", "{\"n\":");
        // What was read before the broken file is handed over as well.
        assert_eq!(next().await, "1 rows");
        assert!(next().await.contains("b.json is not a JSON object"));
        write("b.json", "{\"n\":1}");
        assert_eq!(next().await, "2 rows");
    }

    #[tokio::test]
    async fn documents_of_a_directory_are_fetched_by_their_ids() {
        let path = tempfile::tempdir().unwrap();
        fs_err::write(path.path().join("a.json"), "{\"_id\":\"named\"}").unwrap();
        let mut rows = open(path.path()).fetch(&["named".into(), "a".into()]).await.unwrap();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        assert!(rows[0].is_missing() && !rows[1].deleted);
    }
}
