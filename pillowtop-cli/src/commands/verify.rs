//! `verify`: compares indices and tables with their databases, and has what differs processed again.

mod print;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pillowtop_core::{AnyPillow, DatabaseName, PillowName};
use pillowtop_runtime::claim::last_verified;
use pillowtop_runtime::engine::{DatabaseSelection, Served};
use pillowtop_runtime::request::{RequestKind, RequestResult};
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::touch::{Part, parts};
use pillowtop_runtime::verify::{
    Bodies, Found, Ids, Kind, Verification, Verify, VerifyEvent, VerifyOptions, strays,
};

use super::confirm::is_confirmed;
use super::touching::{self, Job, choose};
use crate::arguments;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Steps, counted};
use crate::servers::{Servers, WhenUnreachable};
use crate::stop::Stop;

/// Documents that are processed again with one claim.
const REPAIRED_AT_ONCE: usize = 5000;
/// So many documents are deleted without asking.
const UNASKED_DELETIONS: u64 = 1000;

/// A comparison that has ended.
struct Compared {
    pillow: PillowName,
    part: Part,
    verification: Verification,
    /// What became of the documents that were processed again.
    repaired: Option<RequestResult>,
    /// How many documents still differ, as far as is known.
    left: u64,
}

/// Documents of an index that are of none of the databases.
struct Strays {
    pillow: PillowName,
    target: TargetRef,
    found: Found,
}

/// Everything that was found.
#[derive(Default)]
struct Results {
    compared: Vec<Compared>,
    strays: Vec<Strays>,
}

impl Results {
    /// How many documents differ.
    fn differences(&self) -> u64 {
        let left: u64 = self.compared.iter().map(|compared| compared.left).sum();
        left + self.strays.iter().map(|strays| strays.found.count).sum::<u64>()
    }
}

/// What a command compares with.
struct Command<'a> {
    context: &'a Context,
    servers: &'a Servers,
    arguments: &'a arguments::Verify,
    stop: &'a Stop,
}

pub(crate) async fn run(context: &Context, arguments: &arguments::Verify) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let stop = Stop::on_signals(&context.ui);
    let servers = Servers::connect(context, "verify", &pillows, WhenUnreachable::Fail).await?;
    let command = Command { context, servers: &servers, arguments, stop: &stop };
    let ended = command.all(&pillows).await;
    servers.end().await;
    ended
}

/// Compares one pillow as the command does without options, and stores and shows what was found.
/// Returns how many documents differ.
pub(super) async fn compare(
    context: &Context,
    servers: &Servers,
    stop: &Stop,
    pillow: &Arc<dyn AnyPillow>,
) -> Result<u64, Failure> {
    let arguments = arguments::Verify::plain();
    let command = Command { context, servers, arguments: &arguments, stop };
    let mut results = Results::default();
    command.pillow(pillow, &mut results).await?;
    print::show_text(context, &results);
    Ok(results.differences())
}

impl Command<'_> {
    /// Compares all pillows. One that cannot be compared does not keep the others from it.
    async fn all(&self, pillows: &[Arc<dyn AnyPillow>]) -> Result<Outcome, Failure> {
        let (mut results, mut failures) = (Results::default(), Vec::new());
        for pillow in pillows {
            let name = &pillow.definition().pillow;
            if let Err(failure) = self.pillow(pillow, &mut results).await {
                let message = format!("{name}: {}", failure.message);
                failures.push(Failure { message, ..failure.for_pillow(name) });
            }
            if self.stop.token().is_cancelled() {
                break;
            }
        }
        print::show(self.context, &results, self.arguments.dry_run);
        let outcome = if results.differences() == 0 { Outcome::Done } else { Outcome::Differs };
        Failure::of_several(failures).map_or(Ok(outcome), Err)
    }

    async fn pillow(&self, pillow: &Arc<dyn AnyPillow>, results: &mut Results) -> Result<(), Failure> {
        let served = self.servers.served(self.context, pillow)?;
        let all = parts(&self.servers.engine, &served).await?;
        if let (DatabaseSelection::Several { .. }, None) = (&served.databases, &self.arguments.database) {
            self.strays(&served, &all, results).await?;
        }
        for part in choose(all, self.arguments.database.as_deref())? {
            if self.arguments.once && self.was_equal(&served, &part).await? {
                continue;
            }
            let compared = self.part(&served, part).await?;
            results.compared.push(compared);
        }
        Ok(())
    }

    /// Whether the last comparison found no difference.
    async fn was_equal(&self, served: &Served, part: &Part) -> Result<bool, Failure> {
        let store = self.servers.store(served.pillow.definition())?;
        let last = last_verified(store.as_ref(), &part.claim(served)).await?;
        let Some(last) = last.filter(|last| last.differences() == 0) else { return Ok(false) };
        let (index, time) = (&part.target.name, &last.ended);
        self.context.ui.note(&format!("{index}: compared at {time}, without differences"));
        Ok(true)
    }

    /// Documents that no comparison of one database finds.
    async fn strays(&self, served: &Served, all: &[Part], results: &mut Results) -> Result<(), Failure> {
        let mut databases: BTreeMap<&TargetRef, BTreeSet<DatabaseName>> = BTreeMap::new();
        for part in all {
            databases.entry(&part.target).or_default().insert(part.database.clone());
        }
        for (target, databases) in databases {
            let found = strays(served, target, &databases, self.options().examples).await?;
            if found.count > 0 {
                let pillow = served.pillow.definition().pillow.clone();
                results.strays.push(Strays { pillow, target: target.clone(), found });
            }
        }
        Ok(())
    }

    async fn part(&self, served: &Served, part: Part) -> Result<Compared, Failure> {
        let pillow = served.pillow.definition().pillow.clone();
        let mut verification = self.compare(served, &part).await?;
        let differences = verification.record(0).differences();
        let (mut repaired, mut left) = (None, differences);
        let ids = std::mem::take(&mut verification.repairable);
        if self.arguments.repair && !self.arguments.dry_run && ids.count() > 0 {
            self.check_deletions(&part, &verification)?;
            let unrepairable = differences.saturating_sub(ids.count());
            let result = self.repair(served, &part, ids).await?;
            repaired = Some(result);
            left = unrepairable + result.dead_letters + result.ignored;
        }
        if !self.arguments.dry_run {
            let record = verification.record(repaired.map_or(0, |result| result.total()));
            let store = self.servers.store(served.pillow.definition())?;
            record.store(store.as_ref(), &part.claim(served)).await?;
        }
        Ok(Compared { pillow, part, verification, repaired, left })
    }

    async fn compare(&self, served: &Served, part: &Part) -> Result<Verification, Failure> {
        let store = self.servers.store(served.pillow.definition())?;
        let options = self.options();
        let verify = Verify { engine: &self.servers.engine, served, store: &store, part, options };
        let name = served.pillow.definition().pillow.as_str();
        let progress = Progress { context: self.context, name, shown: Mutex::new(None) };
        Ok(verify.run(self.stop.token(), |event| progress.show(event)).await?)
    }

    fn options(&self) -> VerifyOptions {
        let arguments = self.arguments;
        let mut options = VerifyOptions::default();
        options.bodies = if arguments.all_bodies { Bodies::All } else { Bodies::Sample(arguments.sample) };
        options.ignore.clone_from(&arguments.ignore);
        options.patience = Duration::from_secs(arguments.patience);
        options
    }

    /// Fails unless so many documents may be deleted.
    fn check_deletions(&self, part: &Part, verification: &Verification) -> Result<(), Failure> {
        let deletions = verification.count(Kind::Extra);
        let unasked = UNASKED_DELETIONS.max(verification.index_documents / 100);
        if deletions <= unasked || self.arguments.yes {
            return Ok(());
        }
        let what = format!(
            "{} of {} in index `{}`",
            counted(deletions, "document"),
            verification.index_documents,
            part.target.name
        );
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(format!(
                "{what} would be deleted, and there is no terminal to confirm it"
            ))
            .hint("look at them with `--dry-run`, then give `--yes`"));
        }
        let question = format!(
            "delete up to {what}? The database reported each of them as deleted, missing, or not the pillow's."
        );
        if is_confirmed(self.context, &question)? {
            return Ok(());
        }
        Err(Failure::new("nothing was repaired"))
    }

    /// Has documents processed again.
    async fn repair(&self, served: &Served, part: &Part, ids: Ids) -> Result<RequestResult, Failure> {
        let mut total = RequestResult::default();
        for chunk in ids.into_chunks(REPAIRED_AT_ONCE)? {
            let job = Job { served: served.clone(), part: part.clone(), ids: chunk? };
            let (context, servers) = (self.context, self.servers);
            let ended = touching::run(context, servers, vec![job], RequestKind::Touch, self.stop).await?;
            ended.iter().filter_map(|ended| ended.result).for_each(|result| total += result);
        }
        Ok(total)
    }
}

/// The progress of one comparison.
struct Progress<'a> {
    context: &'a Context,
    name: &'a str,
    shown: Mutex<Option<(&'static str, Steps)>>,
}

impl Progress<'_> {
    fn show(&self, event: VerifyEvent) {
        match event {
            VerifyEvent::Listing { done, total } => self.set("listing", done, total),
            VerifyEvent::Comparing { done, total } => self.set("comparing", done, total),
            VerifyEvent::Settling { documents } if !self.context.ui.draws() => {
                self.context.ui.note(&format!(
                    "{}: looking again at {} that may differ",
                    self.name,
                    counted(documents, "document")
                ));
            }
            _ => {}
        }
    }

    fn set(&self, doing: &'static str, done: u64, total: u64) {
        // Nothing panics while it is held.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_none_or(|(shown, _)| *shown != doing) {
            // The one before is cleared first.
            *shown = None;
            let steps = Steps::start(&self.context.ui, &format!("{}: {doing}", self.name), total);
            *shown = Some((doing, steps));
        }
        if let Some((_, steps)) = shown.as_ref() {
            steps.set_total(total);
            steps.set(done);
        }
    }
}
