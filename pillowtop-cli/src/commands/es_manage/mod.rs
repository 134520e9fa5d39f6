//! `es-manage`: indices and their aliases, tables and their views.

mod alias_move;

pub(super) mod state;

mod cells;
mod table_status;

mod view_move;

mod flip;

mod prune;

mod dropped;

mod rollback;
mod status;

mod plan;

mod apply;

#[cfg(test)]
mod samples;

use std::io::IsTerminal as _;

use pillowtop_core::Definition;
use pillowtop_runtime::target::elastic::{Cluster, ClusterFact, IndexStatus, Overview};

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
            fact => context.ui.note(&fact.to_string()),
        }
    }
    Failure::of_several(forbidden).map_or(Ok(()), Err)
}

/// An error if somebody has to be asked and nobody can be.
fn require_terminal(yes: bool, dry_run: bool, what: &str) -> Result<(), Failure> {
    if yes || dry_run || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(format!("cannot ask whether {what}: there is no terminal"))
        .hint("give `--yes`, or `--dry-run` to see what would be done"))
}

/// A number that may not be known.
fn number(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn megabytes(index: Option<&IndexStatus>) -> String {
    number(index.and_then(|index| index.bytes).map(|bytes| bytes.div_ceil(1_000_000)))
}

/// `1 index`, `2 indices`.
fn indices(number: usize) -> String {
    if number == 1 { "1 index".to_owned() } else { format!("{number} indices") }
}
