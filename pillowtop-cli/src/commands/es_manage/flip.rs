//! `es-manage flip`: searches move to the indices of the committed mappings, all in one request.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, Definition, IndexName};
use pillowtop_runtime::target::elastic::FlipPlan;
use serde_json::{Value, json};

use super::alias_move::{Move, move_all};
use super::check_facts;
use crate::arguments::Flip;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::servers::{Servers, WhenUnreachable};

pub(super) async fn run(context: &Context, arguments: &Flip) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let servers = Servers::connect(context, "es-manage flip", WhenUnreachable::Fail).await?;
    let moved = plan_and_flip(context, &servers, &pillows, arguments).await;
    servers.end().await;
    moved
}

async fn plan_and_flip(
    context: &Context,
    servers: &Servers,
    pillows: &[Arc<dyn AnyPillow>],
    arguments: &Flip,
) -> Result<Outcome, Failure> {
    let definitions: Vec<&Definition> = pillows.iter().map(|pillow| pillow.definition()).collect();
    let overview = servers.cluster.overview().await?;
    check_facts(context, &servers.cluster, &definitions, &overview).await?;
    // All are checked before one is moved.
    let mut moves = Vec::new();
    for definition in definitions {
        moves.push(plan(context, servers, definition).await?);
    }
    execute(context, servers, moves, arguments, hint).await
}

/// Moves all aliases, unless there is a reason against one of them, and shows it.
pub(super) async fn execute(
    context: &Context,
    servers: &Servers,
    mut moves: Vec<Move>,
    arguments: &Flip,
    hint: impl Fn(&Move) -> String,
) -> Result<Outcome, Failure> {
    let Flip { dry_run, force, .. } = *arguments;
    let age = move_all(context, servers, &mut moves, (force, dry_run), hint).await?;
    let mut listed = Vec::new();
    for Move { pillow, plan, problems, .. } in &moves {
        context.ui.text(&line(plan, dry_run));
        let overridden: Vec<String> = problems.iter().map(ToString::to_string).collect();
        listed.push(json!({
            "pillow": pillow, "alias": plan.alias, "from": plan.from, "to": plan.to,
            "moved": !plan.is_done() && !dry_run, "problems": overridden,
        }));
    }
    context
        .ui
        .json(&json!({"dry_run": dry_run, "flips": Value::from(listed), "age_seconds": age.as_secs_f64()}));
    Ok(Outcome::Done)
}

fn line(plan: &FlipPlan, dry_run: bool) -> String {
    let from = sources(&plan.from);
    match (plan.is_done(), dry_run) {
        (true, _) => format!("{} is on {} already", plan.alias, plan.to),
        (false, true) => format!("{} would move from {from} to {}", plan.alias, plan.to),
        (false, false) => format!("{} moved from {from} to {}", plan.alias, plan.to),
    }
}

/// The indices that an alias moves from.
pub(super) fn sources(from: &[IndexName]) -> String {
    let from: Vec<&str> = from.iter().map(IndexName::as_str).collect();
    if from.is_empty() { "nothing".to_owned() } else { from.join(", ") }
}

/// What would move the alias of one pillow, and the reasons against it.
pub(super) async fn plan(
    context: &Context,
    servers: &Servers,
    definition: &Definition,
) -> Result<Move, Failure> {
    let (cluster, name) = (&servers.cluster, &definition.pillow);
    let hashed = definition.hashed_alias(cluster.prefix());
    let Some(index) = cluster.index_of(&hashed).await? else {
        return Err(Failure::new(format!("pillow `{name}` has no index `{hashed}`"))
            .hint(format!("build it: `PROGRAM fast-reindex {name}`")));
    };
    Move::plan(context, servers, definition, definition, &index).await
}

/// What to do about the reasons against a move.
pub(super) fn hint(planned: &Move) -> String {
    let name = &planned.pillow;
    if planned.is_about_owner() {
        format!(
            "start another `PROGRAM run {name}`, which follows the new index beside the old one; flip, then stop the old one. `--force` moves it anyway"
        )
    } else if planned.is_complete() {
        format!(
            "`PROGRAM verify {name}` compares it with its databases while `PROGRAM run {name}` follows them, and `--repair` processes what differs again; `--force` moves the alias anyway"
        )
    } else {
        format!("`PROGRAM fast-reindex {name}` builds or resumes it; `--force` moves the alias anyway")
    }
}
