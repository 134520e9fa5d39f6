//! `es-manage status`: each pillow with its index, then the indices that no pillow uses.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::time::Duration;

use pillowtop_core::drift;
use pillowtop_core::{AliasName, DatabaseName, IndexName};
use pillowtop_runtime::claim::{ClaimDocument, Phase, Verified};
use pillowtop_runtime::clock::now_micros;
use pillowtop_runtime::target::elastic::{Cluster, IndexStatus, Overview};
use serde_json::{Value, json};

use super::state::{Look, PillowStatus, State};
use super::{megabytes, number};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table, counted};
use crate::servers::{self, WhenUnreachable};
use crate::stop::Stop;

/// How often it is shown again.
const INTERVAL: Duration = Duration::from_secs(2);
/// Clears a terminal and goes to its first line.
const CLEAR: &[u8] = b"\x1b[2J\x1b[H";

pub(super) async fn run(context: &Context, watch: bool) -> Result<Outcome, Failure> {
    let cluster = servers::cluster(context, WhenUnreachable::Fail).await?;
    if !watch {
        show(context, &cluster, false).await?;
        return Ok(Outcome::Done);
    }
    let stop = Stop::on_signals(&context.ui);
    let clears = std::io::stdout().is_terminal();
    loop {
        match stop.unless_asked(show(context, &cluster, clears)).await {
            None => return Ok(Outcome::Done),
            Some(shown) => shown?,
        }
        if stop.unless_asked(tokio::time::sleep(INTERVAL)).await.is_none() {
            return Ok(Outcome::Done);
        }
    }
}

async fn show(context: &Context, cluster: &Cluster, clears: bool) -> Result<(), Failure> {
    let overview = cluster.overview().await?;
    let look = look(context, cluster, &overview).await;
    let pillows = context.pillows(&[])?;
    let statuses: Vec<PillowStatus<'_>> = pillows.iter().map(|pillow| look.at(pillow.definition())).collect();
    if clears {
        context.ui.raw(CLEAR);
    }
    let rows: Vec<(&PillowStatus<'_>, Option<String>)> =
        statuses.iter().map(|status| (status, committed_hash(status))).collect();
    context.ui.table(&pillow_table(&rows));
    for status in &statuses {
        for line in advice(context, status).into_iter().chain(verified(context, status)) {
            context.ui.paragraph(&line, "");
        }
    }
    let shown: BTreeSet<&IndexName> =
        statuses.iter().filter_map(|status| status.index).map(|index| &index.name).collect();
    let others: Vec<&IndexStatus> =
        overview.indices.iter().filter(|index| !shown.contains(&index.name)).collect();
    if !others.is_empty() {
        context.ui.text("");
        context.ui.text("Other indices of pillowtop:");
        context.ui.table(&index_table(&look, &others));
    }
    context.ui.json(&json!({
        "pillows": rows.iter().map(pillow_json).collect::<Vec<_>>(),
        "indices": overview.indices.iter().map(|index| index_json(context, &look, index)).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// What the states are read from. CouchDB is asked for the sizes of databases that are loaded;
/// without a response the share that is done is not known.
pub(in crate::commands) async fn look<'a>(
    context: &Context,
    cluster: &'a Cluster,
    overview: &'a Overview,
) -> Look<'a> {
    let claims = overview.indices.iter().flat_map(|index| &index.claims);
    let loading: BTreeSet<&DatabaseName> = claims
        .filter(|(_, claim)| claim.state.phase != Phase::Following)
        .map(|(_, claim)| &claim.state.database.name)
        .collect();
    let mut feeds = BTreeMap::new();
    if !loading.is_empty()
        && let Ok(couch) = servers::couch(context, WhenUnreachable::Fail).await
    {
        for name in loading {
            if let Ok(info) = couch.database(name.clone()).info().await {
                feeds.insert(name.clone(), info.documents + info.deleted_documents);
            }
        }
    }
    Look { overview, prefix: cluster.prefix(), feeds, now: now_micros() / 1_000_000 }
}

/// A row for each pillow with its committed hash.
fn pillow_table(rows: &[(&PillowStatus<'_>, Option<String>)]) -> Table {
    let mut table = Table::new(&[
        ("pillow", Align::Left),
        ("state", Align::Left),
        ("alias", Align::Left),
        ("index", Align::Left),
        ("committed", Align::Left),
        ("struct", Align::Left),
        ("documents", Align::Right),
        ("MB", Align::Right),
        ("lag", Align::Right),
        ("owner", Align::Left),
    ]);
    let mut sorted: Vec<_> = rows.iter().collect();
    // Problems first.
    sorted.sort_by_key(|(status, _)| status.state == State::Current);
    for (status, committed) in sorted {
        let searched: Vec<&str> = status.searched.iter().map(|name| name.as_str()).collect();
        table.row([
            status.definition.pillow.to_string(),
            status.state.to_string(),
            status.alias.to_string(),
            if searched.is_empty() { "-".to_owned() } else { searched.join(", ") },
            committed.clone().unwrap_or_else(|| "-".to_owned()),
            status.definition.hash.short(),
            number(status.index.and_then(|index| index.documents)),
            megabytes(status.index),
            lag(status),
            dash(status.owners.join(", ")),
        ]);
    }
    table
}

/// What decides that a pillow is not current, and the command to run next.
fn advice(context: &Context, status: &PillowStatus<'_>) -> Vec<String> {
    let name = &status.definition.pillow;
    let reason = status.reason.as_ref().map(|reason| format!("{name}: {reason}"));
    let next = status.next.as_ref().map(|next| format!("next: `{} {next}`", context.program));
    match (reason, next) {
        (Some(reason), Some(next)) => vec![format!("{reason}; {next}")],
        (None, Some(next)) => vec![format!("{name}: {next}")],
        (Some(reason), None) => vec![reason],
        (None, None) => Vec::new(),
    }
}

/// When the index was last compared with its databases, and what was found. Nothing if it never
/// was.
fn verified(context: &Context, status: &PillowStatus<'_>) -> Option<String> {
    let (name, results) = (&status.definition.pillow, status.verified.as_ref()?);
    let last = results.iter().map(|verified| verified.ended.as_str()).min()?;
    let differences = status.differences()?;
    let repaired: u64 = results.iter().map(|verified| verified.repaired).sum();
    Some(match (differences, repaired) {
        (0, _) => format!("{name}: verified at {last}, without differences"),
        (_, 0) => format!(
            "{name}: verified at {last}, with {}; next: `{} verify {name} --repair`",
            counted(differences, "difference"),
            context.program
        ),
        (_, repaired) => format!(
            "{name}: verified at {last}, with {}, of which {repaired} were processed again; next: `{} verify {name}`",
            counted(differences, "difference"),
            context.program
        ),
    })
}

fn committed_hash(status: &PillowStatus<'_>) -> Option<String> {
    let (_, file) = drift::state(status.definition);
    file.and_then(|file| file.hash.get(..12).map(str::to_owned))
}

fn dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The lag in changes and seconds, as far as they are known.
fn lag(status: &PillowStatus<'_>) -> String {
    match (status.pending, status.lag) {
        (None | Some(0), None | Some(0)) if status.index.is_some() && status.lag.is_some() => "0".to_owned(),
        (Some(pending), Some(seconds)) if pending > 0 => format!("{pending}, {seconds} s"),
        (Some(pending), None) if pending > 0 => pending.to_string(),
        (_, Some(seconds)) => format!("{seconds} s"),
        (_, None) => "-".to_owned(),
    }
}

fn index_table(look: &Look<'_>, indices: &[&IndexStatus]) -> Table {
    let mut table = Table::new(&[
        ("index", Align::Left),
        ("pillow", Align::Left),
        ("documents", Align::Right),
        ("MB", Align::Right),
        ("phase", Align::Left),
        ("owner", Align::Left),
        ("aliases", Align::Left),
    ]);
    for index in indices {
        let aliases: Vec<&str> = index.public_aliases().map(AliasName::as_str).collect();
        table.row([
            index.name.to_string(),
            index.pillow.to_string(),
            number(index.documents),
            megabytes(Some(index)),
            phase(index),
            dash(look.owners(index).join(", ")),
            aliases.join(", "),
        ]);
    }
    table
}

/// How far the claims on an index are, where they differ each.
fn phase(index: &IndexStatus) -> String {
    let mut phases: Vec<String> =
        index.claims.iter().map(|(_, claim)| claim.state.phase.to_string()).collect();
    phases.sort();
    phases.dedup();
    if phases.is_empty() { "empty".to_owned() } else { phases.join(", ") }
}

fn pillow_json((status, committed): &(&PillowStatus<'_>, Option<String>)) -> Value {
    let index = status.index;
    json!({
        "pillow": status.definition.pillow, "state": status.state.name(), "percent": status.state.percent(),
        "reason": status.reason, "next": status.next,
        "alias": status.alias, "searched": status.searched, "index": index.map(|index| &index.name),
        "committed_hash": committed, "struct_hash": status.definition.hash.to_string(),
        "documents": index.and_then(|index| index.documents), "bytes": index.and_then(|index| index.bytes),
        "pending": status.pending, "lag_seconds": status.lag, "owners": status.owners,
    })
}

fn index_json(context: &Context, look: &Look<'_>, index: &IndexStatus) -> Value {
    let claims: Vec<Value> = index
        .claims
        .iter()
        .map(|(slice, claim)| claim_json(claim, look.overview.verified(index, slice)))
        .collect();
    let mapping = match context.registry.get(index.pillow.as_str()).map(|pillow| pillow.definition()) {
        None => "no such pillow",
        Some(definition) if definition.hash.to_string() == index.hash => "committed",
        Some(_) => "another",
    };
    json!({
        "index": index.name, "uuid": index.uuid, "pillow": index.pillow, "hash": index.hash,
        "documents": index.documents, "bytes": index.bytes,
        "aliases": index.public_aliases().collect::<Vec<_>>(), "mapping": mapping, "phase": phase(index),
        "backfilling": index.is_backfilling, "owners": look.owners(index), "claims": claims,
    })
}

fn claim_json(claim: &ClaimDocument, verified: Option<&Verified>) -> Value {
    json!({
        "database": claim.state.database.name, "phase": claim.state.phase,
        "checkpoint": claim.state.checkpoint, "saved": claim.saved,
        "owner": claim.owner.as_ref().map(|owner| owner.label.as_str()), "verified": verified,
    })
}
