//! The directory of a target: its lock, its uuid and its dead letters.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use pillowtop_core::IndexName;

use super::error::LocalError;
use crate::claim::{AcquireOptions, WhenHeld};
use crate::target::dead_letter_files::DeadLetterFiles;
use crate::unique_id::unique_id;

/// How often a lock that another process holds is tried.
const LOCK_INTERVAL: Duration = Duration::from_millis(500);
/// The length of a uuid in hexadecimal digits.
const UUID_LENGTH: usize = 32;

/// The directory of a target.
#[derive(Debug, Clone)]
pub struct LocalDirectory {
    /// The target's name, which is the directory's.
    pub name: IndexName,
    /// The directory.
    pub path: PathBuf,
}

/// The lock of a directory. It is released when the file is closed.
#[derive(Debug)]
pub struct DirectoryLock(#[expect(dead_code, reason = "held until it is dropped")] File);

impl LocalDirectory {
    /// The directory of a target below the directory of all targets.
    pub fn new(parent: &Path, name: IndexName) -> Self {
        Self { path: parent.join(name.as_str()), name }
    }

    pub(crate) fn claims(&self) -> PathBuf {
        self.path.join("claims")
    }

    /// The directory of its dead letters.
    pub fn dead_letters(&self) -> PathBuf {
        self.path.join("dead-letters")
    }

    /// An error about a file of the directory.
    pub fn io(&self, doing: &'static str, source: io::Error) -> LocalError {
        LocalError::Io { directory: self.path.clone(), doing, source }
    }

    /// Locks the directory, which is created, or waits for it.
    pub(crate) async fn lock(&self, options: &AcquireOptions) -> Result<DirectoryLock, LocalError> {
        let mut is_told = false;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if options.when_held == WhenHeld::Fail {
                return Err(LocalError::InUse { directory: self.path.clone() });
            }
            if !is_told {
                (options.notify.0)(&format!(
                    "standing by: `{}` is open for writing elsewhere",
                    self.path.display()
                ));
                is_told = true;
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }

    fn try_lock(&self) -> Result<Option<DirectoryLock>, LocalError> {
        let opened = fs::create_dir_all(&self.path).and_then(|()| fs::File::create(self.path.join("lock")));
        let (file, _) = opened.map_err(|error| self.io("creating the lock", error))?.into_parts();
        match file.try_lock() {
            Ok(()) => Ok(Some(DirectoryLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.io("locking", error)),
        }
    }

    /// Reads the uuid of a target, which is stored beside its contents, or creates it. A directory
    /// that was deleted and created again has another one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub fn uuid(&self, contents: &Path) -> Result<String, LocalError> {
        read_or_create_uuid(contents).map_err(|error| self.io("reading the uuid", error))
    }

    /// Opens its dead letters.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created or listed.
    pub fn open_dead_letters(&self) -> Result<DeadLetterFiles, LocalError> {
        DeadLetterFiles::open(self.dead_letters()).map_err(|error| self.io("opening the dead letters", error))
    }
}

fn read_or_create_uuid(contents: &Path) -> io::Result<String> {
    fs::create_dir_all(contents)?;
    let path = contents.join("uuid");
    let (mut file, _) =
        fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?.into_parts();
    // Another process may be creating it.
    file.lock()?;
    let mut uuid = String::new();
    file.read_to_string(&mut uuid)?;
    if uuid.len() == UUID_LENGTH {
        return Ok(uuid);
    }
    // A crash left it unfinished, before anything was stored under it.
    let uuid = unique_id();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(uuid.as_bytes())?;
    file.sync_all()?;
    Ok(uuid)
}
