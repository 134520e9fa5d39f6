//! Dead letters as JSON files in a directory of this machine: one file for each document, written
//! whole or not at all.
//!
//! The names of the files are kept in memory, so that resolving costs nothing while there are no
//! dead letters.

use std::collections::HashSet;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore};
use crate::files::{file_name, sync_directory, write_whole};
use crate::operation::Version;

/// A directory with the dead letters of one target. One process writes to it; another one may
/// remove files.
#[derive(Debug, Clone)]
pub struct DeadLetterFiles {
    directory: PathBuf,
    names: Arc<Mutex<HashSet<String>>>,
}

impl DeadLetterFiles {
    /// Opens a directory, which is created. Blocks.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created or listed.
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        let names = Arc::new(Mutex::new(names(&directory)?));
        Ok(Self { directory, names })
    }

    /// Reads all dead letters of a directory, ordered by the time of failure. A missing directory
    /// has none. Blocks.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or is not a dead letter.
    pub fn list(directory: &Path) -> io::Result<Vec<DeadLetter>> {
        let mut found = Vec::new();
        for name in names(directory)? {
            found.extend(read(&directory.join(name))?);
        }
        found.sort_by(|one, other| (&one.time, &one.id).cmp(&(&other.time, &other.id)));
        Ok(found)
    }

    /// Runs `work` on a blocking thread. Calls are done in order, even those that nobody waits for
    /// any more.
    async fn blocking<T: Send + 'static>(
        &self,
        mut names: OwnedMutexGuard<HashSet<String>>,
        work: impl FnOnce(&Path, &mut HashSet<String>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, DeadLetterError> {
        let directory = self.directory.clone();
        let unavailable = |reason: &dyn Display| Err(DeadLetterError::Unavailable(reason.to_string()));
        match tokio::task::spawn_blocking(move || work(&directory, &mut names)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => unavailable(&error),
            Err(error) => unavailable(&error),
        }
    }

    async fn names(&self) -> OwnedMutexGuard<HashSet<String>> {
        Arc::clone(&self.names).lock_owned().await
    }
}

impl DeadLetterStore for DeadLetterFiles {
    fn record<'a>(&'a self, dead_letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            let dead_letters = dead_letters.to_vec();
            self.blocking(self.names().await, move |directory, names| {
                dead_letters.iter().try_for_each(|letter| record_one(directory, names, letter))?;
                sync_directory(directory)
            })
            .await
        }
        .boxed()
    }

    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            let names = self.names().await;
            if names.is_empty() {
                return Ok(());
            }
            let named = decided.iter().map(|(id, version)| (file_name(id.as_str()), *version));
            let open: Vec<(String, Version)> = named.filter(|(name, _)| names.contains(name)).collect();
            if open.is_empty() {
                return Ok(());
            }
            self.blocking(names, move |directory, names| {
                open.iter().try_for_each(|(name, version)| resolve_one(directory, names, name, *version))?;
                sync_directory(directory)
            })
            .await
        }
        .boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>> {
        async move {
            self.blocking(self.names().await, |directory, _| {
                Ok(Self::list(directory)?.into_iter().map(|letter| letter.id).collect())
            })
            .await
        }
        .boxed()
    }
}

fn record_one(directory: &Path, names: &mut HashSet<String>, letter: &DeadLetter) -> io::Result<()> {
    let name = file_name(letter.id.as_str());
    let path = directory.join(&name);
    let is_older = |stored: DeadLetter| letter.version < stored.version;
    if names.contains(&name) && read(&path)?.is_some_and(is_older) {
        return Ok(());
    }
    write_whole(&path, &serde_json::to_vec_pretty(letter)?)?;
    names.insert(name);
    Ok(())
}

fn resolve_one(
    directory: &Path,
    names: &mut HashSet<String>,
    name: &str,
    decided: Version,
) -> io::Result<()> {
    let path = directory.join(name);
    if read(&path)?.is_some_and(|stored| stored.version > decided) {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => names.remove(name),
    };
    Ok(())
}

/// Reads one dead letter; `None` if its file was removed meanwhile.
fn read(path: &Path) -> io::Result<Option<DeadLetter>> {
    match fs::read(path) {
        Ok(contents) => serde_json::from_slice(&contents).map(Some).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("`{}` is not a dead letter: {error}", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files with dead letters, without those that a crash left unfinished.
fn names(directory: &Path) -> io::Result<HashSet<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        entries => entries?,
    };
    let mut names = HashSet::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "json") {
            names.insert(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::Stage;

    fn letter(id: &str, version: u64, time: &str) -> DeadLetter {
        DeadLetter {
            pillow: "case".into(),
            index: "cases_0_1".into(),
            database: "commcare".into(),
            id: id.into(),
            revision: "1-a".into(),
            version: Version(version),
            stage: Stage::Index,
            error_type: "mapper_parsing_exception".to_owned(),
            path: None,
            reason: "not a date".to_owned(),
            time: time.to_owned(),
            document: None,
        }
    }

    fn opened(directory: &Path) -> DeadLetterFiles {
        DeadLetterFiles::open(directory).unwrap()
    }

    #[tokio::test]
    async fn one_dead_letter_a_document_is_kept_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let store = opened(directory.path());
        let strange = "../a/ü?".repeat(100);
        store.record(&[letter("a", 5, "3"), letter(&strange, 6, "2")]).await.unwrap();
        store.record(&[letter("a", 4, "4"), letter(&strange, 7, "1")]).await.unwrap();
        let listed = DeadLetterFiles::list(directory.path()).unwrap();
        assert_eq!(listed, [letter(&strange, 7, "1"), letter("a", 5, "3")]);
        assert_eq!(opened(directory.path()).open().await.unwrap(), [strange.as_str().into(), "a".into()]);
    }

    #[tokio::test]
    async fn a_newer_dead_letter_is_not_resolved() {
        let directory = tempfile::tempdir().unwrap();
        opened(directory.path()).record(&[letter("a", 5, "1"), letter("b", 5, "2")]).await.unwrap();
        let store = opened(directory.path());
        store.resolve(&[("a".into(), Version(4)), ("b".into(), Version(5))]).await.unwrap();
        store.resolve(&[("missing".into(), Version(9))]).await.unwrap();
        assert_eq!(store.open().await.unwrap(), ["a".into()]);
        // One that another process removed.
        fs::remove_file(directory.path().join(file_name("a"))).unwrap();
        store.resolve(&[("a".into(), Version(9))]).await.unwrap();
        assert_eq!(store.open().await.unwrap(), Vec::<DocumentId>::new());
    }

    #[tokio::test]
    async fn a_file_that_is_not_a_dead_letter_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("x.json"), "{").unwrap();
        let error = opened(directory.path()).open().await.unwrap_err();
        assert!(error.to_string().contains("x.json` is not a dead letter"), "{error}");
    }
}
