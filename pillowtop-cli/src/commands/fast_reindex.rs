//! `fast-reindex`: builds the index or the table of a pillow from its databases, or sends documents
//! into it again.

mod build_error;

mod table;

mod build;

mod part;

use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName, Definition, PillowName};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reindex::{Chosen, Reindex, ReindexPlan, ReindexStep, Reindexed, Wanted};
use pillowtop_runtime::target::elastic::Space;
use serde_json::{Value, json};

use crate::arguments::{FastReindex, LoadFrom};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Progress, Summary, Ui, WithoutTerminal, counted};
use crate::servers::{self, Servers, WhenUnreachable};
use crate::stop::Stop;
use build::Build;
use table::TableBuild;

pub(super) use build_error::BuildError;

pub(crate) async fn run(context: &Context, arguments: &FastReindex) -> Result<Outcome, Failure> {
    let pillow = Arc::clone(context.pillow(&arguments.name)?);
    if arguments.part.database.is_some() && !arguments.part.is_wanted() {
        return Err(Failure::usage("`--database` chooses documents that are sent again")
            .hint("give `--in-place` too; an index is built from all databases of its pillow"));
    }
    let is_about_index = arguments.from.is_some() || arguments.ranges.is_some() || arguments.force;
    if pillow.definition().is_table() && is_about_index {
        return Err(Failure::usage("a table is loaded through the changes feed, from one end to the other")
            .hint("leave out `--from`, `--ranges` and `--force`"));
    }
    require_fresh(std::slice::from_ref(&pillow))?;
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let connecting =
        Servers::connect(context, "fast-reindex", std::slice::from_ref(&pillow), when_unreachable);
    let servers = connecting.await?.for_one_pillow();
    let ended = if arguments.part.is_wanted() {
        let stop = Stop::on_signals(&context.ui);
        part::run(context, &servers, &pillow, arguments, &stop).await
    } else if arguments.dry_run {
        show_plan(context, &servers, &pillow, arguments).await
    } else {
        let stop = Stop::on_signals(&context.ui);
        build_and_show(context, &servers, &pillow, arguments, &stop).await
    };
    servers.end().await;
    ended
}

fn how(arguments: &FastReindex) -> How {
    let wanted = Wanted {
        form: arguments.from.map(LoadFrom::form),
        ranges: arguments.ranges.map(usize::from),
        force: arguments.force,
        ..Wanted::default()
    };
    How { restart: arguments.restart, wanted, ..How::default() }
}

async fn build_and_show(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    arguments: &FastReindex,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let (name, noun) = (&pillow.definition().pillow, noun(pillow.definition()));
    let mut served = servers.served(context, pillow)?;
    if let Some(percent) = arguments.max_dead_letters {
        served.options.max_dead_letter_share = (percent < 100).then(|| f64::from(percent) / 100.0);
    }
    let (done, summary) = build(context, servers, served, how(arguments), stop).await?;
    if !done.already_complete {
        summary.print();
    }
    let Reindexed { index, documents, stopped, already_complete, .. } = &done;
    if *stopped {
        return Err(Failure::new(format!("stopped before {noun} `{index}` was complete"))
            .hint(format!("`PROGRAM fast-reindex {name}` resumes from here")));
    }
    let with = format!("with {}", counted(*documents, "document"));
    if *already_complete {
        context.ui.text(&format!("{noun} `{index}` is complete already, {with}"));
    } else {
        context.ui.text(&format!("{noun} `{index}` is complete, {with}"));
        context.ui.note(&format!(
            "next: `{0} run {name}` follows the changes; once it has caught up, `{0} verify {name}` and `{0} es-manage flip {name}`. The first {noun} of a pillow can be flipped to at once",
            context.program
        ));
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
    arguments: &FastReindex,
) -> Result<Outcome, Failure> {
    let (name, noun) = (&pillow.definition().pillow, noun(pillow.definition()));
    let served = servers.served(context, pillow)?;
    let planned = reindex(context, servers, served, how(arguments)).await?.plan().await;
    let (mut read, mut needed): (Vec<Value>, Value) = (Vec::new(), Value::Null);
    let (action, index) = match planned.map_err(|failure| failure.for_pillow(name))? {
        ReindexPlan::Complete(index) => {
            context.ui.text(&format!("{name}: {noun} `{index}` is complete; nothing would be done"));
            ("none", Some(index))
        }
        ReindexPlan::Continue(index) => {
            context.ui.text(&format!("{name}: would resume loading {noun} `{index}`"));
            ("continue", Some(index))
        }
        ReindexPlan::Create { databases, space } => {
            let hash = pillow.definition().hash.short();
            let article = if noun == "table" { "a" } else { "an" };
            context.ui.text(&format!("{name}: would create {article} {noun} for hash {hash} and load it"));
            if let Some(space) = space {
                context.ui.text(&format!("{name}: {}", needs(&space)));
                needed = json!({
                    "needed": space.needed, "available": space.available, "shard": space.shard,
                    "fits": space.fits(),
                });
            }
            if let Ok(cluster) = servers.cluster()
                && let Ok(source) = cluster.copy_source(pillow.definition()).await?
            {
                let index = &source.index;
                context.ui.note(&format!(
                    "{name}: the server could copy index `{index}` instead, with `--from old-index`"
                ));
            }
            for (database, chosen) in databases {
                let database = &database.name;
                context.ui.text(&format!("{name}: would load {}", describe(database, &chosen)));
                read.push(json!({
                    "database": database, "from": chosen.form.to_string(), "reason": chosen.reason,
                    "documents": chosen.documents, "ranges": chosen.ranges,
                }));
            }
            ("create", None)
        }
        _ => ("unknown", None),
    };
    context
        .ui
        .json(&json!({"pillow": name, "dry_run": true, "action": action, "index": index, "read": read, "space": needed}));
    Ok(Outcome::Done)
}

/// What an index needs, for people.
fn needs(space: &Space) -> String {
    const MEGABYTE: u64 = 1_000_000;
    let needed = format!("it needs about {} MB on the disks of the cluster", space.needed / MEGABYTE);
    let free = space.available.map(|free| format!(", where {} MB are free", free / MEGABYTE));
    let shards = space.has_large_shards().then(|| {
        format!("; a shard has about {} MB, so more shards would be better", space.shard / MEGABYTE)
    });
    format!("{needed}{}{}", free.unwrap_or_default(), shards.unwrap_or_default())
}

/// What a load of a database reads, and why.
fn describe(database: &DatabaseName, chosen: &Chosen) -> String {
    let Chosen { form, ranges, reason, .. } = chosen;
    let ranges = if *ranges > 1 { format!(" in {ranges} ranges") } else { String::new() };
    format!("database `{database}` from `{form}`{ranges}: {reason}")
}

/// What a pillow has.
fn noun(definition: &Definition) -> &'static str {
    if definition.is_table() { "table" } else { "index" }
}

/// How an index or a table is built.
#[derive(Default)]
pub(crate) struct How {
    pub(crate) restart: bool,
    pub(crate) wanted: Wanted,
    /// Whether a claim of another process is waited for.
    pub(crate) stands_by: bool,
}

/// Builds an index or a table and shows progress. The caller prints what was done.
pub(crate) async fn build(
    context: &Context,
    servers: &Servers,
    served: Served,
    how: How,
    stop: &Stop,
) -> Result<(Reindexed, Summary), Failure> {
    let name = served.pillow.definition().pillow.clone();
    let reindex = reindex(context, servers, served, how).await?;
    let counters = Arc::clone(reindex.counters());
    let pillows = vec![(name.clone(), counters)];
    let progress = Progress::start(&context.ui, "loading", pillows, WithoutTerminal::Lines);
    let total = progress.total();
    let ui = context.ui.clone();
    let done = reindex
        .run(stop.token(), |step| {
            match &step {
                ReindexStep::Loading(_, chosen) => total.set(chosen.documents),
                ReindexStep::Copied(done, documents) => {
                    total.set(*documents);
                    total.set_copied(*done);
                }
                ReindexStep::CatchingUp(_) => total.set(0),
                _ => {}
            }
            note_step(&ui, &name, step);
        })
        .await
        .map_err(|error| error.into_failure().for_pillow(&name))?;
    Ok((done, progress.finish()))
}

/// Tells what a reindex does.
pub(super) fn note_step(ui: &Ui, name: &PillowName, step: ReindexStep) {
    match step {
        ReindexStep::Space(space) if space.has_large_shards() || !space.fits() => {
            ui.note(&format!("{name}: {}", needs(&space)));
        }
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
        ReindexStep::Loading(database, chosen) => {
            ui.note(&format!("{name}: loading {}", describe(&database.name, &chosen)));
        }
        ReindexStep::Range(number, count) if count > 1 => {
            ui.note(&format!("{name}: loading range {number} of {count}"));
        }
        ReindexStep::Helping(index) => ui.note(&format!(
            "{name}: another process builds `{index}`; this one loads ranges of it"
        )),
        ReindexStep::Resuming(database) => {
            ui.note(&format!("{name}: resuming an interrupted load from database `{}`", database.name));
        }
        ReindexStep::CatchingUp(_) => {
            ui.note(&format!("{name}: applying what changed since the load began"));
        }
        _ => {}
    }
}

/// Building the index or the table of one pillow.
pub(super) async fn reindex<'a>(
    context: &Context,
    servers: &'a Servers,
    served: Served,
    how: How,
) -> Result<Build<'a>, Failure> {
    let databases = servers.databases(&served.databases).await?;
    let How { restart, mut wanted, stands_by } = how;
    let when_held = if stands_by { WhenHeld::Standby } else { WhenHeld::Fail };
    let acquire = servers::acquire(context, when_held);
    if served.pillow.definition().is_table() {
        let table = TableBuild { servers, databases, served, restart, acquire };
        return Ok(Build::Table(Box::new(table)));
    }
    wanted.view = context.config.view(&served.pillow.definition().pillow);
    Ok(Build::Index(Box::new(Reindex {
        cluster: servers.cluster()?,
        databases,
        served,
        engine: Arc::clone(&servers.engine),
        lease: Arc::clone(servers.lease()?),
        restart,
        wanted,
        acquire,
    })))
}
