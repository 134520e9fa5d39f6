//! `es-manage`: indices and aliases.

mod flip;
mod prune;
pub(super) mod state;

mod rollback;
mod status;

mod plan;

mod apply;

#[cfg(test)]
mod samples;

use std::io::{BufRead as _, IsTerminal as _};

use pillowtop_core::Definition;
use pillowtop_runtime::target::elastic::{Cluster, ClusterFact, Overview};

use crate::arguments::EsAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};

pub(crate) async fn run(context: &Context, action: &EsAction) -> Result<Outcome, Failure> {
    match action {
        EsAction::Status { watch } => status::run(context, *watch).await,
        EsAction::Plan { age } => apply::show(context, &age.older_than).await,
        EsAction::Apply { age, plan, yes, dry_run } => {
            let how = apply::How { id: plan.as_deref(), yes: *yes, dry_run: *dry_run };
            apply::run(context, &age.older_than, &how).await
        }
        EsAction::Flip(arguments) => flip::run(context, arguments).await,
        EsAction::Rollback(arguments) => rollback::run(context, arguments).await,
        EsAction::Prune { age, close, yes, dry_run } => {
            let how = prune::How { close: *close, yes: *yes, dry_run: *dry_run };
            prune::run(context, &age.older_than, &how).await
        }
    }
}

/// Refuses what the cluster's state forbids, and tells the rest, before anything is changed.
pub(super) async fn check_facts(
    context: &Context,
    cluster: &Cluster,
    definitions: &[&Definition],
    overview: &Overview,
) -> Result<(), Failure> {
    let mut forbidden = Vec::new();
    for fact in cluster.facts(definitions, overview).await? {
        match fact {
            // How far an index is, and that nobody can use it, is told by what looks at that.
            ClusterFact::Closed(_) | ClusterFact::Red(_) => {}
            fact if fact.forbids() => forbidden.push(Failure::new(fact)),
            ClusterFact::HarmlessTemplate { .. } => tracing::debug!("{fact}"),
            fact => context.talk.note(&fact.to_string()),
        }
    }
    Failure::of_several(forbidden).map_or(Ok(()), Err)
}

/// An error if somebody has to be asked and nobody can be.
fn require_terminal(yes: bool, dry_run: bool, what: &str) -> Result<(), Failure> {
    if yes || dry_run || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(format!("nobody can be asked whether {what}"))
        .hint("give `--yes`, or `--dry-run` to see what would be done"))
}

/// Asks at the terminal.
fn is_confirmed(context: &Context, question: &str) -> Result<bool, Failure> {
    context.talk.ask(question);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// `1 index`, `2 indices`.
fn indices(number: usize) -> String {
    if number == 1 { "1 index".to_owned() } else { format!("{number} indices") }
}
