//! `fluff`: tables of rows that are computed from documents.

#[cfg(feature = "quickstart")]
mod chart;

mod follow;
mod manage;

mod query;

#[cfg(feature = "quickstart")]
mod report;

use std::sync::Arc;

use pillowtop_core::{AnyPillow, Registry};
use pillowtop_fluff::sql::{Schema, SqlDatabase};

use crate::arguments::{Fluff, FluffAction};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use follow::Followed;

#[cfg(feature = "quickstart")]
pub(crate) use report::report;

pub(crate) async fn run(context: &Context, tables: &Registry, arguments: &Fluff) -> Result<Outcome, Failure> {
    let url = &arguments.sql_url;
    match &arguments.action {
        FluffAction::Build { name, restart, dry_run, from } => {
            let schema = open(tables, url, name).await?;
            follow::build(context, &schema, &pillow(tables, name)?, *restart, *dry_run, from).await
        }
        FluffAction::Run { names, until_caught_up, from } => {
            let pillows = named(tables, names)?;
            let schemas = open_all(url, &pillows).await?;
            let all = schemas.into_iter().zip(pillows).map(|(schema, pillow)| Followed { schema, pillow });
            follow::run(context, all.collect(), *until_caught_up, from).await
        }
        FluffAction::Query(query) => query::run(context, &open(tables, url, &query.name).await?, query).await,
        FluffAction::Diff { name, id, from } => {
            let schema = open(tables, url, name).await?;
            query::diff(context, &schema, &pillow(tables, name)?, id, from).await
        }
        FluffAction::Status { names } => {
            manage::status(context, &open_all(url, &named(tables, names)?).await?).await
        }
        FluffAction::Flip(change) => {
            manage::flip(context, &open(tables, url, &change.name).await?, change.dry_run).await
        }
        FluffAction::Rollback(change) => {
            manage::rollback(context, &open(tables, url, &change.name).await?, change.dry_run).await
        }
        FluffAction::Prune(change) => {
            manage::prune(context, &open(tables, url, &change.name).await?, change.dry_run).await
        }
        FluffAction::DeadLetters { name } => {
            manage::dead_letters(context, &open(tables, url, name).await?).await
        }
    }
}

fn pillow(tables: &Registry, name: &str) -> Result<Arc<dyn AnyPillow>, Failure> {
    tables.get(name).cloned().ok_or_else(|| {
        let names: Vec<&str> =
            tables.pillows().iter().map(|pillow| pillow.definition().pillow.as_str()).collect();
        let failure = Failure::usage(format!("there is no table `{name}`"));
        if names.is_empty() {
            failure.hint("register tables with `App::tables`")
        } else {
            failure.hint(format!("there are: {}", names.join(", ")))
        }
    })
}

fn named(tables: &Registry, names: &[String]) -> Result<Vec<Arc<dyn AnyPillow>>, Failure> {
    if names.is_empty() {
        return Ok(tables.pillows().to_vec());
    }
    names.iter().map(|name| pillow(tables, name)).collect()
}

/// Opens the tables of a pillow, whose committed definition must be fresh.
async fn open(tables: &Registry, url: &str, name: &str) -> Result<Schema, Failure> {
    let mut schemas = open_all(url, &[pillow(tables, name)?]).await?;
    Ok(schemas.remove(0))
}

/// The same for several pillows, which share their connections.
async fn open_all(url: &str, pillows: &[Arc<dyn AnyPillow>]) -> Result<Vec<Schema>, Failure> {
    require_fresh(pillows)?;
    let mut schemas = Vec::new();
    if pillows.is_empty() {
        return Ok(schemas);
    }
    let database = SqlDatabase::connect(url).await?;
    for pillow in pillows {
        schemas.push(Schema::open(database.clone(), pillow.definition().clone()).await?);
    }
    Ok(schemas)
}
