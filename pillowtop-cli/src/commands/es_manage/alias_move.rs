//! An alias that is to move, the reasons against it, and the move: what `flip`, `rollback` and
//! `apply` share.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pillowtop_core::{Definition, IndexName, PillowName};
use pillowtop_runtime::caught_up::{PATIENCE, pending_changes};
use pillowtop_runtime::claim::ClaimKey;
use pillowtop_runtime::source::CouchDatabase;
use pillowtop_runtime::target::elastic::{Expected, FlipPlan, GateOptions, Problem};

use crate::context::Context;
use crate::exit::Failure;
use crate::servers::Servers;

/// An alias to move, and the reasons against it.
pub(super) struct Move {
    pub(super) pillow: PillowName,
    pub(super) plan: FlipPlan,
    pub(super) problems: Vec<Problem>,
    /// The claims on the index, with what they are filled from.
    parts: Vec<(ClaimKey, CouchDatabase)>,
}

impl Move {
    /// What would move the alias of a pillow to an index, and the reasons against it.
    pub(super) async fn plan<'a>(
        context: &Context,
        servers: &Servers,
        definition: &Definition,
        expected: impl Into<Expected<'a>>,
        index: &IndexName,
    ) -> Result<Self, Failure> {
        let cluster = servers.cluster()?;
        let databases = servers.databases(&context.databases(definition)?).await?;
        let mut identities = Vec::new();
        for database in &databases {
            identities.push(database.info().await?.identity);
        }
        let problems = cluster.gate(expected, index, &identities, &GateOptions::default()).await?;
        let keys = cluster.claim_keys(index, &identities).await?;
        let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), index).await?;
        let parts = keys.into_iter().zip(databases).collect();
        Ok(Self { pillow: definition.pillow.clone(), plan, problems, parts })
    }

    /// What refuses it. Where nothing is searched yet, nobody has to follow the index or to have
    /// compared it either.
    pub(super) fn refusals(&self) -> Vec<&Problem> {
        let is_first = self.plan.from.is_empty();
        let is_excused =
            |problem: &Problem| matches!(problem, Problem::NotFollowed { .. } | Problem::NotVerified { .. });
        let counts = |problem: &&Problem| !(is_first && is_excused(problem));
        if self.plan.is_done() { Vec::new() } else { self.problems.iter().filter(counts).collect() }
    }

    /// Whether somebody follows the index, as far as the problems tell.
    pub(super) fn is_followed(&self) -> bool {
        !self.problems.iter().any(|problem| matches!(problem, Problem::NotFollowed { .. }))
    }

    /// Takes the index as one that will be followed, and caught up, before the alias moves.
    pub(super) fn follow_first(&mut self) {
        self.problems.retain(|problem| !matches!(problem, Problem::NotFollowed { .. }));
        self.parts.clear();
    }

    /// Whether all reasons against it are of some kind.
    fn is_only(&self, kind: impl Fn(&Problem) -> bool) -> bool {
        self.refusals().into_iter().all(kind)
    }

    /// Whether the only reason against it is that nobody follows the index closely.
    pub(super) fn is_about_owner(&self) -> bool {
        self.is_only(is_about_owner)
    }

    /// Whether the only reason against it is that the index was not compared with its databases.
    pub(super) fn is_about_comparison(&self) -> bool {
        self.is_only(|problem| matches!(problem, Problem::NotVerified { .. }))
    }

    /// The same, or that nobody follows it closely.
    pub(super) fn is_complete(&self) -> bool {
        self.is_only(|problem| {
            is_about_owner(problem)
                || matches!(problem, Problem::NotVerified { .. } | Problem::Differs { .. })
        })
    }

    /// The changes of the databases that are not in the index, after they were waited for. Where
    /// nobody follows it yet, nobody will apply them.
    async fn pending(&self, servers: &Servers, patience: Duration) -> Result<Vec<Problem>, Failure> {
        let mut behind = Vec::new();
        if self.plan.is_done() || !self.is_followed() {
            return Ok(behind);
        }
        let store = servers.lease()?.store();
        for (key, database) in &self.parts {
            let pending = pending_changes(database, store.as_ref(), key, patience).await?;
            if pending > 0 {
                behind.push(Problem::Behind { database: database.name().to_string(), pending });
            }
        }
        Ok(behind)
    }
}

fn is_about_owner(problem: &Problem) -> bool {
    matches!(problem, Problem::NotFollowed { .. } | Problem::OwnerSilent { .. } | Problem::Behind { .. })
}

/// Moves all aliases in one request, unless there is a reason against one of them: those of the
/// plans, and changes that are not applied in time. Returns how old the indices may be then: what
/// the databases had before is in them.
pub(super) async fn move_all(
    context: &Context,
    servers: &Servers,
    moves: &mut [Move],
    (force, dry_run): (bool, bool),
    hint: impl Fn(&Move) -> String,
) -> Result<Duration, Failure> {
    let refused = |moves: &[Move]| -> Result<(), Failure> {
        let refused = moves.iter().filter(|_| !force).filter_map(|planned| refusal(planned, &hint)).collect();
        Failure::of_several(refused).map_or(Ok(()), Err)
    };
    refused(moves)?;
    let began = Instant::now();
    if moves.iter().any(|planned| !planned.plan.is_done() && planned.is_followed()) {
        context.ui.note("waiting until what the databases have now is in the indices");
    }
    let patience = if force { Duration::ZERO } else { PATIENCE };
    let waited = join_all(moves.iter().map(|planned| planned.pending(servers, patience))).await;
    for (planned, behind) in moves.iter_mut().zip(waited) {
        planned.problems.extend(behind?);
    }
    refused(moves)?;
    for planned in moves.iter() {
        let refusals = planned.refusals();
        for problem in &refusals {
            context.ui.note(&format!("overridden by `--force`: {}: {problem}", planned.plan.to));
        }
        // What is applied is to be found.
        if refusals.is_empty() && !planned.plan.is_done() && !dry_run {
            servers.cluster()?.refresh(&planned.plan.to).await?;
        }
    }
    if !dry_run {
        let plans: Vec<FlipPlan> = moves.iter().map(|planned| planned.plan.clone()).collect();
        servers.cluster()?.flip_searches(&plans).await?;
    }
    Ok(began.elapsed())
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

/// What became of an alias or of views.
pub(super) fn movement(
    alias: &str,
    from: &[IndexName],
    to: &IndexName,
    is_done: bool,
    dry_run: bool,
) -> String {
    let from = sources(from);
    match (is_done, dry_run) {
        (true, _) => format!("{alias} is on {to} already"),
        (false, true) => format!("{alias} would move from {from} to {to}"),
        (false, false) => format!("{alias} moved from {from} to {to}"),
    }
}

/// The indices that an alias moves from.
pub(super) fn sources(from: &[IndexName]) -> String {
    let from: Vec<&str> = from.iter().map(IndexName::as_str).collect();
    if from.is_empty() { "nothing".to_owned() } else { from.join(", ") }
}
