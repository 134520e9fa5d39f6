//! `es-manage plan` and `es-manage apply`: the plan is shown, compared with what it is once it may
//! be done, and done.

mod backfill;

use std::sync::Arc;

use pillowtop_core::{AnyPillow, Definition, PillowName};
use pillowtop_runtime::target::elastic::{IndexStatus, Overview};
use serde_json::{Value, json};

use super::alias_move::move_all;
use super::plan::{self, Plan, Step};
use super::{check_facts, flip, prune, require_terminal, status};
use crate::commands::confirm::is_confirmed;
use crate::commands::verify;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Align, Table, counted};
use crate::servers::{Servers, WhenUnreachable};
use crate::stop::Stop;

/// How a plan is applied.
pub(super) struct How<'a> {
    /// The plan that is expected.
    pub(super) id: Option<&'a str>,
    pub(super) yes: bool,
    pub(super) dry_run: bool,
}

/// Shows the plan.
pub(super) async fn show(context: &Context, older_than: &str) -> Result<Outcome, Failure> {
    let how = How { id: None, yes: false, dry_run: true };
    run(context, older_than, &how).await
}

pub(super) async fn run(context: &Context, older_than: &str, how: &How<'_>) -> Result<Outcome, Failure> {
    require_terminal(how.yes, how.dry_run, "the plan is to be applied")?;
    let pillows = context.indices(&[])?;
    require_fresh(&pillows)?;
    let stop = Stop::on_signals(&context.ui);
    let servers = Servers::connect(context, "es-manage apply", &pillows, WhenUnreachable::Fail).await?;
    let applier = Applier { context, servers: &servers, pillows: &pillows, older_than, stop: &stop };
    let applied = applier.run(how).await;
    servers.end().await;
    applied
}

struct Applier<'a> {
    context: &'a Context,
    servers: &'a Servers,
    pillows: &'a [Arc<dyn AnyPillow>],
    older_than: &'a str,
    stop: &'a Stop,
}

impl<'a> Applier<'a> {
    fn definitions(&self) -> Vec<&'a Definition> {
        self.pillows.iter().map(|pillow| pillow.definition()).collect()
    }

    async fn run(&self, how: &How<'_>) -> Result<Outcome, Failure> {
        let overview = self.servers.cluster()?.overview().await?;
        check_facts(self.context, self.servers.cluster()?, &self.definitions(), &overview).await?;
        let shown = self.plan(&overview).await?;
        let id = shown.id();
        self.show(&shown);
        if how.id.is_some_and(|expected| expected != id) {
            return Err(changed(&id));
        }
        if how.dry_run || shown.is_empty() {
            self.context.ui.json(&report(&shown, false));
            return Ok(Outcome::Done);
        }
        if !how.yes && !is_confirmed(self.context, "apply this plan?")? {
            return Err(Failure::new("the plan was not applied"));
        }
        // Somebody may have taken a while to answer.
        let overview = self.servers.cluster()?.overview().await?;
        let plan = self.plan(&overview).await?;
        if plan.id() != id {
            return Err(changed(&plan.id()));
        }
        self.apply(&plan).await?;
        self.context.ui.json(&report(&plan, true));
        Ok(Outcome::Done)
    }

    async fn plan<'b>(&self, overview: &'b Overview) -> Result<Plan<'b>, Failure>
    where
        'a: 'b,
    {
        let look = status::look(self.context, self.servers.cluster()?, overview).await;
        plan::make(self.context, self.servers, &look, &self.definitions(), self.older_than).await
    }

    fn show(&self, plan: &Plan<'_>) {
        let ui = &self.context.ui;
        if plan.steps.is_empty() {
            ui.text("nothing to do");
            return;
        }
        let columns = ["step", "pillow", "index", "reason"];
        let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
        plan.steps.iter().for_each(|step| table.row(step.cells()));
        ui.table(&table);
        if plan.is_empty() {
            ui.text("nothing to apply");
        } else {
            ui.text(&format!("plan {}", plan.id()));
        }
    }

    /// Does each step. Searches move in one request, after everything that they need.
    async fn apply(&self, plan: &Plan<'_>) -> Result<(), Failure> {
        let (cluster, ui) = (self.servers.cluster()?, &self.context.ui);
        let (mut flips, mut pruned): (Vec<&PillowName>, Vec<&IndexStatus>) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            match step {
                Step::Extend { definition, index, .. } => {
                    cluster.extend(definition, index).await?;
                    ui.text(&format!("{} has the mapping of hash {}", index.name, definition.hash.short()));
                }
                Step::Backfill { definition, index } => {
                    // A no-op unless an earlier run was interrupted half-way.
                    cluster.extend(definition, index).await?;
                    self.backfill(definition, index).await?;
                }
                Step::Settings { index, changes, .. } => {
                    cluster.put_settings(index, changes).await?;
                    ui.text(&format!("{index}: settings changed"));
                }
                Step::Verify { pillow, .. } => self.verify(pillow).await?,
                Step::Flip(planned) => flips.push(&planned.pillow),
                Step::Prune { index, .. } => pruned.push(index),
                Step::Build { .. } | Step::Wait { .. } | Step::Keep { .. } => {}
            }
        }
        self.flip(&flips).await?;
        if pruned.is_empty() { Ok(()) } else { prune::remove(self.context, cluster, &pruned, false).await }
    }
}

impl Applier<'_> {
    /// Compares the index of a pillow. What differs ends the plan.
    async fn verify(&self, pillow: &PillowName) -> Result<(), Failure> {
        let compared = self.context.pillow(pillow.as_str())?;
        match verify::compare(self.context, self.servers, self.stop, compared).await? {
            0 => Ok(()),
            differences => Err(Failure::new(format!(
                "{pillow}: {} found; no alias was moved",
                counted(differences, "difference")
            ))
            .hint(format!("`PROGRAM verify {pillow} --repair` processes what differs again"))),
        }
    }

    /// Moves the aliases of some pillows in one request, unless there is a reason against it now.
    async fn flip(&self, pillows: &[&PillowName]) -> Result<(), Failure> {
        let mut moves = Vec::new();
        for pillow in pillows {
            let definition = self.context.pillow(pillow.as_str())?.definition();
            moves.push(flip::plan(self.context, self.servers, definition).await?);
        }
        move_all(self.context, self.servers, &mut moves, (false, false), flip::hint).await?;
        for planned in &moves {
            self.context.ui.text(&format!("{} moved to {}", planned.plan.alias, planned.plan.to));
        }
        Ok(())
    }
}

fn changed(id: &str) -> Failure {
    Failure::new(format!("the plan changed: it is {id} now, and nothing was done"))
        .hint("look at it again: `PROGRAM es-manage plan`")
}

fn report(plan: &Plan<'_>, is_applied: bool) -> Value {
    let steps: Vec<Value> = plan.steps.iter().map(Step::to_json).collect();
    json!({"plan": plan.id(), "applied": is_applied, "steps": steps})
}
