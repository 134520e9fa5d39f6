//! `checkpoint set`, `reset`, `to-head` and `rewind`: a position is stored, and whoever follows
//! continues from it.

use std::time::Duration;

use pillowtop_core::Sequence;
use pillowtop_runtime::claim::{DatabaseIdentity, PastCheckpoints, set_position};
use pillowtop_runtime::request::{RequestKind, submit, wait, withdraw};
use pillowtop_runtime::source::{
    CouchError, FeedEvent, FeedMode, FeedRequest, Source as _, SourceError, head,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::entries::{self, Entry};
use super::owner_lives;
use crate::arguments::Of;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Steps, Table, shortened};
use crate::servers::{self, WhenUnreachable};

/// How long a running owner may take to continue from the new position.
const PATIENCE: Duration = Duration::from_mins(1);

/// A position to be stored.
pub(super) struct Change {
    pub(super) entry: Entry,
    pub(super) position: Sequence,
    /// Whether an index that was restored from a snapshot is taken as it is.
    pub(super) accepts_restored: bool,
}

/// A change, and who follows.
struct Changed {
    change: Change,
    /// What the owner does.
    owner: &'static str,
    /// The request that tells a running owner.
    request: Vec<String>,
}

impl Changed {
    fn planned(change: Change) -> Self {
        Self { change, owner: "-", request: Vec::new() }
    }
}

pub(super) async fn set(context: &Context, of: &Of, position: &str) -> Result<Outcome, Failure> {
    if position.trim().is_empty() {
        return Err(Failure::usage("the position is empty").hint("`checkpoint reset` reads from the start"));
    }
    let chosen = chosen(context, of).await?;
    let mut databases: Vec<&str> =
        chosen.iter().map(|entry| entry.claim.state.database.name.as_str()).collect();
    databases.sort_unstable();
    databases.dedup();
    if databases.len() > 1 {
        let databases = databases.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!(
            "a position is of one database, and the pillow reads {databases}"
        ))
        .hint("name one by `--database`"));
    }
    let position = Sequence::from(position);
    if let Some(entry) = chosen.first() {
        check_position(context, &of.name, &entry.claim.state.database, &position).await?;
    }
    apply(context, to(chosen, &position, true), of.dry_run).await
}

/// Opens the feed at a position: one that the database does not know would pause whoever follows.
async fn check_position(
    context: &Context,
    name: &str,
    identity: &DatabaseIdentity,
    position: &Sequence,
) -> Result<(), Failure> {
    let couch = servers::couch(context, WhenUnreachable::Fail).await?;
    let request = FeedRequest {
        since: position.clone(),
        identity: identity.clone(),
        mode: FeedMode::OneShot,
        selector: None,
    };
    match couch.database(identity.name.clone()).open(request).next().await {
        Some(Err(SourceError::Couch(CouchError::UnknownPosition { database, reason }))) => {
            let position = shortened(position.as_str());
            Err(Failure::new(format!(
                "database `{database}` does not know the position `{position}`: {reason}"
            ))
            .hint(format!("`PROGRAM checkpoint show {name}` shows valid ones")))
        }
        Some(Err(error)) => Err(error.into()),
        Some(Ok(FeedEvent::Waiting(reason))) => {
            Err(Failure::new(format!("the position cannot be checked: {reason}")))
        }
        _ => Ok(()),
    }
}

pub(super) async fn reset(context: &Context, of: &Of) -> Result<Outcome, Failure> {
    let chosen = chosen(context, of).await?;
    apply(context, to(chosen, &Sequence::start(), true), of.dry_run).await
}

pub(super) async fn to_head(context: &Context, of: &Of) -> Result<Outcome, Failure> {
    let chosen = chosen(context, of).await?;
    let couch = servers::couch(context, WhenUnreachable::Fail).await?;
    let steps = Steps::start(&context.ui, "reading the ends of feeds", chosen.len() as u64);
    let mut changes = Vec::new();
    for entry in chosen {
        let identity = &entry.claim.state.database;
        let position = head(&couch.database(identity.name.clone()), identity).await?;
        changes.push(Change { entry, position, accepts_restored: false });
        steps.set(changes.len() as u64);
    }
    drop(steps);
    let outcome = apply(context, changes, of.dry_run).await?;
    let skips = if of.dry_run { "would be skipped" } else { "are skipped" };
    context.ui.note(&format!(
        "changes between the earlier position and this one {skips}: the target lacks them until it is compared with the database and repaired",
    ));
    Ok(outcome)
}

pub(super) async fn rewind(context: &Context, of: &Of, before: &str) -> Result<Outcome, Failure> {
    let chosen = chosen(context, of).await?;
    let mut changes = Vec::new();
    for entry in chosen {
        let past = PastCheckpoints::read(entry.store.as_ref(), &entry.key).await?;
        let position = past_position(&past, before).map_err(|problem| {
            let database = &entry.claim.state.database.name;
            Failure::new(format!("index `{}`, database `{database}`: {problem}", entry.index))
                .hint(format!("`PROGRAM checkpoint reset {}` reads the whole database again", of.name))
        })?;
        changes.push(Change { entry, position, accepts_restored: true });
    }
    apply(context, changes, of.dry_run).await
}

/// The last position that was stored before a time.
fn past_position(past: &PastCheckpoints, before: &str) -> Result<Sequence, String> {
    match (past.before(before), past.past.first()) {
        (Some(checkpoint), _) => Ok(checkpoint.since.clone()),
        (None, Some(oldest)) => {
            Err(format!("no checkpoint was stored before {before}; the oldest is of {}", oldest.time))
        }
        (None, None) => Err("no earlier checkpoint is stored".to_owned()),
    }
}

fn to(chosen: Vec<Entry>, position: &Sequence, accepts_restored: bool) -> Vec<Change> {
    let change = |entry| Change { entry, position: position.clone(), accepts_restored };
    chosen.into_iter().map(change).collect()
}

async fn chosen(context: &Context, of: &Of) -> Result<Vec<Entry>, Failure> {
    let pillow = context.pillow(&of.name)?;
    let all = entries::all(context, std::slice::from_ref(pillow)).await?;
    entries::choose(all, of, pillow.definition())
}

/// Stores positions, waits until running owners continue from them, and shows what was done.
pub(super) async fn apply(
    context: &Context,
    changes: Vec<Change>,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let mut changed: Vec<Changed> = changes.into_iter().map(Changed::planned).collect();
    if dry_run {
        context.ui.note("dry run: nothing is changed");
    } else {
        for changed in &mut changed {
            store_position(changed).await?;
        }
        let deadline = Instant::now() + PATIENCE;
        let steps = Steps::start(&context.ui, "waiting for owners", changed.len() as u64);
        for (done, changed) in (1..).zip(&mut changed) {
            confirm(changed, deadline).await?;
            steps.set(done);
        }
    }
    show(context, &changed, dry_run);
    Ok(Outcome::Done)
}

/// Stores a position, and tells a running owner.
async fn store_position(changed: &mut Changed) -> Result<(), Failure> {
    let Change { entry, position, accepts_restored } = &changed.change;
    let store = entry.store.as_ref();
    let is_owned = owner_lives(entry).await?;
    if !set_position(store, &entry.key, position, *accepts_restored).await? {
        return Err(Failure::new(format!("the checkpoint of index `{}` was removed meanwhile", entry.index)));
    }
    changed.owner = "none";
    if is_owned {
        changed.request = submit(store, &entry.key, RequestKind::Reload, &[]).await?;
    }
    Ok(())
}

/// Waits until a running owner continues from the new position. One that does not notice now does
/// so with its next save.
async fn confirm(changed: &mut Changed, deadline: Instant) -> Result<(), Failure> {
    if changed.request.is_empty() {
        return Ok(());
    }
    let store = changed.change.entry.store.as_ref();
    match tokio::time::timeout_at(deadline, wait(store, &changed.request, |_| ())).await {
        Ok(waited) => {
            waited?;
            changed.owner = "continues from there";
        }
        Err(_) => {
            withdraw(store, &changed.request).await?;
            changed.owner = "has not noticed yet";
        }
    }
    Ok(())
}

fn show(context: &Context, all: &[Changed], dry_run: bool) {
    let columns = ["pillow", "index", "database", "before", "after", "owner"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    for Changed { change: Change { entry, position, .. }, owner, .. } in all {
        let state = &entry.claim.state;
        table.row([
            state.pillow.to_string(),
            entry.index.to_string(),
            state.database.name.to_string(),
            shortened(state.position().as_str()),
            shortened(position.as_str()),
            (*owner).to_owned(),
        ]);
    }
    context.ui.table(&table);
    let changed: Vec<Value> = all.iter().map(to_json).collect();
    context.ui.json(&json!({"dry_run": dry_run, "checkpoints": changed}));
}

fn to_json(changed: &Changed) -> Value {
    let Change { entry, position, .. } = &changed.change;
    let state = &entry.claim.state;
    json!({
        "pillow": state.pillow, "index": entry.index, "database": state.database.name,
        "before": state.position(), "after": position, "owner": changed.owner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_position_before_a_time_is_found_or_the_oldest_is_named() {
        let mut past = PastCheckpoints::default();
        assert!(
            past_position(&past, "2026-01-01T00:00:00Z").is_err_and(|error| error.contains("no earlier"))
        );
        past.add("a".into(), "2026-01-01T00:00:00Z");
        past.add("b".into(), "2026-01-02T00:00:00Z");
        assert_eq!(past_position(&past, "2026-01-01T12:00:00Z"), Ok("a".into()));
        assert_eq!(past_position(&past, "2026-01-03T00:00:00Z"), Ok("b".into()));
        let error = past_position(&past, "2026-01-01T00:00:00Z").unwrap_err();
        assert!(error.ends_with("the oldest is of 2026-01-01T00:00:00Z"), "{error}");
    }
}
