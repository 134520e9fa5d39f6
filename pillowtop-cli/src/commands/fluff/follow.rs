//! Building and following tables.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_fluff::sql::{Schema, SqlDestination, SqlOptions};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::{DatabaseSelection, Databases, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::MemberOptions;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;
use serde_json::json;

use crate::arguments::From;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Progress, Summary, WithoutTerminal};
use crate::servers::{self, WhenUnreachable};
use crate::stop::Stop;

/// How often rows are committed, with the position.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// A pillow, and where its rows go.
pub(crate) struct Followed {
    pub(crate) schema: Schema,
    pub(crate) pillow: Arc<dyn AnyPillow>,
}

pub(super) async fn build(
    context: &Context,
    schema: &Schema,
    pillow: &Arc<dyn AnyPillow>,
    restart: bool,
    dry_run: bool,
    from: &From,
) -> Result<Outcome, Failure> {
    let name = &pillow.definition().pillow;
    let tables = schema.current().await?;
    let creates = restart || tables.is_empty();
    if dry_run {
        let hash = pillow.definition().hash.short();
        let action = if creates { "would create a table for hash" } else { "would resume the table of hash" };
        context.ui.text(&format!("{name}: {action} {hash}"));
        context.ui.json(&json!({"pillow": name, "action": if creates { "create" } else { "continue" }}));
        return Ok(Outcome::Done);
    }
    if creates {
        let table = schema.create().await?;
        context.ui.note(&format!("{name}: created `{}`", table.name));
    }
    let stop = Stop::on_signals(&context.ui);
    let followed = Followed { schema: schema.clone(), pillow: Arc::clone(pillow) };
    let summary = follow(context, vec![followed], ReadMode::ToEnd, from, &stop).await?;
    summary.print();
    if stop.token().is_cancelled() {
        return Err(Failure::new("stopped before the table was complete")
            .hint(format!("`PROGRAM fluff build {name}` resumes from here")));
    }
    let tables = schema.current().await?;
    let newest = tables.last().map(|table| (table.name.clone(), table.is_shown));
    if let Some((table, is_shown)) = &newest {
        context.ui.text(&format!("table `{table}` is complete"));
        if !is_shown {
            context.ui.note(&format!("next: `{} fluff flip {name}`", context.program));
        }
    }
    context
        .ui
        .json(&json!({"pillow": name, "table": newest.map(|(table, _)| table), "done": summary.to_json()}));
    Ok(Outcome::Done)
}

pub(super) async fn run(
    context: &Context,
    all: Vec<Followed>,
    until_caught_up: bool,
    from: &From,
) -> Result<Outcome, Failure> {
    let mode = if until_caught_up { ReadMode::ToEnd } else { ReadMode::Follow };
    let stop = Stop::on_signals(&context.ui);
    let summary = follow(context, all, mode, from, &stop).await?;
    summary.print();
    context.ui.json(&summary.to_json());
    Ok(Outcome::Done)
}

/// Follows pillows into their tables.
pub(crate) async fn follow(
    context: &Context,
    all: Vec<Followed>,
    mode: ReadMode,
    from: &From,
    stop: &Stop,
) -> Result<Summary, Failure> {
    let (databases, fixed) = source(context, from).await?;
    let engine = Engine::new(databases, EngineOptions::default());
    let (mut served, mut destinations, mut schemas) = (Vec::new(), Vec::new(), Vec::new());
    for Followed { schema, pillow } in all {
        schemas.push(schema.clone());
        let options = SqlOptions { label: "fluff".to_owned(), ..SqlOptions::default() };
        let destination = Arc::new(SqlDestination::new(schema, options));
        let databases = match &fixed {
            Some(name) => DatabaseSelection::One(name.clone()),
            None => context.databases(pillow.definition())?,
        };
        let options = context.config.member_options(&pillow.definition().pillow);
        served.push(Served {
            pillow,
            destination: Arc::clone(&destination) as _,
            databases,
            counters: Arc::default(),
            options: MemberOptions { save_interval: SAVE_INTERVAL, ..options },
        });
        destinations.push(destination);
    }
    let counters = served
        .iter()
        .map(|served| (served.pillow.definition().pillow.clone(), Arc::clone(&served.counters)))
        .collect();
    let (doing, quiet) = match mode {
        ReadMode::ToEnd => ("computing", WithoutTerminal::Lines),
        ReadMode::Follow => ("following", WithoutTerminal::Quiet),
    };
    let progress = Progress::start(&context.ui, doing, counters, quiet);
    let when_failing = if mode == ReadMode::ToEnd { WhenFailing::Stop } else { WhenFailing::Retry };
    let acquire = servers::acquire(context, WhenHeld::Fail);
    let ended = serve(&engine, served, &ServiceOptions { mode, acquire, when_failing }, stop.token()).await;
    let summary = progress.finish();
    for destination in destinations {
        destination.end().await;
    }
    ended?;
    if mode == ReadMode::ToEnd && !stop.token().is_cancelled() {
        for schema in schemas {
            if let Some(table) = schema.current().await?.last() {
                schema.complete(table).await?;
            }
        }
    }
    Ok(summary)
}

/// Where changes come from, and the database's name where it is a file.
pub(super) async fn source(
    context: &Context,
    from: &From,
) -> Result<(Arc<dyn Databases>, Option<DatabaseName>), Failure> {
    match &from.changes {
        None => Ok((Arc::new(servers::couch(context, WhenUnreachable::Fail).await?), None)),
        Some(path) => {
            let name = DatabaseName::from("changes");
            let file = ChangesFile::open(path, name.clone())?;
            Ok((Arc::new(OneDatabase { name: name.clone(), source: Arc::new(file) }), Some(name)))
        }
    }
}
