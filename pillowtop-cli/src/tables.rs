//! The SQL database with the tables of pillows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{Definition, PillowName};
use pillowtop_fluff::sql::{
    PhysicalTable, Schema, SqlClaimStore, SqlDatabase, SqlDeadLetters, SqlDestination, SqlError, SqlOptions,
    all_tables,
};
use pillowtop_runtime::claim::{ClaimDocument, ClaimKey, ClaimStore, Phase};
use pillowtop_runtime::dead_letter::{DeadLetter, DeadLetterStore as _};
use pillowtop_runtime::engine::DatabaseSelection;
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::target::elastic::{DeadLetterFilter, DeadLetterPage, NextPage, StoredDeadLetter};

use crate::config::Secret;
use crate::context::Context;
use crate::exit::Failure;
use crate::reachable::{WhenUnreachable, until_reachable};
use crate::target_server::{TableInfo, TargetClaim, TargetServer};

/// The address by default.
const DEFAULT: &str = "sqlite:pillowtop.sqlite";

/// The tables of some pillows.
pub(crate) struct Tables {
    database: SqlDatabase,
    schemas: BTreeMap<PillowName, Schema>,
    /// The name of this process for people.
    label: String,
    /// Their leases end with the command.
    opened: Mutex<Vec<Arc<SqlDestination>>>,
}

impl Tables {
    pub(crate) async fn connect(
        context: &Context,
        definitions: &[&Definition],
        label: String,
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let address = match context.config.sql_url.as_ref().map(Secret::reveal) {
            Some(address) => address,
            None if cfg!(feature = "sqlite") => DEFAULT,
            None => {
                return Err(Failure::usage("no address of the SQL database")
                    .hint("give --sql-url, PILLOWTOP_SQL_URL, or `sql.url` in pillowtop.toml"));
            }
        };
        let open = async || -> Result<_, SqlError> {
            let database = SqlDatabase::connect(address).await?;
            let mut schemas = BTreeMap::new();
            for definition in definitions {
                let schema = Schema::open(database.clone(), (*definition).clone()).await?;
                schemas.insert(definition.pillow.clone(), schema);
            }
            Ok((database, schemas))
        };
        let opened = until_reachable(context, when_unreachable, SqlError::is_retryable, open).await;
        let (database, schemas) = opened?;
        Ok(Self { database, schemas, label, opened: Mutex::default() })
    }

    /// The tables of one pillow.
    pub(crate) fn schema(&self, definition: &Definition) -> Result<&Schema, Failure> {
        let name = &definition.pillow;
        self.schemas
            .get(name)
            .ok_or_else(|| Failure::new(format!("pillow `{name}` has no table in this command")))
    }

    /// The complete tables of a pillow.
    pub(crate) fn destination(
        &self,
        definition: &Definition,
        databases: &DatabaseSelection,
    ) -> Result<Arc<SqlDestination>, Failure> {
        let options = SqlOptions {
            label: self.label.clone(),
            only_complete: true,
            prefixes_ids: databases.prefixes_ids(),
            ..SqlOptions::default()
        };
        let destination = Arc::new(SqlDestination::new(self.schema(definition)?.clone(), options));
        // Nothing panics while it is held.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push(Arc::clone(&destination));
        Ok(destination)
    }

    /// Ends the leases.
    pub(crate) async fn end(&self) {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for destination in opened {
            destination.end().await;
        }
    }

    /// The tables of a pillow; those of the committed definition oldest first.
    pub(crate) async fn list(&self, definition: &Definition) -> Result<Vec<TableInfo>, Failure> {
        Ok(self.schema(definition)?.tables().await?.into_iter().map(info).collect())
    }

    /// The tables of a pillow that nothing needs.
    pub(crate) async fn unused(&self, definition: &Definition) -> Result<Vec<TableInfo>, Failure> {
        Ok(self.schema(definition)?.unused().await?.into_iter().map(info).collect())
    }

    /// The table that the views showed before, if they showed one.
    pub(crate) async fn earlier(&self, definition: &Definition) -> Result<Option<TableInfo>, Failure> {
        match self.schema(definition)?.earlier().await {
            Ok(table) => Ok(Some(info(table))),
            Err(SqlError::NoEarlier(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates another table. If another process does so at the same time, it is that one.
    pub(crate) async fn create(&self, definition: &Definition) -> Result<TableInfo, Failure> {
        let schema = self.schema(definition)?;
        let before = schema.current().await?.len();
        match schema.create().await {
            Ok(table) => Ok(info(table)),
            Err(error) => {
                let mut tables = schema.current().await?;
                let newest = tables.pop().filter(|_| tables.len() >= before);
                Ok(info(newest.ok_or(error)?))
            }
        }
    }

    /// How many documents were computed into a table.
    pub(crate) async fn count(&self, definition: &Definition, table: &TableInfo) -> Result<u64, Failure> {
        Ok(self.schema(definition)?.count(table.target.name.as_str()).await?)
    }

    /// Notes that a table is complete.
    pub(crate) async fn complete(&self, definition: &Definition, table: &TableInfo) -> Result<(), Failure> {
        Ok(self.schema(definition)?.complete(&physical(definition, table)).await?)
    }

    /// Lets the views show a table, which must be complete.
    pub(crate) async fn show(&self, definition: &Definition, table: &TableInfo) -> Result<(), Failure> {
        Ok(self.schema(definition)?.flip(&physical(definition, table)).await?)
    }

    /// Drops a table that the views do not show.
    pub(crate) async fn remove(&self, definition: &Definition, table: &TableInfo) -> Result<(), Failure> {
        Ok(self.schema(definition)?.drop_table(&physical(definition, table)).await?)
    }

    async fn all_claims(&self) -> Result<Vec<TargetClaim>, Failure> {
        let tables = all_tables(&self.database).await?;
        let mut claims = Vec::new();
        for (key, stored) in self.store().list("claim:").await? {
            let Some(key) = ClaimKey::of_claim(&key) else { continue };
            let Some(table) = tables.iter().find(|table| table.uuid == key.target) else { continue };
            let mut claim = serde_json::from_value::<ClaimDocument>(stored.value)
                .map_err(|error| Failure::new(format!("the claim on {key} cannot be read: {error}")))?;
            if !table.is_complete {
                // The claim of a table has no phase for it.
                claim.state.phase = Phase::Loading;
            }
            claims.push((table.target().name, key, claim));
        }
        claims.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
        Ok(claims)
    }

    /// The dead letters of these pillows that match, the oldest first.
    pub(crate) async fn matching(
        &self,
        filter: &DeadLetterFilter,
    ) -> Result<Vec<StoredDeadLetter>, SqlError> {
        let mut found = Vec::new();
        for table in all_tables(&self.database).await? {
            let letters = SqlDeadLetters::new(self.database.clone(), table.uuid.clone()).list().await?;
            let is_meant =
                |letter: &DeadLetter| self.schemas.contains_key(&letter.pillow) && filter.matches(letter);
            let letters = letters.into_iter().filter(is_meant);
            found.extend(letters.map(|letter| StoredDeadLetter {
                letter,
                index_uuid: table.uuid.clone(),
                index_exists: true,
            }));
        }
        found.sort_by(|left, right| left.letter.time.cmp(&right.letter.time));
        Ok(found)
    }
}

fn info(table: PhysicalTable) -> TableInfo {
    let (target, PhysicalTable { hash, is_shown, is_complete, .. }) = (table.target(), table);
    TableInfo { target, hash, is_shown, is_complete }
}

fn physical(definition: &Definition, table: &TableInfo) -> PhysicalTable {
    let TableInfo { target, hash, is_shown, is_complete } = table.clone();
    let TargetRef { name, uuid } = target;
    let view = definition.alias.to_string();
    PhysicalTable { name: name.to_string(), uuid, view, hash, is_shown, is_complete }
}

impl TargetServer for Tables {
    fn store(&self) -> Arc<dyn ClaimStore> {
        Arc::new(SqlClaimStore::new(self.database.clone()))
    }

    fn claims(&self) -> BoxFuture<'_, Result<Vec<TargetClaim>, Failure>> {
        self.all_claims().boxed()
    }

    /// All of them are on the first page: a service pauses long before there are many.
    fn dead_letters<'a>(
        &'a self,
        filter: &'a DeadLetterFilter,
        _: usize,
        _: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<DeadLetterPage, Failure>> {
        async move {
            let dead_letters = self.matching(filter).await?;
            let total = dead_letters.len() as u64;
            Ok(DeadLetterPage { dead_letters, total, next: None })
        }
        .boxed()
    }

    fn purge_dead_letters<'a>(&'a self, filter: &'a DeadLetterFilter) -> BoxFuture<'a, Result<u64, Failure>> {
        async move {
            let found = self.matching(filter).await?;
            let uuids: BTreeSet<&String> = found.iter().map(|stored| &stored.index_uuid).collect();
            for uuid in uuids {
                let of_table = found.iter().filter(|stored| stored.index_uuid == *uuid);
                let decided: Vec<_> =
                    of_table.map(|stored| (stored.letter.id.clone(), stored.letter.version)).collect();
                let store = SqlDeadLetters::new(self.database.clone(), uuid.clone());
                store.resolve(&decided).await.map_err(Failure::new)?;
            }
            Ok(found.len() as u64)
        }
        .boxed()
    }
}
