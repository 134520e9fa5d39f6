//! Claims as files in a directory of this machine.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::{ClaimStore, StoreError, Stored, Token};
use crate::files::{file_name, sync_directory, write_whole};

/// A directory with one file for each document, and a lock under which they are changed.
#[derive(Debug, Clone)]
pub struct FileClaimStore {
    directory: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    key: String,
    number: u64,
    value: Value,
}

impl FileClaimStore {
    /// A store in a directory, which is created.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created.
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(file_name(key))
    }

    async fn locked<T: Send + 'static>(
        &self,
        doing: String,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Released when the file is closed.
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(store.directory.join("lock"))?;
            lock.lock()?;
            work(&store)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Conflict(key))) => Err(StoreError::Conflict { key }),
            Ok(Err(Failure::Io(error))) => Err(unavailable(doing, &error)),
            Ok(Err(Failure::Broken(reason))) => Err(StoreError::Refused { doing, reason }),
            Err(error) => Err(unavailable(doing, &error)),
        }
    }
}

fn unavailable(doing: String, reason: &dyn Display) -> StoreError {
    StoreError::Unavailable { doing, reason: reason.to_string() }
}

enum Failure {
    Conflict(String),
    Io(io::Error),
    Broken(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn read_file(path: &Path) -> Result<Option<Contents>, Failure> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Failure::Broken(format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn token(contents: &Contents) -> Token {
    Token { term: 0, number: contents.number }
}

impl ClaimStore for FileClaimStore {
    fn describe(&self) -> String {
        format!("directory {}", self.directory.display())
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let path = self.path(key);
        async move {
            let read = self.locked(format!("reading {key}"), move |_| read_file(&path)).await?;
            Ok(read.map(|contents| Stored { token: token(&contents), value: contents.value }))
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>> {
        let (owned, value, path) = (key.to_owned(), value.clone(), self.path(key));
        async move {
            self.locked(format!("writing {key}"), move |store| {
                let found = read_file(&path)?;
                if found.as_ref().map(token) != seen {
                    return Err(Failure::Conflict(owned));
                }
                // A document that was removed and is created again must not have a token that was seen
                // before.
                let number = found.map_or_else(|| fastrand::u64(..u64::MAX / 2), |found| found.number + 1);
                let contents = Contents { key: owned, number, value };
                write_whole(&path, &serde_json::to_vec_pretty(&contents).map_err(io::Error::from)?)?;
                sync_directory(&store.directory)?;
                Ok(token(&contents))
            })
            .await
        }
        .boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>> {
        let (owned, path) = (key.to_owned(), self.path(key));
        async move {
            self.locked(format!("removing {key}"), move |_| match read_file(&path)? {
                None => Ok(()),
                Some(found) if token(&found) == seen => Ok(fs::remove_file(&path)?),
                Some(_) => Err(Failure::Conflict(owned)),
            })
            .await
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>> {
        let owned = prefix.to_owned();
        async move {
            self.locked(format!("listing {prefix}"), move |store| {
                let mut found = Vec::new();
                for entry in fs::read_dir(&store.directory)? {
                    let path = entry?.path();
                    if path.extension().is_none_or(|extension| extension != "json") {
                        continue;
                    }
                    if let Some(contents) =
                        read_file(&path)?.filter(|contents| contents.key.starts_with(&owned))
                    {
                        let stored = Stored { token: token(&contents), value: contents.value };
                        found.push((contents.key, stored));
                    }
                }
                found.sort_by(|one, other| one.0.cmp(&other.0));
                Ok(found)
            })
            .await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::claim::store_contract;

    #[tokio::test]
    async fn a_directory_keeps_the_contract_of_claim_stores() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileClaimStore::open(directory.path()).unwrap();
        store_contract::holds(Arc::new(store)).await;
    }
}
