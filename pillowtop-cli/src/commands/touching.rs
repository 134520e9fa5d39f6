//! What `process`, `dead-letters replay` and `dead-letters bury` share: documents of one or several
//! pillows, indices and databases that are processed again.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{Stream, TryStreamExt as _};
use pillowtop_core::DocumentId;
use pillowtop_runtime::claim::{ClaimStore, WhenHeld};
use pillowtop_runtime::engine::{DatabaseSelection, Served};
use pillowtop_runtime::request::{RequestKind, RequestResult};
use pillowtop_runtime::touch::{Part, Touch, TouchError, TouchEvent, touch};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Steps, Table, counted};
use crate::servers::{self, Servers};
use crate::stop::Stop;

/// Documents of one pillow, index and database.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) served: Served,
    pub(super) part: Part,
    pub(super) ids: Vec<DocumentId>,
}

/// What became of documents of one pillow, index and database; nothing yet in a dry run.
pub(super) struct Ended {
    pub(super) served: Served,
    pub(super) part: Part,
    /// How many they are.
    pub(super) documents: u64,
    pub(super) result: Option<RequestResult>,
}

impl Job {
    /// What people call it.
    fn describe(&self) -> String {
        let Part { target, database } = &self.part;
        format!("index `{}`, database `{database}`", target.name)
    }

    fn ended(self, result: Option<RequestResult>) -> Ended {
        let Self { served, part, ids } = self;
        Ended { served, part, documents: ids.len() as u64, result }
    }
}

/// Where ids are the same in all databases, a document that is missing in one would be deleted
/// although it is in another.
pub(super) fn check_database(databases: &DatabaseSelection, database: Option<&str>) -> Result<(), Failure> {
    match databases {
        DatabaseSelection::Several { ids_are_global: true, .. } if database.is_none() => {
            Err(Failure::usage("the ids do not show which of several databases the documents are in")
                .hint("name it by `--database`"))
        }
        _ => Ok(()),
    }
}

/// The parts of one database, or all of them.
pub(super) fn choose(all: Vec<Part>, database: Option<&str>) -> Result<Vec<Part>, Failure> {
    let Some(database) = database else { return Ok(all) };
    let names: BTreeSet<String> = all.iter().map(|part| format!("`{}`", part.database)).collect();
    let chosen: Vec<Part> = all.into_iter().filter(|part| part.database.as_str() == database).collect();
    if chosen.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        return Err(Failure::usage(format!("the pillow does not read database `{database}`"))
            .hint(format!("it reads {}", names.join(", "))));
    }
    Ok(chosen)
}

/// Shows what would be done.
pub(super) fn dry_run(context: &Context, jobs: Vec<Job>) -> Outcome {
    let ended: Vec<Ended> = jobs.into_iter().map(|job| job.ended(None)).collect();
    context.ui.note("dry run: nothing is changed");
    show_all(context, &ended, true)
}

/// Processes documents of one part, some at a time: `blocks` has their ids.
pub(super) async fn run_blocks(
    context: &Context,
    servers: &Servers,
    (served, part): (&Served, &Part),
    blocks: impl Stream<Item = Result<Vec<DocumentId>, Failure>>,
    total: u64,
    stop: &Stop,
) -> Result<Ended, Failure> {
    let store = servers.store(served.pillow.definition())?;
    let steps = Steps::start(&context.ui, "processing", total);
    let (mut blocks, mut sum) = (std::pin::pin!(blocks), RequestResult::default());
    while let Some(ids) = blocks.try_next().await? {
        let job = Job { served: served.clone(), part: part.clone(), ids };
        let before = sum.total();
        let show_done = |of_job: u64| steps.set((before + of_job).min(total));
        let result =
            match run_job(context, (servers, &store), &job, RequestKind::Touch, stop, &show_done).await {
                Err(TouchError::Stopped(of_job)) => return Err(stopped(before + of_job.total(), total)),
                result => result.map_err(|error| in_job(error.into(), &job))?,
            };
        sum += result;
    }
    let (served, part) = (served.clone(), part.clone());
    Ok(Ended { served, part, documents: sum.total(), result: Some(sum) })
}

fn stopped(done: u64, total: u64) -> Failure {
    Failure::new(format!("stopped after {done} of {}", counted(total, "document")))
        .hint("run this again: documents may be processed any number of times")
}

/// Processes the documents of all jobs, one job after the other, and shows what became of them.
pub(super) async fn run(
    context: &Context,
    servers: &Servers,
    jobs: Vec<Job>,
    kind: RequestKind,
    stop: &Stop,
) -> Result<Vec<Ended>, Failure> {
    let total = jobs.iter().map(|job| job.ids.len() as u64).sum();
    let steps = Steps::start(&context.ui, "processing", total);
    let (mut ended, mut done) = (Vec::new(), 0);
    for job in jobs {
        let store = servers.store(job.served.pillow.definition())?;
        let show_done = |of_job: u64| steps.set(done + of_job);
        let result = run_job(context, (servers, &store), &job, kind, stop, &show_done).await;
        let result = match result {
            Err(TouchError::Stopped(of_job)) => return Err(stopped(done + of_job.total(), total)),
            result => result.map_err(|error| in_job(error.into(), &job))?,
        };
        done += job.ids.len() as u64;
        ended.push(job.ended(Some(result)));
    }
    Ok(ended)
}

fn in_job(failure: Failure, job: &Job) -> Failure {
    let pillow = &job.served.pillow.definition().pillow;
    let message = format!("{pillow}, {}: {}", job.describe(), failure.message);
    Failure { message, ..failure.for_pillow(pillow) }
}

async fn run_job(
    context: &Context,
    (servers, store): (&Servers, &Arc<dyn ClaimStore>),
    job: &Job,
    kind: RequestKind,
    stop: &Stop,
    show_done: &(dyn Fn(u64) + Sync),
) -> Result<RequestResult, TouchError> {
    let (name, what) = (&job.served.pillow.definition().pillow, job.describe());
    let notify = |event| match event {
        TouchEvent::Owned(owner) => {
            context.ui.note(&format!("{name}: {owner} owns {what} and does the work"));
        }
        TouchEvent::TookClaim => {
            context.ui.note(&format!("{name}: no process follows {what}; this command does the work"));
        }
        TouchEvent::Paused(reason) => context.ui.note(&format!("{name}: paused: {reason}")),
        TouchEvent::Resumed => context.ui.note(&format!("{name}: resumed")),
        TouchEvent::Done(result) => show_done(result.total()),
        _ => {}
    };
    let touched = Touch { kind, ids: job.ids.clone(), acquire: servers::acquire(context, WhenHeld::Fail) };
    touch(&servers.engine, &job.served, store, &job.part, &touched, stop.token(), notify).await
}

/// Shows what became of the documents.
pub(super) fn show(context: &Context, ended: &[Ended]) -> Outcome {
    show_all(context, ended, false)
}

/// Shows what became of the documents, or, of a dry run, how many there are.
pub(super) fn show_all(context: &Context, ended: &[Ended], is_dry_run: bool) -> Outcome {
    let mut table = Table::new(&[
        ("pillow", Align::Left),
        ("index", Align::Left),
        ("database", Align::Left),
        ("documents", Align::Right),
        ("indexed", Align::Right),
        ("removed", Align::Right),
        ("not indexed", Align::Right),
        ("dead letters", Align::Right),
        ("ignored", Align::Right),
    ]);
    ended.iter().for_each(|ended| table.row(cells(ended)));
    context.ui.table(&table);
    let parts: Vec<Value> = ended.iter().map(to_json).collect();
    context.ui.json(&json!({"dry_run": is_dry_run, "parts": parts}));
    let dead_letters = ended.iter().filter_map(|ended| ended.result).any(|result| result.dead_letters > 0);
    if dead_letters { Outcome::Differs } else { Outcome::Done }
}

fn cells(ended: &Ended) -> [String; 9] {
    let Ended { served, part, documents, .. } = ended;
    let count = |count: fn(&RequestResult) -> u64| {
        ended.result.as_ref().map_or_else(|| "-".to_owned(), |result| count(result).to_string())
    };
    [
        served.pillow.definition().pillow.to_string(),
        part.target.name.to_string(),
        part.database.to_string(),
        documents.to_string(),
        count(|result| result.indexed),
        count(|result| result.removed),
        count(|result| result.not_indexed),
        count(|result| result.dead_letters),
        count(|result| result.ignored),
    ]
}

fn to_json(ended: &Ended) -> Value {
    let Ended { served, part, documents, result } = ended;
    let pillow = &served.pillow.definition().pillow;
    json!({"pillow": pillow, "index": part.target.name, "database": part.database, "documents": documents,
        "result": result})
}

#[cfg(test)]
mod tests {
    use pillowtop_runtime::target::TargetRef;

    use super::*;

    #[test]
    fn a_database_that_is_not_read_is_named_with_those_that_are() {
        let target = TargetRef { name: "cases_0_1".into(), uuid: "u".to_owned() };
        let part = |database: &str| Part { target: target.clone(), database: database.into() };
        let all = || vec![part("a"), part("b")];
        assert_eq!(choose(all(), None).unwrap(), all());
        assert_eq!(choose(all(), Some("b")).unwrap(), [part("b")]);
        let failure = choose(all(), Some("c")).unwrap_err();
        assert_eq!((failure.code, failure.hint.as_deref()), (2, Some("it reads `a`, `b`")));
    }

    #[test]
    fn global_ids_need_a_database() {
        let several =
            |ids_are_global| DatabaseSelection::Several { patterns: vec!["*".to_owned()], ids_are_global };
        assert!(check_database(&several(false), None).is_ok());
        assert!(check_database(&several(true), Some("a")).is_ok());
        assert!(check_database(&several(true), None).is_err_and(|failure| failure.code == 2));
        assert!(check_database(&DatabaseSelection::One("a".into()), None).is_ok());
    }
}
