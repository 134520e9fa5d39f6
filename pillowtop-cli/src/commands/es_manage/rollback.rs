//! `es-manage rollback`: searches move back to the indices that they used before.

use pillowtop_core::{AliasName, Definition, IndexName};
use pillowtop_runtime::target::elastic::{Expected, GateOptions, Overview};

use super::check_facts;
use super::flip::{Move, execute, identities};
use crate::arguments::Flip;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::servers::{Servers, WhenUnreachable};

/// The committed mappings may be stale, as after a failed release: the earlier index is checked by
/// its own hash.
pub(super) async fn run(context: &Context, arguments: &Flip) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    let servers = Servers::connect(context, "es-manage rollback", WhenUnreachable::Fail).await?;
    let definitions: Vec<&Definition> = pillows.iter().map(|pillow| pillow.definition()).collect();
    let moved = roll_back(context, &servers, &definitions, arguments).await;
    servers.end().await;
    moved
}

async fn roll_back(
    context: &Context,
    servers: &Servers,
    definitions: &[&Definition],
    arguments: &Flip,
) -> Result<Outcome, Failure> {
    let overview = servers.cluster.overview().await?;
    check_facts(context, &servers.cluster, definitions, &overview).await?;
    let (mut moves, mut impossible) = (Vec::new(), Vec::new());
    for definition in definitions {
        match before(&overview, definition, servers.cluster.prefix()) {
            Ok(index) => moves.push(plan(context, servers, definition, &overview, &index).await?),
            // One that never moved has nowhere to go back to, which is not a reason to move none.
            Err(Before::NeverMoved(reason)) if arguments.all => context.ui.note(&reason),
            Err(Before::NeverMoved(reason) | Before::Unknown(reason)) => impossible
                .push(Failure::new(reason).hint("`PROGRAM es-manage status` lists the indices there are")),
        }
    }
    if let Some(failure) = Failure::of_several(impossible) {
        return Err(failure);
    }
    execute(context, servers, &moves, arguments, |planned| hint(&overview, definitions, planned)).await
}

/// Why no index is left to go back to.
enum Before {
    /// The alias is on nothing, or on the first index that it was ever on.
    NeverMoved(String),
    /// It is not known, or it is gone.
    Unknown(String),
}

/// The index that the alias of a pillow was on before.
fn before(overview: &Overview, definition: &Definition, prefix: Option<&str>) -> Result<IndexName, Before> {
    let (name, alias) = (&definition.pillow, definition.search_alias(prefix));
    let now = match overview.indices_of(&alias).as_slice() {
        [] => return Err(Before::NeverMoved(format!("{name}: alias `{alias}` is on no index"))),
        [now] => (*now).clone(),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            return Err(Before::Unknown(format!(
                "alias `{alias}` is on several indices: {}",
                names.join(", ")
            )));
        }
    };
    match overview.moves.get(&alias).and_then(|history| history.before(&now)) {
        Some([index]) => usable(overview, &alias, index),
        Some([]) => {
            Err(Before::NeverMoved(format!("{name}: alias `{alias}` was on no index before `{now}`")))
        }
        Some(_) => Err(Before::Unknown(format!("alias `{alias}` was on several indices before `{now}`"))),
        None => {
            Err(Before::Unknown(format!("it is not known which index alias `{alias}` was on before `{now}`")))
        }
    }
}

/// The index, if it exists and accepts writes.
fn usable(overview: &Overview, alias: &AliasName, index: &IndexName) -> Result<IndexName, Before> {
    match overview.index(index) {
        None => Err(Before::Unknown(format!(
            "`{index}`, which alias `{alias}` was on before, does not exist any more"
        ))),
        Some(found) if !found.blocks.is_empty() => Err(Before::Unknown(format!(
            "`{index}`, which alias `{alias}` was on before, is read-only: block `{}`",
            found.blocks.join("`, `")
        ))),
        Some(_) => Ok(index.clone()),
    }
}

async fn plan(
    context: &Context,
    servers: &Servers,
    definition: &Definition,
    overview: &Overview,
    index: &IndexName,
) -> Result<Move, Failure> {
    let (cluster, pillow) = (&servers.cluster, &definition.pillow);
    let hash = overview.index(index).map(|found| found.hash.clone()).unwrap_or_default();
    let identities = identities(context, servers, definition).await?;
    let expected = Expected::Hash { pillow, hash: &hash };
    let problems = cluster.gate(expected, index, &identities, &GateOptions::default()).await?;
    let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), index).await?;
    Ok(Move { pillow: pillow.clone(), plan, problems })
}

fn hint(overview: &Overview, definitions: &[&Definition], planned: &Move) -> String {
    let (name, index) = (&planned.pillow, &planned.plan.to);
    if !planned.is_about_owner() {
        return "`--force` moves the alias anyway".to_owned();
    }
    let hash = overview.index(index).map(|found| found.hash.as_str()).unwrap_or_default();
    if definitions.iter().any(|found| found.hash.to_string() == hash) {
        return format!(
            "it has the mapping of this release: a running `PROGRAM run {name}` follows it again once it is searched. `--force` moves the alias"
        );
    }
    let hash = hash.get(..12).unwrap_or(hash);
    format!(
        "start the release whose `{name}` has hash {hash} first: its `run {name}` follows `{index}` from where it stopped; then roll back. `--force` moves it anyway"
    )
}
