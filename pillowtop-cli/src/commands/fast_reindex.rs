//! `fast-reindex`: builds the index of a pillow from its database.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::{Counters, PipelineOptions};
use pillowtop_runtime::reindex::{Reindex, ReindexStep, Reindexed};
use pillowtop_runtime::sink::elastic::{Cluster, WhenHeld};
use serde_json::json;

use crate::arguments::FastReindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::Progress;
use crate::servers;

pub(crate) async fn run(context: &Context, arguments: &FastReindex) -> Result<Outcome, Failure> {
    let pillow = Arc::clone(context.pillow(&arguments.name)?);
    context.require_fresh(std::slice::from_ref(&pillow))?;
    let database = context.database(pillow.definition())?;
    let cluster = servers::cluster(context).await?;
    let done = build(context, &cluster, database, &pillow, arguments.restart).await?;
    let name = &pillow.definition().pillow;
    let Reindexed { index, documents, stopped, already_complete, .. } = &done;
    if *stopped {
        context.talk.note(&format!("stopped; `{} fast-reindex {name}` goes on from here", context.program));
        return Err(Failure::new(format!("index `{index}` is not complete")));
    }
    if *already_complete {
        context.talk.text(&format!("index `{index}` is complete already, with {documents} documents"));
    } else {
        context.talk.text(&format!("index `{index}` is complete, with {documents} documents"));
        context.talk.note(&format!("next: `{0} es-manage flip {name}`, then `{0} run`", context.program));
    }
    context.talk.json(&json!({
        "pillow": name, "index": index, "documents": documents, "already_complete": already_complete,
    }));
    Ok(Outcome::Done)
}

/// Builds an index and shows how it goes on.
pub(crate) async fn build(
    context: &Context,
    cluster: &Cluster,
    database: DatabaseName,
    pillow: &Arc<dyn AnyPillow>,
    restart: bool,
) -> Result<Reindexed, Failure> {
    let couch = servers::couch(context, database).await?;
    let counters: Arc<Counters> = Arc::default();
    let name = pillow.definition().pillow.clone();
    let progress = Progress::start(&context.talk, "loading", vec![(name.clone(), Arc::clone(&counters))]);
    let reindex = Reindex {
        cluster,
        database: &couch,
        pillow: Arc::clone(pillow),
        counters,
        options: PipelineOptions::default(),
        restart,
        acquire: servers::acquire("fast-reindex", WhenHeld::Fail),
    };
    let talk = context.talk.clone();
    let done = reindex
        .run(servers::stop_on_ctrl_c(&context.talk), |step| match step {
            ReindexStep::Created(index) => talk.note(&format!("{name}: created `{index}`")),
            ReindexStep::Resuming => talk.note(&format!("{name}: going on with a load that was interrupted")),
            ReindexStep::CatchingUp => {
                talk.note(&format!("{name}: applying what changed since the load began"));
            }
            _ => {}
        })
        .await?;
    let summary = progress.finish();
    if !done.already_complete {
        summary.print();
    }
    Ok(done)
}
