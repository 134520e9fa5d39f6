//! The claims on a target in a directory, and the lease that they are held under.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::Definition;
use serde_json::json;
use tokio::sync::Mutex;

use super::directory::LocalDirectory;
use super::error::LocalError;
use crate::claim::{
    AcquireError, AcquireOptions, Claim, ClaimDocument, ClaimKey, ClaimState, ClaimStore as _,
    DatabaseIdentity, FileClaimStore, Lease, NoFence, ProcessIdentity, Slice, StoreError,
};
use crate::target::destination::{OpenError, TargetRef};

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

    pub(super) fn store(&self) -> Result<FileClaimStore, LocalError> {
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

    /// Compares the database of a stored claim, and releases the claim if its owner is gone:
    /// whoever wrote on this machine held the directory's lock, which is ours now. An owner on
    /// another machine is given its lease, since locks of some network file systems do not
    /// reach across machines.
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
        if let Some(lease) = lease.as_ref().filter(|lease| !lease.is_ended()) {
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
