//! `es-manage flip`: searches move to the indices of the committed mappings, all in one request.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, Definition, IndexName, PillowName};
use pillowtop_runtime::claim::DatabaseIdentity;
use pillowtop_runtime::target::elastic::{FlipPlan, GateOptions, Problem};
use serde_json::{Value, json};

use super::check_facts;
use crate::arguments::Flip;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::servers::{Servers, WhenUnreachable};

/// An alias to move, and the reasons against it.
pub(super) struct Move {
    pub(super) pillow: PillowName,
    pub(super) plan: FlipPlan,
    pub(super) problems: Vec<Problem>,
}

impl Move {
    /// What refuses it. Where nothing is searched yet, nobody has to follow the index either.
    pub(super) fn refusals(&self) -> Vec<&Problem> {
        let is_first = self.plan.from.is_empty();
        let counts = |problem: &&Problem| !(is_first && matches!(problem, Problem::NotFollowed { .. }));
        if self.plan.is_done() { Vec::new() } else { self.problems.iter().filter(counts).collect() }
    }

    /// Whether the only reason against it is that nobody follows the index closely.
    pub(super) fn is_about_owner(&self) -> bool {
        self.refusals().iter().all(|problem| {
            matches!(
                problem,
                Problem::NotFollowed { .. } | Problem::OwnerSilent { .. } | Problem::Behind { .. }
            )
        })
    }
}

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
    execute(context, servers, &moves, arguments, hint).await
}

/// Moves all aliases in one request, unless there is a reason against one of them.
pub(super) async fn execute(
    context: &Context,
    servers: &Servers,
    moves: &[Move],
    arguments: &Flip,
    hint: impl Fn(&Move) -> String,
) -> Result<Outcome, Failure> {
    let Flip { dry_run, force, .. } = *arguments;
    let refused: Vec<Failure> =
        moves.iter().filter(|_| !force).filter_map(|planned| refusal(planned, &hint)).collect();
    if let Some(failure) = Failure::of_several(refused) {
        return Err(failure);
    }
    for planned in moves {
        for problem in planned.refusals() {
            context.ui.note(&format!("overridden by `--force`: {}: {problem}", planned.plan.to));
        }
    }
    if !dry_run {
        let plans: Vec<FlipPlan> = moves.iter().map(|planned| planned.plan.clone()).collect();
        servers.cluster.flip_searches(&plans).await?;
    }
    let mut listed = Vec::new();
    for Move { pillow, plan, problems } in moves {
        context.ui.text(&line(plan, dry_run));
        let overridden: Vec<String> = problems.iter().map(ToString::to_string).collect();
        listed.push(json!({
            "pillow": pillow, "alias": plan.alias, "from": plan.from, "to": plan.to,
            "moved": !plan.is_done() && !dry_run, "problems": overridden,
        }));
    }
    context.ui.json(&json!({"flips": Value::from(listed)}));
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
    let identities = identities(context, servers, definition).await?;
    let problems = cluster.gate(definition, &index, &identities, &GateOptions::default()).await?;
    let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), &index).await?;
    Ok(Move { pillow: name.clone(), plan, problems })
}

/// The databases that a pillow reads, as they are now.
pub(super) async fn identities(
    context: &Context,
    servers: &Servers,
    definition: &Definition,
) -> Result<Vec<DatabaseIdentity>, Failure> {
    let mut identities = Vec::new();
    for database in servers.databases(&context.databases(definition)?).await? {
        identities.push(database.info().await?.identity);
    }
    Ok(identities)
}

/// Why an alias is not moved.
fn refusal(planned: &Move, hint: impl Fn(&Move) -> String) -> Option<Failure> {
    let refusals = planned.refusals();
    if refusals.is_empty() {
        return None;
    }
    let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let failure =
        Failure::new(format!("searches do not move to `{}`: {}", planned.plan.to, reasons.join("; ")));
    Some(failure.hint(hint(planned)))
}

fn hint(planned: &Move) -> String {
    let name = &planned.pillow;
    if planned.is_about_owner() {
        format!(
            "start another `PROGRAM run {name}`, which follows the new index beside the old one; flip, then stop the old one. `--force` moves it anyway"
        )
    } else {
        format!("`PROGRAM fast-reindex {name}` builds or resumes it; `--force` moves the alias anyway")
    }
}
