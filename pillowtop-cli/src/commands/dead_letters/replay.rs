//! `dead-letters replay` and `bury`: documents of dead letters, and documents that stop their
//! pillow, are processed again.

use std::collections::BTreeMap;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DocumentId, PillowName};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::index_id::document_id;
use pillowtop_runtime::request::{RequestKind, RequestResult};
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::target::elastic::{DeadLetterFilter, DeadLettersOf, StoredDeadLetter};
use pillowtop_runtime::touch::{Part, parts};

use super::{check_name, filter_of};
use crate::arguments::Filter;
use crate::commands::touching::{self, Job, check_database, choose};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::counted;
use crate::servers::{Servers, WhenUnreachable};
use crate::stop::Stop;

/// Dead letters that are read at once.
const PAGE: usize = 5000;

/// The ids in the index of dead letters, by the part that they are of.
type Letters = BTreeMap<Part, Vec<DocumentId>>;

pub(super) async fn replay(context: &Context, filter: &Filter, dry_run: bool) -> Result<Outcome, Failure> {
    let stop = Stop::on_signals(&context.ui);
    let pillows = context.concerned(filter.name.as_deref())?;
    let servers = Servers::connect(context, "dead-letters replay", &pillows, WhenUnreachable::Fail).await?;
    let ended = replay_all(context, &servers, filter, dry_run, &stop).await;
    servers.end().await;
    ended
}

async fn replay_all(
    context: &Context,
    servers: &Servers,
    filter: &Filter,
    dry_run: bool,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let filter = filter_of(filter, DeadLettersOf::ExistingIndices);
    let by_pillow = read_all(servers, &filter).await?;
    if by_pillow.is_empty() {
        check_name(context, &filter)?;
        context.ui.text("no dead letters");
    }
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for (name, dead_letters) in by_pillow {
        match context.registry.get(name.as_str()) {
            Some(pillow) => {
                jobs.extend(jobs_of(context, servers, pillow, dead_letters, &mut problems).await?);
            }
            None => problems.push(gone(&name, &dead_letters)),
        }
    }
    let outcome = if dry_run {
        touching::dry_run(context, jobs)
    } else {
        let ended = touching::run(context, servers, jobs, RequestKind::Touch, stop).await?;
        touching::show(context, &ended)
    };
    Failure::of_several(problems).map_or(Ok(outcome), Err)
}

async fn read_all(
    servers: &Servers,
    filter: &DeadLetterFilter,
) -> Result<BTreeMap<PillowName, Letters>, Failure> {
    let mut by_pillow: BTreeMap<PillowName, Letters> = BTreeMap::new();
    for server in servers.all() {
        let mut page = None;
        loop {
            let found = server.dead_letters(filter, PAGE, page.as_ref()).await?;
            for StoredDeadLetter { letter, index_uuid, .. } in found.dead_letters {
                let target = TargetRef { name: letter.index, uuid: index_uuid };
                let part = Part { target, database: letter.database };
                by_pillow.entry(letter.pillow).or_default().entry(part).or_default().push(letter.id);
            }
            page = found.next;
            if page.is_none() {
                break;
            }
        }
    }
    Ok(by_pillow)
}

fn gone(name: &PillowName, dead_letters: &Letters) -> Failure {
    let count = dead_letters.values().map(|ids| ids.len() as u64).sum::<u64>();
    Failure::new(format!(
        "pillow `{name}` is not registered in this program, so its {} cannot be replayed",
        counted(count, "dead letter")
    ))
    .hint(format!("if it is gone for good, `PROGRAM dead-letters purge {name}` removes them"))
}

/// What can be replayed of a pillow. An index that no process follows any more is a problem, and so
/// is an id of another form.
async fn jobs_of(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    dead_letters: Letters,
    problems: &mut Vec<Failure>,
) -> Result<Vec<Job>, Failure> {
    let name = &pillow.definition().pillow;
    require_fresh(std::slice::from_ref(pillow))?;
    let served = servers.served(context, pillow)?;
    let followed =
        parts(&servers.engine, &served).await.map_err(|error| Failure::from(error).for_pillow(name))?;
    let mut jobs = Vec::new();
    for (part, ids) in dead_letters {
        let count = counted(ids.len() as u64, "dead letter");
        let (index, database) = (&part.target.name, &part.database);
        if !followed.contains(&part) {
            let problem = format!(
                "pillow `{name}` does not follow database `{database}` into index `{index}`, so {count} cannot be replayed"
            );
            let hint = format!("`PROGRAM dead-letters purge --index {index}` removes them");
            problems.push(Failure::new(problem).hint(hint));
            continue;
        }
        let (ids, foreign) = in_database(&served, &part, ids);
        if !foreign.is_empty() {
            let problem = format!(
                "{} of pillow `{name}` in index `{index}` with an id that is not of database `{database}`: `{}`",
                counted(foreign.len() as u64, "dead letter"),
                foreign[0]
            );
            let hint = "whether ids begin with their database is set in `[databases]`; build the index again after changing it";
            problems.push(Failure::new(problem).hint(hint));
        }
        if !ids.is_empty() {
            jobs.push(Job { served: served.clone(), part, ids });
        }
    }
    Ok(jobs)
}

/// The `_id`s of these ids of the index, and those that are not of the part's database.
fn in_database(served: &Served, part: &Part, ids: Vec<DocumentId>) -> (Vec<DocumentId>, Vec<DocumentId>) {
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    for id in ids {
        match document_id(&part.database, &id, served.databases.prefixes_ids()) {
            Some(id) => own.push(id),
            None => foreign.push(id),
        }
    }
    (own, foreign)
}

/// A document, by its id in the index.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) database: Option<&'a str>,
}

pub(super) async fn bury(
    context: &Context,
    document: Named<'_>,
    name: Option<&str>,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let pillow = the_pillow(context, name)?;
    require_fresh(std::slice::from_ref(&pillow))?;
    let stop = Stop::on_signals(&context.ui);
    let servers =
        Servers::connect(context, "dead-letters bury", std::slice::from_ref(&pillow), WhenUnreachable::Fail)
            .await?;
    let ended = bury_one(context, &servers, &pillow, document, dry_run, &stop).await;
    servers.end().await;
    ended.map_err(|failure| failure.for_pillow(&pillow.definition().pillow))
}

fn the_pillow(context: &Context, name: Option<&str>) -> Result<Arc<dyn AnyPillow>, Failure> {
    if let Some(name) = name {
        return context.pillow(name).cloned();
    }
    let mut enabled = context.pillows(&[])?;
    match (enabled.pop(), enabled.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Failure::usage("which pillow? Several are enabled").hint("write its name after the id")),
    }
}

async fn bury_one(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    document: Named<'_>,
    dry_run: bool,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let Named { id, database } = document;
    let served = servers.served(context, pillow)?;
    check_database(&served.databases, database)?;
    let mut jobs = Vec::new();
    for part in choose(parts(&servers.engine, &served).await?, database)? {
        let (ids, _) = in_database(&served, &part, vec![DocumentId::from(id)]);
        if !ids.is_empty() {
            jobs.push(Job { served: served.clone(), part, ids });
        }
    }
    if jobs.is_empty() {
        return Err(Failure::usage(format!("no database that the pillow reads has a document `{id}`"))
            .hint("where a pillow reads several databases, an id in the index is `<database>/<_id>`"));
    }
    if dry_run {
        return Ok(touching::dry_run(context, jobs));
    }
    let ended = touching::run(context, servers, jobs, RequestKind::Bury, stop).await?;
    touching::show(context, &ended);
    let mut sum = RequestResult::default();
    ended.iter().filter_map(|ended| ended.result).for_each(|result| sum += result);
    let dead_letters = sum.dead_letters;
    if sum.not_indexed == sum.total() {
        let name = &pillow.definition().pillow;
        return Err(Failure::new(format!(
            "no such dead letter: `{id}` is not a document that pillow `{name}` indexes"
        ))
        .hint("`PROGRAM dead-letters list` shows all of them, with their ids in the index"));
    }
    context.ui.note(&if dead_letters > 0 {
        format!("document `{id}` is a dead letter now, and the pillow continues")
    } else {
        format!("document `{id}` did not fail, so there was nothing to give up on")
    });
    Ok(Outcome::Done)
}
