//! `fast-reindex`: builds the index of a pillow from its databases.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, PillowName};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reindex::{Reindex, ReindexPlan, ReindexStep, Reindexed};
use serde_json::json;

use crate::arguments::FastReindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Progress, Summary, Ui, WithoutTerminal, counted};
use crate::servers::{self, Servers, WhenUnreachable};
use crate::stop::Stop;

pub(crate) async fn run(context: &Context, arguments: &FastReindex) -> Result<Outcome, Failure> {
    let pillow = Arc::clone(context.pillow(&arguments.name)?);
    require_fresh(std::slice::from_ref(&pillow))?;
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let servers = Servers::connect(context, "fast-reindex", when_unreachable).await?.for_one_pillow();
    let ended = if arguments.dry_run {
        show_plan(context, &servers, &pillow, arguments.restart).await
    } else {
        let stop = Stop::on_signals(&context.ui);
        build_and_show(context, &servers, &pillow, arguments.restart, &stop).await
    };
    servers.end().await;
    ended
}

async fn build_and_show(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    restart: bool,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let name = &pillow.definition().pillow;
    let served = servers.served(context, pillow)?;
    let (done, summary) = build(context, servers, served, restart, stop).await?;
    if !done.already_complete {
        summary.print();
    }
    let Reindexed { index, documents, stopped, already_complete, .. } = &done;
    if *stopped {
        return Err(Failure::new(format!("stopped before index `{index}` was complete"))
            .hint(format!("`PROGRAM fast-reindex {name}` resumes from here")));
    }
    let with = format!("with {}", counted(*documents, "document"));
    if *already_complete {
        context.ui.text(&format!("index `{index}` is complete already, {with}"));
    } else {
        context.ui.text(&format!("index `{index}` is complete, {with}"));
        context.ui.note(&format!("next: `{0} es-manage flip {name}`, then `{0} run`", context.program));
    }
    context.ui.json(&json!({
        "pillow": name, "index": index, "documents": documents, "already_complete": already_complete,
    }));
    Ok(Outcome::Done)
}

async fn show_plan(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    restart: bool,
) -> Result<Outcome, Failure> {
    let name = &pillow.definition().pillow;
    let served = servers.served(context, pillow)?;
    let (action, index) =
        match reindex(context, servers, served, restart, WhenHeld::Fail).await?.plan().await? {
            ReindexPlan::Complete(index) => {
                context.ui.text(&format!("{name}: index `{index}` is complete; nothing would be done"));
                ("none", Some(index))
            }
            ReindexPlan::Continue(index) => {
                context.ui.text(&format!("{name}: would resume loading index `{index}`"));
                ("continue", Some(index))
            }
            _ => {
                let hash = pillow.definition().hash.short();
                context.ui.text(&format!("{name}: would create an index for hash {hash} and load it"));
                ("create", None)
            }
        };
    context.ui.json(&json!({"pillow": name, "action": action, "index": index}));
    Ok(Outcome::Done)
}

/// Builds an index and shows progress. The caller prints what was done.
pub(crate) async fn build(
    context: &Context,
    servers: &Servers,
    served: Served,
    restart: bool,
    stop: &Stop,
) -> Result<(Reindexed, Summary), Failure> {
    let name = served.pillow.definition().pillow.clone();
    let reindex = reindex(context, servers, served, restart, WhenHeld::Fail).await?;
    let counters = Arc::clone(&reindex.served.counters);
    let pillows = vec![(name.clone(), counters)];
    let progress = Progress::start(&context.ui, "loading", pillows, WithoutTerminal::Lines);
    let total = progress.total();
    let ui = context.ui.clone();
    let done = reindex
        .run(stop.token(), |step| {
            match &step {
                ReindexStep::Loading(_, documents) => total.set(*documents),
                ReindexStep::CatchingUp(_) => total.set(0),
                _ => {}
            }
            note_step(&ui, &name, step);
        })
        .await
        .map_err(|error| Failure::from(error).for_pillow(&name))?;
    Ok((done, progress.finish()))
}

/// Tells what a reindex does.
pub(super) fn note_step(ui: &Ui, name: &PillowName, step: ReindexStep) {
    match step {
        ReindexStep::Created(index, added) => {
            ui.note(&format!("{name}: created `{index}`"));
            if !added.is_empty() {
                let added = added.join(", ");
                ui.note(&format!("{name}: index templates of the cluster added: {added}"));
            }
        }
        ReindexStep::Continuing(index) => {
            ui.note(&format!("{name}: resuming `{index}`, which an earlier run began"));
        }
        ReindexStep::LeftAlone(index) => ui.note(&format!(
            "{name}: it is not known what `{index}` holds, so nothing is loaded over it; another index is built"
        )),
        ReindexStep::Loading(database, _) => {
            ui.note(&format!("{name}: loading from database `{}`", database.name));
        }
        ReindexStep::Resuming(database) => {
            ui.note(&format!("{name}: resuming an interrupted load from database `{}`", database.name));
        }
        ReindexStep::CatchingUp(_) => {
            ui.note(&format!("{name}: applying what changed since the load began"));
        }
        _ => {}
    }
}

/// A reindex of one pillow.
pub(super) async fn reindex<'a>(
    context: &Context,
    servers: &'a Servers,
    served: Served,
    restart: bool,
    when_held: WhenHeld,
) -> Result<Reindex<'a>, Failure> {
    let databases = servers.databases(&served.databases).await?;
    Ok(Reindex {
        cluster: &servers.cluster,
        databases,
        served,
        engine: Arc::clone(&servers.engine),
        lease: Arc::clone(&servers.lease),
        restart,
        acquire: servers::acquire(context, when_held),
    })
}
