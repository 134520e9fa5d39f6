//! The tables of a definition as the destination of its pillow.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_runtime::claim::{
    self, AcquireError, AcquireOptions, Claim, ClaimKey, ClaimState, DatabaseIdentity, Lease, NoFence, Slice,
};
use pillowtop_runtime::target::{Destination, OpenError, OpenTarget, TargetReader, TargetRef};
use tokio::sync::Mutex;

use super::claims::SqlClaimStore;
use super::database::quoted;
use super::dead_letters::SqlDeadLetters;
use super::error::SqlError;
use super::events::{ChangeHook, tell_left_over};
use super::pending::Pending;
use super::reader::SqlReader;
use super::schema::{PhysicalTable, Schema, documents};
use super::target::SqlTarget;

/// Options of [`SqlDestination`].
#[derive(Debug, Clone)]
pub struct SqlOptions {
    /// What people call this process.
    pub label: String,
    /// How long the lease lasts without being renewed. Default: [`Lease::LENGTH`].
    pub lease: Duration,
    /// What is told of changes.
    pub hook: Option<ChangeHook>,
    /// Whether only complete tables are followed, and none is created. Default: all tables of the
    /// committed definition are followed, and the first one is created.
    pub only_complete: bool,
    /// Whether ids in the table are `<database>/<_id>`, as they are where a pillow reads several
    /// databases; a comparison reads them.
    pub prefixes_ids: bool,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self {
            label: "pillowtop".to_owned(),
            lease: Lease::LENGTH,
            hook: None,
            only_complete: false,
            prefixes_ids: false,
        }
    }
}

/// The tables of the committed definition.
#[derive(Debug)]
pub struct SqlDestination {
    schema: Schema,
    options: SqlOptions,
    leases: Mutex<Vec<Arc<Lease>>>,
}

impl SqlDestination {
    /// The tables of a schema.
    pub fn new(schema: Schema, options: SqlOptions) -> Self {
        Self { schema, options, leases: Mutex::default() }
    }

    /// Ends the leases, after all claims were released. One that cannot be ended runs out.
    pub async fn end(&self) {
        for lease in self.leases.lock().await.drain(..) {
            if let Err(error) = lease.end().await {
                tracing::debug!(%error, "cannot release the lease");
            }
        }
    }

    async fn targets(&self) -> Result<Vec<TargetRef>, OpenError> {
        let mut tables = self.schema.current().await.map_err(failed)?;
        if self.options.only_complete {
            tables.retain(|table| table.is_complete);
            if tables.is_empty() {
                let pillow = &self.schema.definition().pillow;
                return Err(OpenError::NotReady {
                    reason: format!("pillow `{pillow}` has no complete table of the committed definition"),
                    hint: Some("`PROGRAM fast-reindex NAME` builds or resumes it".to_owned()),
                });
            }
        } else if tables.is_empty() {
            let table = self.schema.create().await.map_err(failed)?;
            self.schema.index_keys(&table).await.map_err(failed)?;
            tables.push(table);
        }
        Ok(tables.iter().map(PhysicalTable::target).collect())
    }

    async fn open(
        &self,
        target: &TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> Result<OpenTarget, OpenError> {
        let database = self.schema.database().clone();
        let key = ClaimKey { target: target.uuid.clone(), slice };
        self.check_database(&key, begin.as_ref()).await?;
        let begin = match begin {
            Some(begin) => self.may_begin(target, &key).await.map_err(failed)?.then_some(begin),
            None => None,
        };
        let pending = Arc::new(Pending::new(
            database.clone(),
            target.name.to_string(),
            target.uuid.clone(),
            self.schema.layout().clone(),
            self.options.hook.clone(),
        ));
        if let Some(hook) = &self.options.hook {
            tell_left_over(&database, &target.uuid, hook).await.map_err(failed)?;
        }
        // Each target has a lease of its own: its claim is saved through a store that knows what waits.
        let store = SqlClaimStore::new(database.clone()).with_pending(key.claim(), Arc::clone(&pending));
        let lease = Lease::start(Arc::new(store), self.options.label.clone(), self.options.lease).await;
        let lease = lease.map_err(AcquireError::from)?;
        self.leases.lock().await.push(Arc::clone(&lease));
        let definition = self.schema.definition();
        let initial = begin.map(|database| ClaimState::new(definition, target.name.clone(), database, None));
        let claim = Claim::acquire(&lease, key, &target.name, Arc::new(NoFence), options, initial).await?;
        let dead_letters = SqlDeadLetters::new(database, target.uuid.clone());
        Ok(OpenTarget {
            claim: Arc::new(claim),
            target: Arc::new(SqlTarget(pending)),
            dead_letters: Arc::new(dead_letters),
        })
    }

    /// A table that holds documents of a database, and no claim, has lost it.
    async fn may_begin(&self, target: &TargetRef, key: &ClaimKey) -> Result<bool, SqlError> {
        let table = quoted(&documents(target.name.as_str()));
        let database = self.schema.database();
        let found = match &key.slice {
            Slice::Whole => {
                let sql = format!("SELECT doc_id FROM {table} LIMIT 1");
                database.rows("looking for documents", &sql, &[]).await?
            }
            Slice::Database(name) => {
                let sql = format!("SELECT doc_id FROM {table} WHERE db = $1 LIMIT 1");
                database.rows("looking for documents", &sql, &[name.as_str()]).await?
            }
            // A table is loaded from the changes feed, which has no ranges.
            Slice::Range { .. } => return Ok(false),
        };
        Ok(found.is_empty())
    }

    /// Positions of another database mean nothing.
    async fn check_database(
        &self,
        key: &ClaimKey,
        begin: Option<&DatabaseIdentity>,
    ) -> Result<(), OpenError> {
        let store = SqlClaimStore::new(self.schema.database().clone());
        let document = claim::read(&store, key).await.map_err(AcquireError::from)?;
        let (Some(document), Some(expected)) = (document, begin) else { return Ok(()) };
        let found = &document.state.database;
        if found.matches(expected) {
            return Ok(());
        }
        Err(OpenError::NotReady {
            reason: format!(
                "table `{}` was filled from database `{}` (start time `{}`), not from `{}` (start time `{}`)",
                document.state.target,
                found.name,
                found.instance_start_time,
                expected.name,
                expected.instance_start_time
            ),
            hint: Some("build another table from this database".to_owned()),
        })
    }
}

fn failed(error: SqlError) -> OpenError {
    OpenError::Failed(Box::new(error))
}

impl Destination for SqlDestination {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        Self::targets(self).boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        Self::open(self, target, slice, begin, options).boxed()
    }

    fn reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        Some(Arc::new(SqlReader::new(self.schema.clone(), target.clone(), self.options.prefixes_ids)))
    }
}
