//! Building a table: its feed is followed from the start to the end, and then it is complete.

use std::sync::Arc;

use pillowtop_core::{Definition, IndexName};
use pillowtop_runtime::claim::{AcquireOptions, DatabaseIdentity, LoadForm};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::reindex::{Chosen, ReindexPlan, ReindexStep, Reindexed};
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::CouchDatabase;
use tokio_util::sync::CancellationToken;

use super::build_error::BuildError;
use crate::exit::Failure;
use crate::one_target::OneTarget;
use crate::servers::Servers;
use crate::target_server::TableInfo;

/// A table to be built, or continued.
pub(crate) struct TableBuild<'a> {
    pub(super) servers: &'a Servers,
    pub(super) databases: Vec<CouchDatabase>,
    pub(super) served: Served,
    /// Whether another one is built even if there is one.
    pub(super) restart: bool,
    pub(super) acquire: AcquireOptions,
}

impl TableBuild<'_> {
    fn definition(&self) -> &Definition {
        self.served.pillow.definition()
    }

    /// The newest table of the committed definition, unless another one is to be built.
    async fn newest(&self) -> Result<Option<TableInfo>, Failure> {
        if self.restart {
            return Ok(None);
        }
        let hash = self.definition().hash.to_string();
        let mut tables = self.servers.tables()?.list(self.definition()).await?;
        tables.retain(|table| table.hash == hash);
        Ok(tables.pop())
    }

    pub(super) async fn plan(&self) -> Result<ReindexPlan, Failure> {
        Ok(match self.newest().await? {
            Some(table) if table.is_complete => ReindexPlan::Complete(table.target.name),
            Some(table) => ReindexPlan::Continue(table.target.name),
            None => ReindexPlan::Create { databases: self.chosen().await?, space: None },
        })
    }

    pub(super) async fn count(&self, name: &IndexName) -> Result<u64, Failure> {
        let tables = self.servers.tables()?;
        match tables.list(self.definition()).await?.iter().find(|table| table.target.name == *name) {
            Some(table) => tables.count(self.definition(), table).await,
            None => Ok(0),
        }
    }

    /// What is read.
    async fn chosen(&self) -> Result<Vec<(DatabaseIdentity, Chosen)>, Failure> {
        let mut all = Vec::new();
        for database in &self.databases {
            let info = database.info().await?;
            let chosen = Chosen {
                form: LoadForm::Feed,
                view: None,
                documents: info.documents,
                index: None,
                ranges: 1,
                reason: "a table is loaded through the changes feed".to_owned(),
            };
            all.push((info.identity, chosen));
        }
        Ok(all)
    }

    pub(super) async fn run(
        self,
        stop: &CancellationToken,
        notify: impl Fn(ReindexStep) + Send + Sync,
    ) -> Result<Reindexed, BuildError> {
        let (tables, definition) = (self.servers.tables()?, self.definition());
        let table = match self.newest().await? {
            Some(table) if table.is_complete => {
                let documents = tables.count(definition, &table).await?;
                let index = table.target.name;
                return Ok(Reindexed { index, documents, stopped: false, already_complete: true });
            }
            Some(table) => {
                notify(ReindexStep::Continuing(table.target.name.clone()));
                table
            }
            None => {
                let table = tables.create(definition).await?;
                notify(ReindexStep::Created(table.target.name.clone(), Vec::new()));
                table
            }
        };
        for (identity, chosen) in self.chosen().await? {
            notify(ReindexStep::Loading(identity, chosen));
        }
        self.load(&table, stop).await?;
        let stopped = stop.is_cancelled();
        if !stopped {
            tables.complete(definition, &table).await?;
            notify(ReindexStep::Done);
        }
        let documents = tables.count(definition, &table).await?;
        Ok(Reindexed { index: table.target.name, documents, stopped, already_complete: false })
    }

    async fn load(&self, table: &TableInfo, stop: &CancellationToken) -> Result<(), BuildError> {
        let all = Arc::clone(&self.served.destination);
        let destination = Arc::new(OneTarget { all, target: table.target.clone() });
        let options = ServiceOptions {
            mode: ReadMode::ToEnd,
            acquire: self.acquire.clone(),
            when_failing: WhenFailing::Stop,
        };
        let mut served = Served { destination, ..self.served.clone() };
        served.options.is_load = true;
        Ok(serve(&self.servers.engine, vec![served], &options, stop).await?)
    }
}
