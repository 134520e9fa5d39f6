//! `es-manage flip`: searches move to the indices of the committed mappings, all in one request,
//! and views to the tables of the committed definitions.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, Definition};
use pillowtop_runtime::target::elastic::FlipPlan;
use serde_json::{Value, json};

use super::alias_move::{Move, move_all, movement};
use super::check_facts;
use super::view_move::ViewMove;
use crate::arguments::Flip;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::servers::{Servers, WhenUnreachable};

pub(super) async fn run(context: &Context, arguments: &Flip) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let servers = Servers::connect(context, "es-manage flip", &pillows, WhenUnreachable::Fail).await?;
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
    let (tables, indices) = by_kind(pillows);
    // All are checked before one is moved.
    let (mut moves, mut views) = (Vec::new(), Vec::new());
    if let (Ok(cluster), false) = (servers.cluster(), indices.is_empty()) {
        check_facts(context, cluster, &indices, &cluster.overview().await?).await?;
    }
    for definition in indices {
        moves.push(plan(context, servers, definition).await?);
    }
    for definition in tables {
        views.push(ViewMove::flip(servers, definition).await?);
    }
    execute(context, servers, (moves, &views), arguments, hint).await
}

/// The definitions of tables, and those of indices.
pub(super) fn by_kind(pillows: &[Arc<dyn AnyPillow>]) -> (Vec<&Definition>, Vec<&Definition>) {
    pillows.iter().map(|pillow| pillow.definition()).partition(|definition| definition.is_table())
}

/// Moves all aliases and views, unless there is a reason against one of them, and shows it.
pub(super) async fn execute(
    context: &Context,
    servers: &Servers,
    (mut moves, views): (Vec<Move>, &[ViewMove<'_>]),
    arguments: &Flip,
    hint: impl Fn(&Move) -> String,
) -> Result<Outcome, Failure> {
    let Flip { dry_run, force, .. } = *arguments;
    let refusals = views.iter().filter(|_| !force).filter_map(ViewMove::refusal).collect();
    if let Some(failure) = Failure::of_several(refusals) {
        return Err(failure);
    }
    let mut age = Duration::ZERO;
    if !moves.is_empty() {
        age = move_all(context, servers, &mut moves, (force, dry_run), hint).await?;
    }
    let mut listed = Vec::new();
    for Move { pillow, plan, problems, .. } in &moves {
        context.ui.text(&line(plan, dry_run));
        let overridden: Vec<String> = problems.iter().map(ToString::to_string).collect();
        listed.push(json!({
            "pillow": pillow, "alias": plan.alias, "from": plan.from, "to": plan.to,
            "moved": !plan.is_done() && !dry_run, "problems": overridden,
        }));
    }
    for view in views {
        listed.push(view.run(context, servers, dry_run).await?);
    }
    context
        .ui
        .json(&json!({"dry_run": dry_run, "flips": Value::from(listed), "age_seconds": age.as_secs_f64()}));
    Ok(Outcome::Done)
}

fn line(plan: &FlipPlan, dry_run: bool) -> String {
    movement(plan.alias.as_str(), &plan.from, &plan.to, plan.is_done(), dry_run)
}

/// What would move the alias of one pillow, and the reasons against it.
pub(super) async fn plan(
    context: &Context,
    servers: &Servers,
    definition: &Definition,
) -> Result<Move, Failure> {
    let (cluster, name) = (servers.cluster()?, &definition.pillow);
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
