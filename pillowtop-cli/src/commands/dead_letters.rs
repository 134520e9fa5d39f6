//! `dead-letters`: the changes that could not be indexed.

mod purge;
mod replay;

use pillowtop_core::{DocumentId, PillowName};
use pillowtop_runtime::dead_letter::{DeadLetter, Stage};
use pillowtop_runtime::target::elastic::{DeadLetterFilter, DeadLettersOf, StoredDeadLetter};
use serde_json::json;

use crate::arguments::{DeadLetterAction, Filter};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table, counted};
use crate::servers::target_servers;

/// The most dead letters that are listed.
const MOST: usize = 10_000;
/// The longest reason in a table, in characters.
const REASON: usize = 100;

pub(crate) async fn run(context: &Context, action: &DeadLetterAction) -> Result<Outcome, Failure> {
    match action {
        DeadLetterAction::List { filter, all } => list(context, &filter_of(filter, letters_of(*all))).await,
        DeadLetterAction::Show { id, name } => show(context, id, name.as_deref()).await,
        DeadLetterAction::Replay { filter, dry_run } => replay::replay(context, filter, *dry_run).await,
        DeadLetterAction::Bury { id, name, database, dry_run } => {
            let document = replay::Named { id, database: database.as_deref() };
            replay::bury(context, document, name.as_deref(), *dry_run).await
        }
        DeadLetterAction::Purge { filter, all, yes, dry_run } => {
            purge::run(context, &filter_of(filter, letters_of(*all)), *yes, *dry_run).await
        }
    }
}

fn letters_of(all: bool) -> DeadLettersOf {
    if all { DeadLettersOf::AllIndices } else { DeadLettersOf::ExistingIndices }
}

fn filter_of(filter: &Filter, of: DeadLettersOf) -> DeadLetterFilter {
    let Filter { name, index, database, error_type, stage, since, before } = filter.clone();
    DeadLetterFilter {
        of,
        pillow: name.map(PillowName::from),
        index: index.map(Into::into),
        database: database.map(Into::into),
        id: None,
        stage,
        error_type,
        since,
        before,
    }
}

/// A pillow that is not registered may have dead letters. Without any, its name is probably
/// misspelt.
fn check_name(context: &Context, filter: &DeadLetterFilter) -> Result<(), Failure> {
    match &filter.pillow {
        Some(name) => context.pillow(name.as_str()).map(drop),
        None => Ok(()),
    }
}

/// The dead letters of all servers that match, how many there are, and how many of deleted indices
/// match beside them.
async fn read(
    context: &Context,
    filter: &DeadLetterFilter,
) -> Result<(Vec<StoredDeadLetter>, u64, u64), Failure> {
    let concerned = context.concerned(filter.pillow.as_ref().map(PillowName::as_str))?;
    let (mut all, mut total, mut hidden) = (Vec::new(), 0, 0);
    for server in target_servers(context, &concerned).await? {
        let page = server.dead_letters(filter, MOST, None).await?;
        all.extend(page.dead_letters);
        total += page.total;
        if filter.of == DeadLettersOf::ExistingIndices {
            let of_deleted = DeadLetterFilter { of: DeadLettersOf::DeletedIndices, ..filter.clone() };
            hidden += server.dead_letters(&of_deleted, 0, None).await?.total;
        }
    }
    if all.is_empty() {
        check_name(context, filter)?;
    }
    Ok((all, total, hidden))
}

async fn list(context: &Context, filter: &DeadLetterFilter) -> Result<Outcome, Failure> {
    let (found, total, hidden) = read(context, filter).await?;
    if found.is_empty() {
        context.ui.text("no dead letters");
    } else {
        context.ui.table(&table(&found));
    }
    if total > found.len() as u64 {
        context.ui.note(&format!("the oldest {} of {}", found.len(), counted(total, "dead letter")));
    }
    if hidden > 0 {
        let hidden = counted(hidden, "dead letter");
        context.ui.note(&format!("{hidden} of deleted indices not shown; `--all` shows them too"));
    }
    let dead_letters: Vec<&DeadLetter> = found.iter().map(|stored| &stored.letter).collect();
    context.ui.json(&json!({"dead_letters": dead_letters, "total": total, "hidden": hidden}));
    Ok(Outcome::Done)
}

fn table(dead_letters: &[StoredDeadLetter]) -> Table {
    let columns = ["time", "pillow", "index", "id", "stage", "error", "reason"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    for StoredDeadLetter { letter, index_exists, .. } in dead_letters {
        let deleted = if *index_exists { "" } else { " (deleted)" };
        table.row([
            letter.time.clone(),
            letter.pillow.to_string(),
            format!("{}{deleted}", letter.index),
            letter.id.to_string(),
            stage_name(letter.stage),
            letter.error_type.clone(),
            cut(&letter.reason),
        ]);
    }
    table
}

fn stage_name(stage: Stage) -> String {
    json!(stage).as_str().unwrap_or_default().to_owned()
}

async fn show(context: &Context, id: &str, name: Option<&str>) -> Result<Outcome, Failure> {
    let filter = DeadLetterFilter {
        of: DeadLettersOf::AllIndices,
        pillow: name.map(PillowName::from),
        id: Some(DocumentId::from(id)),
        ..DeadLetterFilter::default()
    };
    let (dead_letters, ..) = read(context, &filter).await?;
    if dead_letters.is_empty() {
        return Err(Failure::new(format!("document `{id}` has no dead letter"))
            .hint("`PROGRAM dead-letters list` shows all of them, with their ids in the index"));
    }
    for (number, stored) in dead_letters.iter().enumerate() {
        if number > 0 {
            context.ui.text("");
        }
        for (member, value) in members(stored) {
            context.ui.text(&format!("{member:<10} {value}"));
        }
    }
    let dead_letters: Vec<&DeadLetter> = dead_letters.iter().map(|stored| &stored.letter).collect();
    context.ui.json(&json!({"dead_letters": dead_letters}));
    Ok(Outcome::Done)
}

/// What a dead letter says, by names for people.
fn members(stored: &StoredDeadLetter) -> Vec<(&'static str, String)> {
    let letter = &stored.letter;
    let deleted = if stored.index_exists { "" } else { ", which was deleted" };
    let mut members = vec![
        ("id", letter.id.to_string()),
        ("pillow", letter.pillow.to_string()),
        ("index", format!("{}{deleted}", letter.index)),
        ("database", letter.database.to_string()),
        ("revision", letter.revision.to_string()),
        ("time", letter.time.clone()),
        ("stage", stage_name(letter.stage)),
        ("error", letter.error_type.clone()),
    ];
    members.extend(letter.path.clone().map(|path| ("path", path)));
    members.push(("reason", letter.reason.clone()));
    members.extend(letter.document.clone().map(|document| ("document", document)));
    members
}

/// A reason as long as a table takes; `…` says that there is more, which `show` and `--json` show.
fn cut(reason: &str) -> String {
    if reason.chars().count() <= REASON {
        return reason.to_owned();
    }
    reason.chars().take(REASON - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_cut_says_so() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"é".repeat(REASON)), "é".repeat(REASON));
        assert_eq!(cut(&"é".repeat(REASON + 1)), "é".repeat(REASON - 1) + "…");
    }

    #[test]
    fn a_filter_has_what_was_given() {
        let given = Filter {
            name: Some("case".to_owned()),
            database: Some("clinic-a".to_owned()),
            stage: Some(Stage::Index),
            before: Some("2026-01-01T00:00:00Z".to_owned()),
            ..Filter::default()
        };
        let filter = filter_of(&given, letters_of(true));
        let expected = DeadLetterFilter {
            of: DeadLettersOf::AllIndices,
            pillow: Some("case".into()),
            database: Some("clinic-a".into()),
            stage: Some(Stage::Index),
            before: Some("2026-01-01T00:00:00Z".to_owned()),
            ..DeadLetterFilter::default()
        };
        assert_eq!(filter, expected);
        assert_eq!(letters_of(false), DeadLettersOf::ExistingIndices);
    }
}
