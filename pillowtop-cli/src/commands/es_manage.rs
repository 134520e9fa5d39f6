//! `es-manage`: indices and aliases.

use pillowtop_core::{AliasName, IndexName, PillowName};
use pillowtop_runtime::Phase;
use pillowtop_runtime::sink::elastic::{Cluster, ControlDocument, FlipPlan, IndexStatus};
use serde_json::{Value, json};

use crate::arguments::EsAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Align, Table};
use crate::servers::{self, WhenUnreachable};

pub(crate) async fn run(context: &Context, action: &EsAction) -> Result<Outcome, Failure> {
    match action {
        EsAction::Status => status(context).await,
        EsAction::Flip { names, dry_run, .. } => flip(context, names, *dry_run).await,
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
    let control = index.control.as_ref();
    let owner = control.and_then(|control| control.owner.as_ref());
    [
        index.name.to_string(),
        index.pillow.to_string(),
        number(index.documents),
        number(index.bytes.map(|bytes| bytes.div_ceil(1_000_000))),
        control.map_or_else(|| "empty".to_owned(), |control| control.state.phase.to_string()),
        owner.map(|owner| owner.label.clone()).unwrap_or_default(),
        mapping_state(context, index).to_owned(),
        search_aliases(index).join(", "),
    ]
}

fn to_json(context: &Context, index: &IndexStatus) -> Value {
    let control = index.control.as_ref();
    json!({
        "index": index.name, "uuid": index.uuid, "pillow": index.pillow, "hash": index.hash,
        "documents": index.documents, "bytes": index.bytes, "aliases": search_aliases(index),
        "mapping": mapping_state(context, index), "phase": control.map(|control| control.state.phase),
        "checkpoint": control.and_then(|control| control.state.checkpoint.as_ref()),
        "owner": control.and_then(|control| Some(control.owner.as_ref()?.label.as_str())),
        "saved": control.map(|control| control.saved.as_str()),
    })
}

fn mapping_state(context: &Context, index: &IndexStatus) -> &'static str {
    match context.registry.get(index.pillow.as_str()).map(|pillow| pillow.definition()) {
        None => "no such pillow",
        Some(definition) if definition.hash.to_string() == index.hash => "committed",
        Some(_) => "another",
    }
}

/// All but the private alias of the index's owner.
fn search_aliases(index: &IndexStatus) -> Vec<&str> {
    index.aliases.iter().map(AliasName::as_str).filter(|alias| !alias.contains(".W")).collect()
}

async fn flip(context: &Context, names: &[String], dry_run: bool) -> Result<Outcome, Failure> {
    let pillows = context.pillows(names)?;
    require_fresh(&pillows)?;
    let cluster = servers::cluster(context, WhenUnreachable::Fail).await?;
    // All are looked at before one is moved.
    let mut plans = Vec::new();
    for pillow in &pillows {
        let definition = pillow.definition();
        let name = &definition.pillow;
        let build = format!("build it: `PROGRAM fast-reindex {name}`");
        let hashed = definition.hashed_alias(cluster.prefix());
        let Some(index) = cluster.index_of(&hashed).await? else {
            return Err(Failure::new(format!("pillow `{name}` has no index `{hashed}`")).hint(build));
        };
        cluster.check_mapping(definition, &index).await?;
        require_complete(&cluster, &index).await.map_err(|failure| failure.hint(build))?;
        let alias = definition.search_alias(cluster.prefix());
        let plan = cluster.plan_flip(&alias, &index).await?;
        require_followed(context, &cluster, &plan, name).await?;
        plans.push(plan);
    }
    let mut listed = Vec::new();
    for plan in &plans {
        let from: Vec<&str> = plan.from.iter().map(IndexName::as_str).collect();
        let from = if from.is_empty() { "nothing".to_owned() } else { from.join(", ") };
        let line = match (plan.is_done(), dry_run) {
            (true, _) => format!("{} is on {} already", plan.alias, plan.to),
            (false, true) => format!("{} would go from {from} to {}", plan.alias, plan.to),
            (false, false) => {
                cluster.flip(plan).await?;
                format!("{} went from {from} to {}", plan.alias, plan.to)
            }
        };
        context.talk.text(&line);
        listed.push(json!({"alias": plan.alias, "from": plan.from, "to": plan.to, "moved": !plan.is_done() && !dry_run}));
    }
    context.talk.json(&json!({"flips": listed}));
    Ok(Outcome::Done)
}

/// Searches do not go from an index that is followed to one that is not: they would get older from then on, and nobody would notice.
/// Where nothing is followed yet, as on the first day, or nothing any more, it is only said.
async fn require_followed(
    context: &Context,
    cluster: &Cluster,
    plan: &FlipPlan,
    name: &PillowName,
) -> Result<(), Failure> {
    let Some(target) = cluster.control_document(&plan.to).await? else { return Ok(()) };
    if target.live_owner().is_some() || plan.is_done() {
        return Ok(());
    }
    let (to, saved) = (&plan.to, &target.saved);
    for from in &plan.from {
        let control = cluster.control_document(from).await?;
        if let Some(owner) = control.as_ref().and_then(ControlDocument::live_owner) {
            return Err(Failure::new(format!(
                "nobody has followed `{to}` since {saved}, while `{from}` is followed by {}",
                owner.label
            ))
            .hint(format!(
                "start another `PROGRAM run {name}`, which follows the new index beside it; flip, then stop the old one"
            )));
        }
    }
    context.talk.note(&format!(
        "nobody follows `{to}`: searches find what was there at {saved}, until `{} run {name}` goes on",
        context.program
    ));
    Ok(())
}

/// An alias only goes to an index that was loaded and caught up.
async fn require_complete(cluster: &Cluster, index: &IndexName) -> Result<(), Failure> {
    match cluster.control_document(index).await?.map(|control| control.state.phase) {
        Some(Phase::Following) => Ok(()),
        Some(phase) => Err(Failure::new(format!("index `{index}` is not complete: it is {phase}"))),
        None => Err(Failure::new(format!("index `{index}` was never loaded"))),
    }
}
