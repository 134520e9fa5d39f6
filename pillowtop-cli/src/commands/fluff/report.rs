//! What `quickstart` shows of tables: a report, and a chart.

use std::path::Path;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_fluff::sql::{Period, Query, Results, Role, Schema, SqlDatabase, SqlDestination, SqlOptions};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::MemberOptions;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;

use super::chart::chart;
use super::query::query_table;
use crate::context::Context;
use crate::exit::Failure;
use crate::freshness::shown;
use crate::servers::acquire;
use crate::stop::Stop;

/// Computes the tables from the sample changes of a directory, in a `SQLite` file beside them.
pub(crate) async fn report(context: &Context, directory: &Path) -> Result<(), Failure> {
    let mut pillows = context.pillows(&[])?;
    pillows.retain(|pillow| pillow.definition().is_table());
    if pillows.is_empty() {
        return Ok(());
    }
    let directory = std::path::absolute(directory)?;
    let file = directory.join("tables.sqlite");
    let database = SqlDatabase::connect(&format!("sqlite:{}", file.display())).await?;
    let mut schemas = Vec::new();
    for pillow in &pillows {
        schemas.push(Schema::open(database.clone(), pillow.definition().clone()).await?);
    }
    compute(context, &pillows, &schemas, &directory.join("changes.jsonl")).await?;
    for schema in &schemas {
        show(context, schema, &directory).await?;
    }
    context.ui.text(&format!("\nthe tables are in {}; query them with:", shown(&file)));
    let name = &schemas[0].definition().pillow;
    context.ui.text(&format!("  {} fluff query {name} --by month \\", context.program));
    context.ui.text(&format!("    --sql-url sqlite:{}", shown(&file)));
    Ok(())
}

/// Follows a file of changes to its end.
async fn compute(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    schemas: &[Schema],
    changes: &Path,
) -> Result<(), Failure> {
    let name = DatabaseName::from("changes");
    let source = Arc::new(ChangesFile::open(changes, name.clone())?);
    let engine = Engine::new(Arc::new(OneDatabase { name: name.clone(), source }), EngineOptions::default());
    let destination = |schema: &Schema| Arc::new(SqlDestination::new(schema.clone(), SqlOptions::default()));
    let destinations: Vec<_> = schemas.iter().map(destination).collect();
    let served = pillows.iter().zip(&destinations).map(|(pillow, destination)| Served {
        pillow: Arc::clone(pillow),
        destination: Arc::clone(destination) as _,
        databases: DatabaseSelection::One(name.clone()),
        counters: Arc::default(),
        options: MemberOptions::default(),
    });
    let options = ServiceOptions {
        mode: ReadMode::ToEnd,
        acquire: acquire(context, WhenHeld::Fail),
        when_failing: WhenFailing::Stop,
    };
    let stop = Stop::on_signals(&context.ui);
    let ended = serve(&engine, served.collect(), &options, stop.token()).await;
    for destination in destinations {
        destination.end().await;
    }
    Ok(ended?)
}

/// Prints a table's first dated emitter by month, and draws it.
async fn show(context: &Context, schema: &Schema, directory: &Path) -> Result<(), Failure> {
    let first = schema.layout().columns.iter().find_map(|column| match &column.role {
        Role::Value { calculator, emitter, is_dated: true, .. } => Some((calculator, emitter)),
        _ => None,
    });
    let Some((calculator, emitter)) = first else { return Ok(()) };
    let query = Query { by: Some(Period::Month), calculator: Some(calculator.clone()), ..Query::default() };
    let mut rows = Results::of(schema).reduced(&query).await?;
    for row in &mut rows {
        row.values.retain(|(_, name, _)| name == emitter);
    }
    let name = &schema.definition().pillow;
    context.ui.text(&format!("\ntable `{name}` by month:"));
    context.ui.table(&query_table(&rows));
    let path = directory.join(format!("{name}.svg"));
    fs_err::write(
        &path,
        chart(&format!("{name}: {calculator} {emitter} by month"), &rows, calculator, emitter),
    )?;
    context.ui.text(&format!("its chart: {}", shown(&path)));
    Ok(())
}
