//! `es-manage`: indices and aliases.

use pillowtop_core::{AliasName, IndexName, PillowName};
use pillowtop_runtime::claim::ClaimDocument;
use pillowtop_runtime::target::elastic::{FlipPlan, GateOptions, IndexStatus, Problem};
use serde_json::{Value, json};

use crate::arguments::EsAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Align, Table};
use crate::servers::{self, Servers, WhenUnreachable};

pub(crate) async fn run(context: &Context, action: &EsAction) -> Result<Outcome, Failure> {
    match action {
        EsAction::Status => status(context).await,
        EsAction::Flip { names, dry_run, force, .. } => flip(context, names, *dry_run, *force).await,
    }
}

async fn status(context: &Context) -> Result<Outcome, Failure> {
    let cluster = servers::cluster(context, WhenUnreachable::Fail).await?;
    let indices = cluster.list_indices().await?;
    let columns = [
        ("index", Align::Left),
        ("pillow", Align::Left),
        ("documents", Align::Right),
        ("MB", Align::Right),
        ("phase", Align::Left),
        ("owner", Align::Left),
        ("mapping", Align::Left),
        ("aliases", Align::Left),
    ];
    let mut table = Table::new(&columns);
    indices.iter().for_each(|index| table.row(cells(context, index)));
    if indices.is_empty() {
        let of_prefix = cluster.prefix().map(|prefix| format!(" with the prefix `{prefix}`"));
        context.talk.text(&format!("no indices of pillows{}", of_prefix.unwrap_or_default()));
    } else {
        context.talk.table(&table);
    }
    let listed: Vec<Value> = indices.iter().map(|index| to_json(context, index)).collect();
    context.talk.json(&json!({"indices": listed}));
    Ok(Outcome::Done)
}

fn cells(context: &Context, index: &IndexStatus) -> [String; 8] {
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    [
        index.name.to_string(),
        index.pillow.to_string(),
        number(index.documents),
        number(index.bytes.map(|bytes| bytes.div_ceil(1_000_000))),
        phase(index),
        owners(index).join(", "),
        mapping_state(context, index).to_owned(),
        search_aliases(index).join(", "),
    ]
}

/// How far the claims on an index are: the least of them, where there are several.
fn phase(index: &IndexStatus) -> String {
    let mut phases: Vec<String> =
        index.claims.iter().map(|(_, claim)| claim.state.phase.to_string()).collect();
    phases.sort();
    phases.dedup();
    if phases.is_empty() { "empty".to_owned() } else { phases.join(", ") }
}

/// Who writes to an index, each once.
fn owners(index: &IndexStatus) -> Vec<String> {
    let owners = index.claims.iter().filter_map(|(_, claim)| claim.owner.as_ref());
    let mut labels: Vec<String> = owners.map(|owner| owner.label.clone()).collect();
    labels.sort();
    labels.dedup();
    labels
}

fn to_json(context: &Context, index: &IndexStatus) -> Value {
    let claims: Vec<Value> = index.claims.iter().map(|(_, claim)| claim_json(claim)).collect();
    json!({
        "index": index.name, "uuid": index.uuid, "pillow": index.pillow, "hash": index.hash,
        "documents": index.documents, "bytes": index.bytes, "aliases": search_aliases(index),
        "mapping": mapping_state(context, index), "phase": phase(index), "owners": owners(index),
        "claims": claims,
    })
}

fn claim_json(claim: &ClaimDocument) -> Value {
    json!({
        "database": claim.state.database.name, "phase": claim.state.phase,
        "checkpoint": claim.state.checkpoint, "saved": claim.saved,
        "owner": claim.owner.as_ref().map(|owner| owner.label.as_str()),
    })
}

fn mapping_state(context: &Context, index: &IndexStatus) -> &'static str {
    match context.registry.get(index.pillow.as_str()).map(|pillow| pillow.definition()) {
        None => "no such pillow",
        Some(definition) if definition.hash.to_string() == index.hash => "committed",
        Some(_) => "another",
    }
}

/// All but the private aliases of the index's owners.
fn search_aliases(index: &IndexStatus) -> Vec<&str> {
    index.aliases.iter().map(AliasName::as_str).filter(|alias| !alias.contains(".W")).collect()
}

/// An alias to move, and the reasons not to move it.
struct Move {
    pillow: PillowName,
    plan: FlipPlan,
    problems: Vec<Problem>,
}

impl Move {
    /// What refuses it. Where nothing is searched yet, nobody has to follow the index either.
    fn refusals(&self) -> Vec<&Problem> {
        let is_first = self.plan.from.is_empty();
        let counts = |problem: &&Problem| !(is_first && matches!(problem, Problem::NotFollowed { .. }));
        if self.plan.is_done() { Vec::new() } else { self.problems.iter().filter(counts).collect() }
    }
}

async fn flip(context: &Context, names: &[String], dry_run: bool, force: bool) -> Result<Outcome, Failure> {
    let pillows = context.pillows(names)?;
    require_fresh(&pillows)?;
    let servers = Servers::connect(context, "es-manage flip", WhenUnreachable::Fail).await?;
    let moved = plan_and_flip(context, &servers, &pillows, dry_run, force).await;
    servers.end().await;
    moved
}

async fn plan_and_flip(
    context: &Context,
    servers: &Servers,
    pillows: &[std::sync::Arc<dyn pillowtop_core::AnyPillow>],
    dry_run: bool,
    force: bool,
) -> Result<Outcome, Failure> {
    // All are checked before one is moved.
    let mut moves = Vec::new();
    for pillow in pillows {
        moves.push(plan(context, servers, pillow.definition()).await?);
    }
    let refused: Vec<Failure> = moves.iter().filter_map(|planned| refusal(planned, force)).collect();
    if let Some(failure) = Failure::of_several(refused) {
        return Err(failure);
    }
    let mut listed = Vec::new();
    for Move { pillow, plan, problems } in &moves {
        let from: Vec<&str> = plan.from.iter().map(IndexName::as_str).collect();
        let from = if from.is_empty() { "nothing".to_owned() } else { from.join(", ") };
        for problem in problems.iter().filter(|_| !plan.is_done()) {
            context.talk.note(&format!("{}: {problem}", plan.to));
        }
        let line = match (plan.is_done(), dry_run) {
            (true, _) => format!("{} is on {} already", plan.alias, plan.to),
            (false, true) => format!("{} would move from {from} to {}", plan.alias, plan.to),
            (false, false) => {
                servers.cluster.flip(plan).await?;
                format!("{} moved from {from} to {}", plan.alias, plan.to)
            }
        };
        context.talk.text(&line);
        let overridden: Vec<String> = problems.iter().map(ToString::to_string).collect();
        listed.push(json!({
            "pillow": pillow, "alias": plan.alias, "from": plan.from, "to": plan.to,
            "moved": !plan.is_done() && !dry_run, "problems": overridden,
        }));
    }
    context.talk.json(&json!({"flips": listed}));
    Ok(Outcome::Done)
}

async fn plan(
    context: &Context,
    servers: &Servers,
    definition: &pillowtop_core::Definition,
) -> Result<Move, Failure> {
    let (cluster, name) = (&servers.cluster, &definition.pillow);
    let hashed = definition.hashed_alias(cluster.prefix());
    let Some(index) = cluster.index_of(&hashed).await? else {
        return Err(Failure::new(format!("pillow `{name}` has no index `{hashed}`"))
            .hint(format!("build it: `PROGRAM fast-reindex {name}`")));
    };
    let mut identities = Vec::new();
    for database in servers.databases(&context.databases(definition)?).await? {
        identities.push(database.info().await?.identity);
    }
    let problems = cluster.gate(definition, &index, &identities, &GateOptions::default()).await?;
    let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), &index).await?;
    Ok(Move { pillow: name.clone(), plan, problems })
}

/// Why an alias is not moved, unless that is forced.
fn refusal(planned: &Move, force: bool) -> Option<Failure> {
    let refusals = planned.refusals();
    if force || refusals.is_empty() {
        return None;
    }
    let (to, name) = (&planned.plan.to, &planned.pillow);
    let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let failure = Failure::new(format!("searches do not move to `{to}`: {}", reasons.join("; ")));
    let is_about_owner = |problem: &&Problem| {
        matches!(problem, Problem::NotFollowed { .. } | Problem::OwnerSilent { .. } | Problem::Behind { .. })
    };
    let hint = if refusals.iter().all(is_about_owner) {
        format!(
            "start another `PROGRAM run {name}`, which follows the new index beside the old one; flip, then stop the old one. `--force` moves it anyway"
        )
    } else {
        format!("`PROGRAM fast-reindex {name}` builds or resumes it; `--force` moves the alias anyway")
    };
    Some(failure.hint(hint))
}
