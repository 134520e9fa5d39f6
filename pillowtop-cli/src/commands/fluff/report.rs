//! What `quickstart` shows of tables: a report, and a chart.

use std::path::Path;

use pillowtop_core::Registry;
use pillowtop_fluff::sql::{Period, Query, Results, Role, Schema, SqlDatabase};
use pillowtop_runtime::reader::ReadMode;

use super::chart::chart;
use super::follow::{Followed, follow};
use super::query::query_table;
use crate::arguments::From;
use crate::context::Context;
use crate::exit::Failure;
use crate::freshness::shown;
use crate::stop::Stop;

/// Computes the tables from the sample changes of a directory, in a `SQLite` file beside them.
pub(crate) async fn report(context: &Context, tables: &Registry, directory: &Path) -> Result<(), Failure> {
    if tables.pillows().is_empty() {
        return Ok(());
    }
    let directory = std::path::absolute(directory)?;
    let file = directory.join("tables.sqlite");
    let database = SqlDatabase::connect(&format!("sqlite:{}", file.display())).await?;
    let (mut all, mut schemas) = (Vec::new(), Vec::new());
    for pillow in tables.pillows() {
        let schema = Schema::open(database.clone(), pillow.definition().clone()).await?;
        schemas.push(schema.clone());
        all.push(Followed { schema, pillow: pillow.clone() });
    }
    let from = From { changes: Some(directory.join("changes.jsonl")) };
    let stop = Stop::on_signals(&context.ui);
    follow(context, all, ReadMode::ToEnd, &from, &stop).await?;
    for schema in &schemas {
        show(context, schema, &directory).await?;
    }
    context.ui.text(&format!("\nthe tables are in {}; query them with:", shown(&file)));
    let name = &schemas[0].definition().pillow;
    context.ui.text(&format!("  {} fluff query {name} --by month \\", context.program));
    context.ui.text(&format!("    --sql-url sqlite:{}", shown(&file)));
    Ok(())
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
