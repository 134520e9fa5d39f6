//! `fast-reindex`: builds the index of a pillow from its database.

use std::sync::Arc;

use pillowtop_core::AnyPillow;
use pillowtop_runtime::pipeline::{Counters, PipelineOptions};
use pillowtop_runtime::reindex::{Reindex, ReindexStep, Reindexed};
use pillowtop_runtime::sink::elastic::{Cluster, WhenHeld};
use pillowtop_runtime::source::CouchDatabase;
use serde_json::json;

use crate::arguments::FastReindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Progress, Summary, counted};
use crate::servers::{self, WhenUnreachable};
use crate::stop::Stop;

pub(crate) async fn run(context: &Context, arguments: &FastReindex) -> Result<Outcome, Failure> {
    let pillow = Arc::clone(context.pillow(&arguments.name)?);
    require_fresh(std::slice::from_ref(&pillow))?;
    let database = context.database(pillow.definition())?;
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let cluster = servers::cluster(context, when_unreachable).await?;
    let couch = servers::couch(context, database, when_unreachable).await?;
    let stop = Stop::on_signals(&context.talk);
    let (done, summary) = build(context, &cluster, &couch, &pillow, arguments.restart, &stop).await?;
    if !done.already_complete {
        summary.print();
    }
    let name = &pillow.definition().pillow;
    let Reindexed { index, documents, stopped, already_complete, .. } = &done;
    if *stopped {
        return Err(Failure::new(format!("stopped before index `{index}` was complete"))
            .hint(format!("`PROGRAM fast-reindex {name}` goes on from here")));
    }
    let with = format!("with {}", counted(*documents, "document"));
    if *already_complete {
        context.talk.text(&format!("index `{index}` is complete already, {with}"));
    } else {
        context.talk.text(&format!("index `{index}` is complete, {with}"));
        context.talk.note(&format!("next: `{0} es-manage flip {name}`, then `{0} run`", context.program));
    }
    context.talk.json(&json!({
        "pillow": name, "index": index, "documents": documents, "already_complete": already_complete,
    }));
    Ok(Outcome::Done)
}

/// Builds an index and shows how it goes on. What was done is for the caller to say.
pub(crate) async fn build(
    context: &Context,
    cluster: &Cluster,
    couch: &CouchDatabase,
    pillow: &Arc<dyn AnyPillow>,
    restart: bool,
    stop: &Stop,
) -> Result<(Reindexed, Summary), Failure> {
    let counters: Arc<Counters> = Arc::default();
    let name = pillow.definition().pillow.clone();
    let progress = Progress::start(&context.talk, "loading", vec![(name.clone(), Arc::clone(&counters))]);
    let reindex = Reindex {
        cluster,
        database: couch,
        pillow: Arc::clone(pillow),
        counters,
        options: PipelineOptions::default(),
        restart,
        acquire: servers::acquire(context, "fast-reindex", WhenHeld::Fail),
    };
    let talk = context.talk.clone();
    let done = reindex
        .run(stop.receiver(), |step| match step {
            ReindexStep::Created(index) => talk.note(&format!("{name}: created `{index}`")),
            ReindexStep::GoingOn(index) => {
                talk.note(&format!("{name}: going on with `{index}`, which an earlier run began"));
            }
            ReindexStep::LeftAlone(index) => {
                talk.note(&format!(
                    "{name}: it is not known what is in `{index}`, so nothing is loaded over it; another index is built"
                ));
            }
            ReindexStep::Resuming => talk.note(&format!("{name}: going on with a load that was interrupted")),
            ReindexStep::CatchingUp => {
                talk.note(&format!("{name}: applying what changed since the load began"));
            }
            _ => {}
        })
        .await?;
    Ok((done, progress.finish()))
}
