//! `es-manage status`: each pillow with its index or table, then the indices that no pillow uses.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::drift;
use pillowtop_core::{AliasName, AnyPillow, DatabaseName, Definition, IndexName, PillowName};
use pillowtop_runtime::claim::{ClaimDocument, Phase, Verified};
use pillowtop_runtime::clock::now_micros;
use pillowtop_runtime::target::elastic::{Cluster, DeadLetterFilter, IndexStatus, Overview};
use serde_json::{Value, json};

use super::cells::{dash, described_and_searched, is_fine, lag, with_dead_letters};
use super::flip::by_kind;
use super::state::{Look, PillowStatus};
use super::table_status::TableStatus;
use super::{megabytes, number};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table, counted};
use crate::servers::{self, WhenUnreachable, targets};
use crate::stop::Stop;
use crate::tables::Tables;
use crate::target_server::{TableInfo, TargetServer as _};

/// How often it is shown again.
const INTERVAL: Duration = Duration::from_secs(2);
/// Clears a terminal and goes to its first line.
const CLEAR: &[u8] = b"\x1b[2J\x1b[H";

pub(super) async fn run(context: &Context, watch: bool) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&[])?;
    let seen = targets(context, "es-manage status", &pillows, WhenUnreachable::Fail).await?;
    if !watch {
        show(context, &pillows, &seen, false).await?;
        return Ok(Outcome::Done);
    }
    let stop = Stop::on_signals(&context.ui);
    let clears = std::io::stdout().is_terminal();
    loop {
        match stop.unless_asked(show(context, &pillows, &seen, clears)).await {
            None => return Ok(Outcome::Done),
            Some(shown) => shown?,
        }
        if stop.unless_asked(tokio::time::sleep(INTERVAL)).await.is_none() {
            return Ok(Outcome::Done);
        }
    }
}

async fn show(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    (cluster, tables): &(Option<Cluster>, Option<Tables>),
    clears: bool,
) -> Result<(), Failure> {
    let (of_tables, of_indices) = by_kind(pillows);
    let mut rows = Vec::new();
    if let Some(tables) = tables {
        for definition in of_tables {
            let filter =
                DeadLetterFilter { pillow: Some(definition.pillow.clone()), ..DeadLetterFilter::default() };
            let open = tables.dead_letters(&filter, 0, None).await?.total;
            rows.push(table_row(context, &TableStatus::read(tables, definition).await?, Some(open)));
        }
    }
    let Some(cluster) = cluster else {
        show_pillows(context, &rows, clears);
        context.ui.json(&json!({"pillows": values(&rows), "indices": []}));
        return Ok(());
    };
    let overview = cluster.overview().await?;
    let look = look(context, cluster, &overview).await;
    let statuses: Vec<PillowStatus<'_>> =
        of_indices.into_iter().map(|definition| look.at(definition)).collect();
    let open = open_dead_letters(context, cluster, &overview).await;
    let of = |pillow| open.as_ref().map(|open| open.get(pillow).copied().unwrap_or_default());
    let mut all: Vec<Row> =
        statuses.iter().map(|status| index_row(context, status, of(&status.definition.pillow))).collect();
    all.append(&mut rows);
    show_pillows(context, &all, clears);
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
        "pillows": values(&all),
        "indices": overview.indices.iter().map(|index| index_json(context, &look, index)).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// How many dead letters of indices that exist each pillow has. A status is shown without them too.
async fn open_dead_letters(
    context: &Context,
    cluster: &Cluster,
    overview: &Overview,
) -> Option<BTreeMap<PillowName, u64>> {
    let existing = overview.indices.iter().map(|index| index.uuid.clone()).collect();
    match cluster.open_dead_letters(&existing).await {
        Ok(open) => Some(open),
        Err(error) => {
            context.ui.note(&format!("the number of dead letters is not known: {error}"));
            None
        }
    }
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

/// A pillow as it is shown.
struct Row {
    /// Neither its state nor dead letters need attention.
    is_fine: bool,
    cells: [String; 10],
    /// Lines about it below the table.
    lines: Vec<String>,
    json: Value,
}

fn values(rows: &[Row]) -> Vec<&Value> {
    rows.iter().map(|row| &row.json).collect()
}

fn show_pillows(context: &Context, rows: &[Row], clears: bool) {
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
    let mut sorted: Vec<&Row> = rows.iter().collect();
    // Problems first.
    sorted.sort_by_key(|row| row.is_fine);
    sorted.into_iter().for_each(|row| table.row(row.cells.clone()));
    if clears {
        context.ui.raw(CLEAR);
    }
    context.ui.table(&table);
    for line in rows.iter().flat_map(|row| &row.lines) {
        context.ui.paragraph(line, "");
    }
}

fn index_row(context: &Context, status: &PillowStatus<'_>, open: Option<u64>) -> Row {
    let searched: Vec<&str> = status.searched.iter().map(|name| name.as_str()).collect();
    let described = status.index.map(|index| index.name.as_str());
    let (definition, index, committed) = (status.definition, status.index, committed_hash(status.definition));
    let is_known = index.is_some() && status.lag.is_some();
    let cells = [
        definition.pillow.to_string(),
        with_dead_letters(status.state, open),
        status.alias.to_string(),
        described_and_searched(described, &searched),
        committed.clone().unwrap_or_else(|| "-".to_owned()),
        definition.hash.short(),
        number(index.and_then(|index| index.documents)),
        megabytes(index),
        lag(is_known, status.pending, status.lag),
        dash(status.owners.join(", ")),
    ];
    let mut lines = advice(context, definition, status.reason.as_ref(), status.next.as_ref());
    lines.extend(dead_letters(context, definition, open));
    let results = status.verified.as_ref();
    lines.extend(results.and_then(|results| verified(context, definition, results)));
    let json = json!({
        "pillow": definition.pillow, "state": status.state.name(), "percent": status.state.percent(),
        "reason": status.reason, "next": status.next,
        "alias": status.alias, "searched": status.searched, "index": index.map(|index| &index.name),
        "committed_hash": committed, "struct_hash": definition.hash.to_string(),
        "documents": index.and_then(|index| index.documents), "bytes": index.and_then(|index| index.bytes),
        "pending": status.pending, "lag_seconds": status.lag, "owners": status.owners, "dead_letters": open,
    });
    Row { is_fine: is_fine(status.state, open), cells, lines, json }
}

/// A pillow with a table: its view stands for the alias.
fn table_row(context: &Context, status: &TableStatus<'_>, open: Option<u64>) -> Row {
    let (definition, committed) = (status.definition, committed_hash(status.definition));
    let name = |table: &TableInfo| table.target.name.to_string();
    let (shown, newest) = (status.shown().map(name), status.newest.as_ref().map(name));
    let (owners, pending, since) = (status.owners(), status.pending(), status.lag());
    let cells = [
        definition.pillow.to_string(),
        with_dead_letters(status.state, open),
        definition.alias.to_string(),
        described_and_searched(newest.as_deref(), shown.as_deref().as_slice()),
        committed.clone().unwrap_or_else(|| "-".to_owned()),
        definition.hash.short(),
        number(status.documents),
        "-".to_owned(),
        lag(since.is_some(), pending, since),
        dash(owners.join(", ")),
    ];
    let mut lines = advice(context, definition, status.reason.as_ref(), status.next.as_ref());
    lines.extend(dead_letters(context, definition, open));
    let results: Option<Vec<&Verified>> = status.verified.as_ref().map(|results| results.iter().collect());
    lines.extend(results.and_then(|results| verified(context, definition, &results)));
    let tables = status.tables.iter().map(|table| {
        json!({
            "table": table.target.name, "uuid": table.target.uuid, "hash": table.hash,
            "shown": table.is_shown, "complete": table.is_complete,
        })
    });
    let json = json!({
        "pillow": definition.pillow, "state": status.state.name(), "percent": status.state.percent(),
        "reason": status.reason, "next": status.next,
        "alias": definition.alias, "searched": shown.as_slice(), "index": newest,
        "committed_hash": committed, "struct_hash": definition.hash.to_string(),
        "documents": status.documents, "bytes": null, "pending": pending, "lag_seconds": since,
        "owners": owners, "dead_letters": open, "tables": tables.collect::<Vec<_>>(),
    });
    Row { is_fine: is_fine(status.state, open), cells, lines, json }
}

/// Where dead letters are shown.
fn dead_letters(context: &Context, definition: &Definition, open: Option<u64>) -> Option<String> {
    let open = counted(open.filter(|open| *open > 0)?, "open dead letter");
    let name = &definition.pillow;
    Some(format!("{name}: {open}; next: `{} dead-letters list {name}`", context.program))
}

/// What decides that a pillow is not current, and the command to run next.
fn advice(
    context: &Context,
    definition: &Definition,
    reason: Option<&String>,
    next: Option<&String>,
) -> Vec<String> {
    let name = &definition.pillow;
    let reason = reason.map(|reason| format!("{name}: {reason}"));
    let next = next.map(|next| format!("next: `{} {next}`", context.program));
    match (reason, next) {
        (Some(reason), Some(next)) => vec![format!("{reason}; {next}")],
        (None, Some(next)) => vec![format!("{name}: {next}")],
        (Some(reason), None) => vec![reason],
        (None, None) => Vec::new(),
    }
}

/// When an index or a table was last compared with its databases, and what was found.
fn verified(context: &Context, definition: &Definition, results: &[&Verified]) -> Option<String> {
    let name = &definition.pillow;
    let last = results.iter().map(|verified| verified.ended.as_str()).min()?;
    let differences: u64 = results.iter().map(|verified| verified.differences()).sum();
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

fn committed_hash(definition: &Definition) -> Option<String> {
    let (_, file) = drift::state(definition);
    file.and_then(|file| file.hash.get(..12).map(str::to_owned))
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
        "owner": claim.owner.as_ref().map(ToString::to_string), "verified": verified,
    })
}
