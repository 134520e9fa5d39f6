//! `run --dry-run`: what would be followed, and from where.

use pillowtop_core::{IndexName, PillowName};
use pillowtop_runtime::claim::{is_alive, read};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::touch::{Part, parts};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table, shortened};
use crate::servers::Servers;

/// A database that would be followed into an index.
struct Planned {
    pillow: PillowName,
    index: IndexName,
    database: String,
    /// Where it would continue; `None`: at the start of the database.
    position: Option<String>,
    phase: Option<String>,
    /// A live process that follows it already.
    owner: Option<String>,
}

/// Shows what would be followed. A pillow without a complete index is an error.
pub(super) async fn show(context: &Context, servers: &Servers, all: &[Served]) -> Result<Outcome, Failure> {
    let (mut planned, mut problems) = (Vec::new(), Vec::new());
    for served in all {
        let name = &served.pillow.definition().pillow;
        match parts(&servers.engine, served).await {
            Ok(parts) => {
                for part in parts {
                    planned.push(plan(servers, served, part).await?);
                }
            }
            Err(error) => problems.push(Failure::from(error).for_pillow(name)),
        }
    }
    let columns = ["pillow", "index", "database", "phase", "continues from", "owner"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    planned.iter().for_each(|planned| table.row(cells(planned)));
    context.ui.note("dry run: nothing is changed");
    if !planned.is_empty() {
        context.ui.table(&table);
    }
    let parts: Vec<Value> = planned.iter().map(to_json).collect();
    context.ui.json(&json!({"dry_run": true, "parts": parts}));
    Failure::of_several(problems).map_or(Ok(Outcome::Done), Err)
}

async fn plan(servers: &Servers, served: &Served, part: Part) -> Result<Planned, Failure> {
    let store = servers.store(served.pillow.definition())?;
    let store = store.as_ref();
    let claim = read(store, &part.claim(served)).await?;
    let mut owner = None;
    if let Some(claim) = &claim
        && let Some(of_claim) = &claim.owner
        && is_alive(store, of_claim, claim.length()).await?
    {
        owner = Some(of_claim.to_string());
    }
    let state = claim.map(|claim| claim.state);
    Ok(Planned {
        pillow: served.pillow.definition().pillow.clone(),
        index: part.target.name,
        database: part.database.to_string(),
        position: state.as_ref().map(|state| state.position().as_str().to_owned()),
        phase: state.map(|state| state.phase.to_string()),
        owner,
    })
}

fn cells(planned: &Planned) -> [String; 6] {
    let Planned { pillow, index, database, position, phase, owner } = planned;
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let position = position.as_deref().map_or_else(|| "its start".to_owned(), shortened);
    [pillow.to_string(), index.to_string(), database.clone(), dash(phase), position, dash(owner)]
}

fn to_json(planned: &Planned) -> Value {
    let Planned { pillow, index, database, position, phase, owner } = planned;
    json!({"pillow": pillow, "index": index, "database": database, "phase": phase,
        "position": position, "owner": owner})
}
