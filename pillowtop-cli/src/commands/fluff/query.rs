//! `fluff query` and `fluff diff`.

use pillowtop_core::{ChangeMeta, DatabaseName, DocumentId, Revision, Verdict};
use pillowtop_fluff::sql::{Period, Query, ResultRow, Results, Schema, stored_rows};
use pillowtop_runtime::engine::{DatabaseSelection, Databases as _};
use serde_json::{Value, json};

use crate::arguments::{By, FluffQuery};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table};
use crate::servers::{self, WhenUnreachable};

pub(super) async fn run(
    context: &Context,
    schema: &Schema,
    arguments: &FluffQuery,
) -> Result<Outcome, Failure> {
    let by = arguments.by.map(|by| match by {
        By::Day => Period::Day,
        By::Week => Period::Week,
        By::Month => Period::Month,
        By::Year => Period::Year,
    });
    let query = Query {
        groups: arguments.group.clone(),
        from: arguments.from,
        to: arguments.to,
        by,
        calculator: arguments.calculator.clone(),
    };
    let rows = Results::of(schema).reduced(&query).await?;
    if arguments.csv {
        csv(context, &rows);
    } else {
        context.ui.table(&query_table(&rows));
    }
    context.ui.json(&json!({"rows": rows.iter().map(ResultRow::to_json).collect::<Vec<_>>()}));
    Ok(Outcome::Done)
}

/// Results as a table: a row for each period and calculator, a line for each emitter without
/// periods.
pub(crate) fn query_table(rows: &[ResultRow]) -> Table {
    let mut table = Table::new(&[
        ("period", Align::Left),
        ("calculator", Align::Left),
        ("emitter", Align::Left),
        ("value", Align::Right),
    ]);
    for row in rows {
        for (calculator, emitter, value) in &row.values {
            let period = row.period.clone().unwrap_or_else(|| "all".to_owned());
            table.row([period, calculator.clone(), emitter.clone(), plain(value)]);
        }
    }
    table
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn csv(context: &Context, rows: &[ResultRow]) {
    let Some(first) = rows.first() else { return };
    let names = first.values.iter().map(|(calculator, emitter, _)| format!("{calculator}_{emitter}"));
    let has_period = first.period.is_some();
    let mut lines: Vec<Vec<String>> =
        vec![has_period.then(|| "period".to_owned()).into_iter().chain(names).collect()];
    for row in rows {
        let values = row.values.iter().map(|(_, _, value)| match value {
            Value::Null => String::new(),
            value => plain(value),
        });
        lines.push(row.period.clone().into_iter().chain(values).collect());
    }
    // Names of columns, periods and numbers need no quotes.
    lines.iter().for_each(|line| context.ui.text(&line.join(",")));
}

/// Shows what a document gives now and what is stored.
pub(super) async fn diff(
    context: &Context,
    schema: &Schema,
    pillow: &std::sync::Arc<dyn pillowtop_core::AnyPillow>,
    id: &str,
) -> Result<Outcome, Failure> {
    let (given, why) = computed(context, pillow, id).await?;
    let table = schema.tables().await?.into_iter().find(|table| table.is_shown);
    let table = table.ok_or_else(|| {
        Failure::new("the views show no table").hint("build it: `PROGRAM fast-reindex NAME`")
    })?;
    let stored = stored_rows(schema.database(), &table.name, schema.layout(), &[id]).await?;
    let stored = stored.get(id).cloned().unwrap_or_default();
    let is_same = given == stored;
    let mut shown = Table::new(&[("row", Align::Left), ("values", Align::Left)]);
    for (side, rows, others) in [("computed", &given, &stored), ("stored", &stored, &given)] {
        for row in rows {
            let mark = if others.contains(row) { "both" } else { side };
            if mark == "both" && side == "stored" {
                continue;
            }
            let values = schema.layout().columns.iter().zip(row).filter(|(_, value)| !value.is_null());
            let values: Vec<String> =
                values.map(|(column, value)| format!("{}={}", column.name, plain(value))).collect();
            shown.row([mark.to_owned(), values.join(" ")]);
        }
    }
    context.ui.table(&shown);
    context.ui.text(&format!("{why}; {}", if is_same { "the rows are the same" } else { "the rows differ" }));
    context.ui.json(&json!({"id": id, "same": is_same, "why": why, "computed": given, "stored": stored}));
    Ok(if is_same { Outcome::Done } else { Outcome::Differs })
}

/// The rows of a document as they are computed now, and why they are what they are.
async fn computed(
    context: &Context,
    pillow: &std::sync::Arc<dyn pillowtop_core::AnyPillow>,
    id: &str,
) -> Result<(Vec<Vec<Value>>, String), Failure> {
    let couch = servers::couch(context, WhenUnreachable::Fail).await?;
    let definition = pillow.definition();
    let name = match context.databases(definition)? {
        DatabaseSelection::One(name) => name,
        DatabaseSelection::Several { .. } => {
            return Err(Failure::usage("the table reads several databases, and `diff` reads one")
                .hint("name one database in `[databases]` of pillowtop.toml"));
        }
    };
    let fetched = couch.open(&name).fetch(&[DocumentId::from(id)]).await?;
    let document = fetched.into_iter().next().and_then(|row| row.document().map(str::to_owned));
    let Some(document) = document else { return Ok((Vec::new(), "the document does not exist".to_owned())) };
    let value: Value = serde_json::from_str(&document).map_err(Failure::new)?;
    let found = value.get(definition.document.type_field).and_then(Value::as_str).unwrap_or_default();
    if !definition.document.types.contains(&found) {
        return Ok((Vec::new(), format!("its type is `{found}`, which the table is not of")));
    }
    let revision = value.get("_rev").and_then(Value::as_str).unwrap_or_default();
    let change =
        ChangeMeta::new(DocumentId::from(id), Revision::from(revision), DatabaseName::from(name.as_str()));
    let mut source = Vec::new();
    match pillow.process(&document, &change, &mut source) {
        Ok(Verdict::Index) => {
            let whole: Value = serde_json::from_slice(&source).map_err(Failure::new)?;
            let rows = serde_json::from_value(whole["rows"].clone()).map_err(Failure::new)?;
            Ok((rows, format!("the filter accepts revision {revision}")))
        }
        Ok(_) => Ok((Vec::new(), format!("the filter does not accept revision {revision}"))),
        Err(error) => Err(Failure::new(format!("revision {revision} is a dead letter: {error}"))),
    }
}
