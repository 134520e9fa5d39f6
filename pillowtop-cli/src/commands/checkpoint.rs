//! `checkpoint`: how far each index is, and continuing from elsewhere.

mod entries;

mod change;

mod transfer;

use pillowtop_runtime::claim::{PastCheckpoints, is_alive};
use serde_json::{Value, json};

use self::entries::Entry;
use crate::arguments::CheckpointAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table, shortened};

pub(crate) async fn run(context: &Context, action: &CheckpointAction) -> Result<Outcome, Failure> {
    match action {
        CheckpointAction::Show { names } => show(context, names).await,
        CheckpointAction::Set { of, position } => change::set(context, of, position).await,
        CheckpointAction::Reset { of } => change::reset(context, of).await,
        CheckpointAction::ToHead { of } => change::to_head(context, of).await,
        CheckpointAction::Rewind { of, before } => change::rewind(context, of, before).await,
        CheckpointAction::Export { names } => transfer::export(context, names).await,
        CheckpointAction::Import { file, force, dry_run } => {
            transfer::import(context, file, *force, *dry_run).await
        }
    }
}

/// An entry with what is stored beside its claim.
struct Shown {
    entry: Entry,
    is_alive: bool,
    past: usize,
}

async fn show(context: &Context, names: &[String]) -> Result<Outcome, Failure> {
    for name in names {
        context.pillow(name)?;
    }
    let mut all = Vec::new();
    for entry in entries::all(context, &context.pillows(names)?).await? {
        if names.is_empty() || names.iter().any(|name| *name == entry.claim.state.pillow.as_str()) {
            let past = PastCheckpoints::read(entry.store.as_ref(), &entry.key).await?.past.len();
            all.push(Shown { is_alive: owner_lives(&entry).await?, past, entry });
        }
    }
    let columns = ["pillow", "database", "phase", "position", "saved", "owner"];
    let mut columns = columns.map(|name| (name, Align::Left)).to_vec();
    columns.insert(1, ("index", Align::Left));
    columns.push(("past", Align::Right));
    let mut table = Table::new(&columns);
    all.iter().for_each(|shown| table.row(cells(shown)));
    if all.is_empty() {
        context.ui.text("no checkpoints");
    } else {
        context.ui.table(&table);
    }
    let listed: Vec<Value> = all.iter().map(to_json).collect();
    context.ui.json(&json!({"checkpoints": listed}));
    Ok(Outcome::Done)
}

/// Whether somebody follows it. A process of another machine is believed by its lease.
async fn owner_lives(entry: &Entry) -> Result<bool, Failure> {
    match &entry.claim.owner {
        None => Ok(false),
        Some(owner) => Ok(is_alive(entry.store.as_ref(), owner, entry.claim.length()).await?),
    }
}

fn cells(shown: &Shown) -> [String; 8] {
    let state = &shown.entry.claim.state;
    let owner = shown.entry.claim.owner.as_ref().map(ToString::to_string);
    let owner = match (owner, shown.is_alive) {
        (None, _) => "-".to_owned(),
        (Some(owner), true) => owner,
        (Some(owner), false) => format!("{owner} (gone)"),
    };
    [
        state.pillow.to_string(),
        shown.entry.index.to_string(),
        state.database.name.to_string(),
        state.phase.to_string(),
        shortened(state.position().as_str()),
        shown.entry.claim.saved.clone(),
        owner,
        shown.past.to_string(),
    ]
}

fn to_json(shown: &Shown) -> Value {
    let mut value = transfer::to_json(&shown.entry);
    let owner = shown.entry.claim.owner.as_ref().map(ToString::to_string);
    value["owner"] = json!(owner);
    value["owner_is_alive"] = json!(shown.is_alive);
    value["past"] = json!(shown.past);
    value
}
