//! `es-manage rollback`: searches move back to the indices that they used before, and views to the
//! tables that they showed.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AliasName, AnyPillow, Definition, IndexName};
use pillowtop_runtime::target::elastic::{Expected, Overview};
use tokio::time::Instant;

use super::alias_move::Move;
use super::check_facts;
use super::dropped::{dropped, while_followed};
use super::flip::{by_kind, execute};
use super::view_move::ViewMove;
use crate::arguments::Flip;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::servers::{Servers, WhenUnreachable};

/// How long an index may take until it is followed.
const FOLLOWED_WITHIN: Duration = Duration::from_mins(1);
/// The pause between two looks at that.
const PAUSE: Duration = Duration::from_secs(1);

/// The committed mappings may be stale, as after a failed release: the earlier index is checked by
/// its own hash.
pub(super) async fn run(context: &Context, arguments: &Flip) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    let servers = Servers::connect(context, "es-manage rollback", &pillows, WhenUnreachable::Fail).await?;
    let moved = roll_back(context, &servers, &pillows, arguments).await;
    servers.end().await;
    moved
}

async fn roll_back(
    context: &Context,
    servers: &Servers,
    pillows: &[Arc<dyn AnyPillow>],
    arguments: &Flip,
) -> Result<Outcome, Failure> {
    let (tables, definitions) = by_kind(pillows);
    let views = views_back(context, servers, &tables, arguments.all).await?;
    if definitions.is_empty() {
        return execute(context, servers, (Vec::new(), &views), arguments, |_| String::new()).await;
    }
    let overview = &servers.cluster()?.overview().await?;
    check_facts(context, servers.cluster()?, &definitions, overview).await?;
    let (mut back, mut impossible) = (Vec::new(), Vec::new());
    for pillow in pillows.iter().filter(|pillow| !pillow.definition().is_table()) {
        match before(overview, pillow.definition(), servers.cluster()?.prefix()) {
            Ok(Before { now, index }) => back.push((pillow, now, index)),
            // One that never moved has nowhere to go back to, which is not a reason to move none.
            Err(Nowhere::NeverMoved(reason)) if arguments.all => context.ui.note(&reason),
            Err(Nowhere::NeverMoved(reason) | Nowhere::Unknown(reason)) => {
                impossible.push(Failure::new(reason).hint("`PROGRAM es-manage status` lists the indices"));
            }
        }
    }
    if let Some(failure) = Failure::of_several(impossible) {
        return Err(failure);
    }
    let (mut moves, mut followed) = (Vec::new(), Vec::new());
    for (pillow, now, index) in &back {
        let mut planned = plan(context, servers, pillow.definition(), overview, index).await?;
        // By force it moves as it is.
        if !arguments.force
            && let Some(served) = dropped(context, servers, overview, (pillow, now, index))?
        {
            planned.follow_first();
            followed.push(served);
        }
        moves.push(planned);
    }
    let hint = |planned: &Move| hint(overview, &definitions, planned);
    let is_refused = moves.iter().any(|planned| !planned.refusals().is_empty());
    if arguments.dry_run || followed.is_empty() || is_refused {
        return execute(context, servers, (moves, &views), arguments, hint).await;
    }
    let moving = async {
        let deadline = Instant::now() + FOLLOWED_WITHIN;
        loop {
            let mut moves = Vec::new();
            for (pillow, _, index) in &back {
                moves.push(plan(context, servers, pillow.definition(), overview, index).await?);
            }
            if moves.iter().all(Move::is_followed) || Instant::now() > deadline {
                return execute(context, servers, (moves, &views), arguments, hint).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    while_followed(context, servers, followed, Box::pin(moving)).await
}

/// The views of tables that move back. One that never moved is skipped where all pillows are meant.
async fn views_back<'a>(
    context: &Context,
    servers: &Servers,
    tables: &[&'a Definition],
    all: bool,
) -> Result<Vec<ViewMove<'a>>, Failure> {
    let mut views = Vec::new();
    for definition in tables {
        match ViewMove::back(servers, definition).await? {
            Some(view) => views.push(view),
            None => {
                let reason = format!("{}: its views showed no table before", definition.pillow);
                if !all {
                    return Err(Failure::new(reason).hint("`PROGRAM es-manage status` lists the tables"));
                }
                context.ui.note(&reason);
            }
        }
    }
    Ok(views)
}

/// The index that an alias is on, and the one that it was on before.
struct Before {
    now: IndexName,
    index: IndexName,
}

/// Why no index is left to go back to.
enum Nowhere {
    /// The alias is on nothing, or on the first index that it was ever on.
    NeverMoved(String),
    /// It is not known, or it is gone.
    Unknown(String),
}

/// The index that the alias of a pillow was on before.
fn before(overview: &Overview, definition: &Definition, prefix: Option<&str>) -> Result<Before, Nowhere> {
    let (name, alias) = (&definition.pillow, definition.search_alias(prefix));
    let now = match overview.indices_of(&alias).as_slice() {
        [] => return Err(Nowhere::NeverMoved(format!("{name}: alias `{alias}` is on no index"))),
        [now] => (*now).clone(),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            return Err(Nowhere::Unknown(format!(
                "alias `{alias}` is on several indices: {}",
                names.join(", ")
            )));
        }
    };
    let never_moved = format!("{name}: alias `{alias}` has no earlier index: it was never moved");
    let Some(history) = overview.moves.get(&alias) else { return Err(Nowhere::NeverMoved(never_moved)) };
    match history.before(&now) {
        Some([index]) => Ok(Before { index: usable(overview, &alias, index)?, now }),
        Some([]) => Err(Nowhere::NeverMoved(never_moved)),
        Some(_) => Err(Nowhere::Unknown(format!("alias `{alias}` was on several indices before `{now}`"))),
        None => Err(Nowhere::Unknown(format!(
            "it is not known which index alias `{alias}` was on before `{now}`"
        ))),
    }
}

/// The index, if it exists and accepts writes.
fn usable(overview: &Overview, alias: &AliasName, index: &IndexName) -> Result<IndexName, Nowhere> {
    match overview.index(index) {
        None => Err(Nowhere::Unknown(format!(
            "`{index}`, which alias `{alias}` was on before, does not exist any more"
        ))),
        Some(found) if !found.blocks.is_empty() => Err(Nowhere::Unknown(format!(
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
    let hash = overview.index(index).map(|found| found.hash.clone()).unwrap_or_default();
    let expected = Expected::Hash { pillow: &definition.pillow, hash: &hash };
    Move::plan(context, servers, definition, expected, index).await
}

fn hint(overview: &Overview, definitions: &[&Definition], planned: &Move) -> String {
    let (name, index) = (&planned.pillow, &planned.plan.to);
    let hash = overview.index(index).map(|found| found.hash.as_str()).unwrap_or_default();
    if !planned.is_about_owner() {
        let hash = hash.get(..12).unwrap_or(hash);
        return if planned.is_complete() {
            format!(
                "`verify {name}` of the release whose `{name}` has hash {hash} compares it with its databases; `--force` moves the alias anyway"
            )
        } else {
            "`--force` moves the alias anyway".to_owned()
        };
    }
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
