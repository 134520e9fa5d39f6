//! What the targets in directories of this machine share: the directory with its lock and uuid, the lease, and taking the claim.
//!
//! ```text
//! <directory>/<target>/lock           held while the target is open
//! <directory>/<target>/claims/        who writes, and how far it is
//! <directory>/<target>/dead-letters/  one JSON file for each document that could not be written
//! ```

use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use fs_err as fs;
use pillowtop_core::{Definition, IndexName};
use serde_json::json;
use tokio::sync::Mutex;

use super::dead_letter_files::DeadLetterFiles;
use super::destination::{OpenError, TargetRef};
use crate::claim::{
    AcquireError, AcquireOptions, Claim, ClaimDocument, ClaimKey, ClaimState, ClaimStore as _,
    DatabaseIdentity, FileClaimStore, Lease, NoFence, ProcessIdentity, Slice, StoreError, WhenHeld,
};

/// How often a lock that another process holds is tried.
const LOCK_INTERVAL: Duration = Duration::from_millis(500);
/// The length of a uuid in hexadecimal digits.
const UUID_LENGTH: usize = 32;

/// Options of targets in a directory.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// What people call this process, such as host and command. Default: the name of the program.
    pub label: String,
    /// How long the lease lasts without being renewed. Default: [`Lease::LENGTH`].
    pub lease: Duration,
}

impl Default for LocalOptions {
    fn default() -> Self {
        let program = std::env::args_os().next().map(PathBuf::from);
        let label =
            program.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        Self { label: label.unwrap_or_else(|| "pillowtop".to_owned()), lease: Lease::LENGTH }
    }
}

/// Why the directory of a target cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// Another process, or another destination of this one, has it open.
    #[error("directory `{}` is open for writing elsewhere: only one process can follow into it", directory.display())]
    InUse {
        /// The target's directory.
        directory: PathBuf,
    },
    /// It was filled from another database, or that database was deleted and created again: its positions mean nothing.
    #[error(
        "directory `{}` was filled from database {stored}, not from {expected}; delete the directory to start anew",
        directory.display()
    )]
    OtherDatabase {
        /// The target's directory.
        directory: PathBuf,
        /// The database of the stored position.
        stored: String,
        /// The database now.
        expected: String,
    },
    /// The directory was deleted, and possibly created again, since the target was listed.
    #[error("directory `{}` was deleted since it was listed", directory.display())]
    Replaced {
        /// The target's directory.
        directory: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{doing} in directory `{}` failed: {source}", directory.display())]
    Io {
        /// The target's directory.
        directory: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl From<LocalError> for OpenError {
    fn from(error: LocalError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// The directory of a target.
#[derive(Debug, Clone)]
pub(crate) struct LocalDirectory {
    /// The target's name, which is the directory's.
    pub name: IndexName,
    /// The directory.
    pub path: PathBuf,
}

/// The lock of a directory. It is released when the file is closed.
#[derive(Debug)]
pub(crate) struct DirectoryLock(#[expect(dead_code, reason = "held until it is dropped")] File);

impl LocalDirectory {
    /// The directory of a target below the directory of all targets.
    pub(crate) fn new(parent: &Path, name: IndexName) -> Self {
        Self { path: parent.join(name.as_str()), name }
    }

    pub(crate) fn claims(&self) -> PathBuf {
        self.path.join("claims")
    }

    pub(crate) fn dead_letters(&self) -> PathBuf {
        self.path.join("dead-letters")
    }

    pub(crate) fn io(&self, doing: &'static str, source: io::Error) -> LocalError {
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

    /// Reads the uuid of a target, which is stored beside its contents, or creates it. A directory that was deleted and created
    /// again has another one.
    pub(crate) fn uuid(&self, contents: &Path) -> Result<String, LocalError> {
        read_or_create_uuid(contents).map_err(|error| self.io("reading the uuid", error))
    }

    pub(crate) fn open_dead_letters(&self) -> Result<DeadLetterFiles, LocalError> {
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
    let uuid = format!("{:032x}", fastrand::u128(..));
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(uuid.as_bytes())?;
    file.sync_all()?;
    Ok(uuid)
}

/// What is open once, however many slices of it have claims of their own.
#[derive(Debug)]
pub(crate) struct OpenOnce<T>(Mutex<Weak<T>>);

impl<T> Default for OpenOnce<T> {
    fn default() -> Self {
        Self(Mutex::new(Weak::new()))
    }
}

impl<T> OpenOnce<T> {
    /// What is open already, if it is usable, or what `open` opens.
    pub(crate) async fn get_or_open(
        &self,
        is_usable: impl Fn(&T) -> bool,
        open: impl Future<Output = Result<T, OpenError>>,
    ) -> Result<Arc<T>, OpenError> {
        let mut shared = self.0.lock().await;
        if let Some(opened) = shared.upgrade().filter(|opened| is_usable(opened)) {
            return Ok(opened);
        }
        let opened = Arc::new(open.await?);
        *shared = Arc::downgrade(&opened);
        Ok(opened)
    }
}

/// The claims on a target and on its slices, in a directory beside it.
#[derive(Debug)]
pub(crate) struct LocalClaims {
    directory: LocalDirectory,
    definition: Definition,
    options: LocalOptions,
    lease: Mutex<Option<Arc<Lease>>>,
}

impl LocalClaims {
    pub(crate) fn new(directory: LocalDirectory, definition: Definition, options: LocalOptions) -> Self {
        Self { directory, definition, options, lease: Mutex::new(None) }
    }

    fn store(&self) -> Result<FileClaimStore, LocalError> {
        FileClaimStore::open(self.directory.claims())
            .map_err(|error| self.directory.io("opening the claims", error))
    }

    /// Whether any slice of a target has a claim.
    pub(crate) async fn has_claim(&self, uuid: &str) -> Result<bool, OpenError> {
        let prefix = ClaimKey::whole(uuid).claim();
        Ok(!self.store()?.list(&prefix).await.map_err(failed)?.is_empty())
    }

    /// Takes a claim. The directory must be locked.
    pub(crate) async fn acquire(
        &self,
        target: &TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> Result<Claim, OpenError> {
        let key = ClaimKey { target: target.uuid.clone(), slice };
        self.prepare(&key, begin.as_ref()).await?;
        let lease = self.lease().await?;
        let initial =
            begin.map(|database| ClaimState::new(&self.definition, target.name.clone(), database, None));
        Ok(Claim::acquire(&lease, key, &target.name, Arc::new(NoFence), options, initial).await?)
    }

    /// Compares the database of a stored claim, and releases the claim if its owner is gone: whoever wrote on this machine held
    /// the directory's lock, which is ours now. An owner on another machine is given its lease, since locks of some network file
    /// systems do not reach across machines.
    async fn prepare(&self, key: &ClaimKey, begin: Option<&DatabaseIdentity>) -> Result<(), OpenError> {
        let store = self.store()?;
        let Some(stored) = store.read(&key.claim()).await.map_err(failed)? else { return Ok(()) };
        let document: ClaimDocument =
            serde_json::from_value(stored.value).map_err(|error| OpenError::Failed(Box::new(error)))?;
        let found = &document.state.database;
        if let Some(expected) = begin.filter(|expected| !found.matches(expected)) {
            let directory = self.directory.path.clone();
            let (stored, expected) = (describe(found), describe(expected));
            return Err(LocalError::OtherDatabase { directory, stored, expected }.into());
        }
        let own = ProcessIdentity::own();
        let is_of_this_machine = document
            .owner
            .as_ref()
            .is_some_and(|owner| owner.process.boot_id.is_some() && owner.process.boot_id == own.boot_id);
        let holds_our_lease = match (&*self.lease.lock().await, &document.owner) {
            (Some(lease), Some(owner)) => lease.owner().id == owner.id,
            _ => false,
        };
        if is_of_this_machine && !holds_our_lease {
            let released = ClaimDocument { owner: None, ..document };
            store.write(&key.claim(), &json!(released), Some(stored.token)).await.map_err(failed)?;
        }
        Ok(())
    }

    /// The lease of this process, or a new one where it was lost.
    async fn lease(&self) -> Result<Arc<Lease>, OpenError> {
        let mut lease = self.lease.lock().await;
        if let Some(lease) = lease.as_ref().filter(|lease| !lease.is_lost()) {
            return Ok(Arc::clone(lease));
        }
        let store = Arc::new(self.store()?);
        let started =
            Lease::start(store, self.options.label.clone(), self.options.lease).await.map_err(failed)?;
        *lease = Some(Arc::clone(&started));
        Ok(started)
    }
}

fn failed(error: StoreError) -> OpenError {
    AcquireError::from(error).into()
}

fn describe(database: &DatabaseIdentity) -> String {
    format!("`{}` (start time `{}`)", database.name, database.instance_start_time)
}
