//! `couch-view`: installs the view that lists a pillow's documents, and waits until it is built.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{Definition, Revision};
use pillowtop_runtime::reindex::{design_document, is_current, view_name};
use pillowtop_runtime::source::CouchDatabase;
use serde_json::{Value, json};

use crate::arguments::CouchView;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Steps, counted};
use crate::servers::{self, WhenUnreachable};
use crate::stop::Stop;

/// How often the progress of a server that builds a view is read.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) async fn run(context: &Context, arguments: &CouchView) -> Result<Outcome, Failure> {
    let pillow = Arc::clone(context.index(&arguments.name)?);
    require_fresh(std::slice::from_ref(&pillow))?;
    let definition = pillow.definition();
    let stop = Stop::on_signals(&context.ui);
    let couch = servers::couch(context, WhenUnreachable::Fail).await?;
    let databases = servers::databases(&couch, &context.databases(definition)?).await?;
    let mut installed = Vec::new();
    for database in databases {
        installed.push(install(context, definition, &database, arguments.dry_run, &stop).await?);
    }
    context.ui.json(&json!({"pillow": definition.pillow, "dry_run": arguments.dry_run, "views": installed}));
    Ok(Outcome::Done)
}

async fn install(
    context: &Context,
    definition: &Definition,
    database: &CouchDatabase,
    dry_run: bool,
    stop: &Stop,
) -> Result<Value, Failure> {
    let (view, design) = (view_name(definition), design_document(definition));
    let (name, database_name) = (&definition.pillow, database.name());
    let found = database.design(&view.design).await?;
    let is_there = found.as_ref().is_some_and(|found| is_current(definition, found));
    let mut report = json!({"database": database_name, "view": view.to_string(), "design": design,
        "was_current": is_there});
    if dry_run {
        context.ui.text(&serde_json::to_string_pretty(&design).unwrap_or_default());
        let what = if is_there { "has it already" } else { "would get it, and build its view" };
        context.ui.note(&format!("dry run: database `{database_name}` {what}"));
        return Ok(report);
    }
    if !is_there {
        let revision = found.as_ref().and_then(|found| found.get("_rev")).and_then(Value::as_str);
        database.put_design(&view.design, design, revision.map(Revision::from).as_ref()).await?;
        context.ui.note(&format!("{name}: wrote `_design/{}` in database `{database_name}`", view.design));
    }
    let waiting = wait(context, database, definition);
    let Some(rows) = stop.unless_asked(waiting).await else {
        return Err(Failure::new("stopped before the view was built")
            .hint("the server continues to build it; run this again to wait for it"));
    };
    let rows = rows?;
    let listed = counted(rows, "document");
    context.ui.text(&format!("view `{view}` of database `{database_name}` is built and lists {listed}"));
    report["documents"] = rows.into();
    Ok(report)
}

/// Waits until the view is up to date; returns how many documents it lists.
async fn wait(context: &Context, database: &CouchDatabase, definition: &Definition) -> Result<u64, Failure> {
    let view = view_name(definition);
    let steps = Steps::start(&context.ui, "building the view, percent", 100);
    let mut reading = Box::pin(database.view_rows(&view));
    loop {
        tokio::select! {
            rows = &mut reading => match rows {
                Ok(rows) => return Ok(rows),
                // The server gives up to wait for it, and continues to build it.
                Err(error) if error.is_retryable() => {
                    tracing::debug!(%error, "the view is not built yet");
                    tokio::time::sleep(LOOK_INTERVAL).await;
                    reading = Box::pin(database.view_rows(&view));
                }
                Err(error) => return Err(error.into()),
            },
            () = tokio::time::sleep(LOOK_INTERVAL) => {
                if let Some(percent) = database.view_progress(&view.design).await {
                    steps.set(percent);
                }
            }
        }
    }
}
