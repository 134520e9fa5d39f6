//! `es-manage prune`: indices and tables that nothing refers to are deleted, or indices closed, with
//! what belongs to them.

use pillowtop_core::{AliasName, Definition};
use pillowtop_runtime::clock::text_of_micros;
use pillowtop_runtime::target::elastic::{Cluster, IndexHealth, IndexStatus, Overview};
use serde_json::{Value, json};

use super::table_status::{self, Unused};
use super::{indices, megabytes, number, require_terminal};
use crate::commands::confirm::is_confirmed;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Steps, Table, counted};
use crate::servers::{WhenUnreachable, targets};

/// How it is done.
pub(super) struct How {
    pub(super) close: bool,
    pub(super) yes: bool,
    pub(super) dry_run: bool,
}

/// What becomes of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is kept, and why.
    Keep(String),
    /// Nothing refers to it, and it was last used at this time.
    Prune(String),
}

pub(super) async fn run(context: &Context, older_than: &str, how: &How) -> Result<Outcome, Failure> {
    require_terminal(how.yes, how.dry_run, "indices are to be removed")?;
    let pillows = context.pillows(&[])?;
    let (cluster, tables) = targets(context, "es-manage prune", &pillows, WhenUnreachable::Fail).await?;
    let mut unused = Vec::new();
    if let (Some(tables), false) = (&tables, how.close) {
        let definitions = pillows.iter().map(|pillow| pillow.definition());
        let of_tables = definitions.filter(|definition| definition.is_table());
        unused = table_status::unused(tables, of_tables, older_than).await?;
    }
    let overview = match &cluster {
        Some(cluster) => cluster.overview().await?,
        None => Overview::default(),
    };
    let definitions: Vec<&Definition> =
        context.registry.pillows().iter().map(|pillow| pillow.definition()).collect();
    let prefix = cluster.as_ref().and_then(Cluster::prefix);
    let decided = decide(&overview, &definitions, prefix, older_than);
    let mut chosen = prunable(&decided);
    chosen.retain(|(index, _)| !(how.close && index.health == IndexHealth::Closed));
    // Those of indices that were deleted by other means. Nothing can use them any more.
    let forgotten = match &cluster {
        Some(cluster) if !how.close => cluster.forgotten_uuids().await?,
        _ => Vec::new(),
    };
    show(context, &chosen, &unused, forgotten.len(), how);
    if how.dry_run || (chosen.is_empty() && unused.is_empty() && forgotten.is_empty()) {
        context.ui.json(&report(&decided, &unused, &[], how));
        return Ok(Outcome::Done);
    }
    let verb = if how.close { "close" } else { "delete" };
    let what = [
        (!chosen.is_empty()).then(|| indices(chosen.len())),
        (!unused.is_empty()).then(|| counted(unused.len() as u64, "table")),
    ];
    let what: Vec<String> = what.into_iter().flatten().collect();
    let question = format!("{verb} {}?", what.join(" and "));
    if !what.is_empty() && !how.yes && !is_confirmed(context, &question)? {
        return Err(Failure::new("nothing was removed"));
    }
    let doomed: Vec<&IndexStatus> = chosen.iter().map(|(index, _)| *index).collect();
    if let Some(cluster) = &cluster {
        remove(context, cluster, &doomed, how.close).await?;
        for uuid in &forgotten {
            cluster.forget_uuid(uuid).await?;
        }
    }
    if let Some(tables) = &tables {
        for Unused { definition, table, .. } in &unused {
            tables.remove(definition, table).await?;
            context.ui.text(&format!("dropped {}", table.target.name));
        }
    }
    let mut names: Vec<&str> = doomed.iter().map(|index| index.name.as_str()).collect();
    names.extend(unused.iter().map(|unused| unused.table.target.name.as_str()));
    context.ui.json(&report(&decided, &unused, &names, how));
    Ok(Outcome::Done)
}

/// Deletes or closes indices, one after the other. Each is read once more before.
pub(super) async fn remove(
    context: &Context,
    cluster: &Cluster,
    indices: &[&IndexStatus],
    close: bool,
) -> Result<(), Failure> {
    let steps = Steps::start(&context.ui, "pruning", indices.len() as u64);
    for (done, index) in (1..).zip(indices) {
        let line = if close {
            cluster.close_index(index).await?;
            format!("closed {}", index.name)
        } else {
            let removed = cluster.remove_index(index).await?;
            format!("deleted {}, with {}", index.name, counted(removed.dead_letters, "dead letter"))
        };
        context.ui.text(&line);
        steps.set(done);
    }
    Ok(())
}

/// What becomes of each index of pillowtop under the prefix. `older_than` is a time, RFC 3339 in
/// UTC.
pub(super) fn decide<'a>(
    overview: &'a Overview,
    definitions: &[&Definition],
    prefix: Option<&str>,
    older_than: &str,
) -> Vec<(&'a IndexStatus, Decision)> {
    let decision = |index: &'a IndexStatus| {
        let decision = match referred(overview, definitions, prefix, index) {
            Some(reason) => Decision::Keep(reason),
            None => match last_use(overview, index) {
                used if used.as_str() < older_than => Decision::Prune(used),
                used => Decision::Keep(format!("it was used at {used}")),
            },
        };
        (index, decision)
    };
    overview.indices.iter().map(decision).collect()
}

/// What refers to an index, if anything does.
fn referred(
    overview: &Overview,
    definitions: &[&Definition],
    prefix: Option<&str>,
    index: &IndexStatus,
) -> Option<String> {
    let own_alias = |alias: &AliasName| is_hashed_alias(alias, index);
    if let Some(alias) = index.public_aliases().find(|alias| !own_alias(alias)) {
        return Some(format!("alias `{alias}` is on it"));
    }
    if let Some(owner) = index.claims.iter().find_map(|(_, claim)| overview.live_owner(claim)) {
        return Some(format!("{owner} owns it"));
    }
    let hashed = index.public_aliases().find(|alias| own_alias(alias));
    if let Some(owner) = hashed.and_then(|alias| overview.builder(alias)) {
        return Some(format!("{owner} builds an index of its mapping"));
    }
    let definition = definitions
        .iter()
        .find(|found| found.pillow == index.pillow && found.hash.to_string() == index.hash)?;
    let current = definition.hashed_alias(prefix);
    let replaced = overview.indices.iter().any(|other| {
        other.uuid != index.uuid
            && other.hash == index.hash
            && other.aliases.contains(&current)
            && other.created > index.created
    });
    // An index of the committed mapping is superseded only by a newer one that is complete.
    (!replaced || index.aliases.contains(&current))
        .then(|| format!("it has the committed mapping of pillow `{}`", definition.pillow))
}

/// Whether an alias is the one that every index of its hash has.
fn is_hashed_alias(alias: &AliasName, index: &IndexStatus) -> bool {
    let hash = index.hash.get(..12).unwrap_or(&index.hash);
    let is_stem = |stem: &str| index.name.as_str().starts_with(&format!("{stem}_"));
    !hash.is_empty() && alias.as_str().strip_suffix(&format!("_{hash}")).is_some_and(is_stem)
}

/// When an index was last created, written or searched, as far as is known: RFC 3339 in UTC.
fn last_use(overview: &Overview, index: &IndexStatus) -> String {
    let created = text_of_micros(index.created.saturating_mul(1000));
    let saved = index.claims.iter().map(|(_, claim)| claim.saved.as_str());
    let moved = overview.moves.values().filter_map(|history| history.last_use(&index.name));
    saved.chain(moved).chain([created.as_str()]).max().unwrap_or_default().to_owned()
}

fn show(
    context: &Context,
    chosen: &[(&IndexStatus, String)],
    unused: &[Unused<'_>],
    forgotten: usize,
    how: &How,
) {
    if chosen.is_empty() && unused.is_empty() && forgotten == 0 {
        context.ui.text("nothing to prune");
        return;
    }
    let columns = [
        ("index", Align::Left),
        ("pillow", Align::Left),
        ("documents", Align::Right),
        ("MB", Align::Right),
        ("last used", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for (index, used) in chosen {
        table.row([
            index.name.to_string(),
            index.pillow.to_string(),
            number(index.documents),
            megabytes(Some(index)),
            used.clone(),
        ]);
    }
    for Unused { definition, table: unused, used, documents } in unused {
        table.row([
            unused.target.name.to_string(),
            definition.pillow.to_string(),
            documents.to_string(),
            "-".to_owned(),
            used.clone(),
        ]);
    }
    if !chosen.is_empty() || !unused.is_empty() {
        context.ui.table(&table);
    }
    if forgotten > 0 {
        let would = if how.dry_run { "would be" } else { "is" };
        let of = indices(forgotten);
        context.ui.note(&format!("what is remembered of {of} that were deleted {would} removed"));
    }
    if how.dry_run {
        context.ui.note("dry run: nothing is changed");
    }
}

fn report(decided: &[(&IndexStatus, Decision)], unused: &[Unused<'_>], removed: &[&str], how: &How) -> Value {
    let tables: Vec<Value> = unused
        .iter()
        .map(|Unused { definition, table, used, .. }| {
            let name = table.target.name.as_str();
            let is_removed = removed.contains(&name);
            json!({"table": name, "pillow": definition.pillow, "used": used, "removed": is_removed})
        })
        .collect();
    let listed: Vec<Value> = decided
        .iter()
        .map(|(index, decision)| {
            let (prune, reason) = match decision {
                Decision::Keep(reason) => (false, reason.clone()),
                Decision::Prune(used) => (true, format!("last used at {used}")),
            };
            let is_removed = removed.contains(&index.name.as_str());
            json!({"index": index.name, "pillow": index.pillow, "prune": prune, "reason": reason, "removed": is_removed})
        })
        .collect();
    json!({"dry_run": how.dry_run, "close": how.close, "indices": listed, "tables": tables})
}

/// The indices that are to be pruned, with the time of their last use.
pub(super) fn prunable<'a>(decided: &[(&'a IndexStatus, Decision)]) -> Vec<(&'a IndexStatus, String)> {
    let used = |(index, decision): &(&'a IndexStatus, Decision)| match decision {
        Decision::Prune(used) => Some((*index, used.clone())),
        Decision::Keep(_) => None,
    };
    decided.iter().filter_map(used).collect()
}

#[cfg(test)]
mod tests {
    use pillowtop_runtime::claim::Phase;

    use serde_json::json;

    use super::super::samples::{definition, followed, in_phase, index};
    use super::*;

    /// The indices that are pruned, with one registered definition.
    fn pruned(overview: &Overview, older_than: &str) -> Vec<String> {
        let own = definition("own");
        let decided = decide(overview, &[&own], None, older_than);
        prunable(&decided).into_iter().map(|(index, _)| index.name.to_string()).collect()
    }

    const LATER: &str = "2026-02-01T00:00:00Z";

    #[test]
    fn only_what_nothing_refers_to_is_pruned() {
        let (own, old) = (definition("own"), definition("old"));
        let (hashed, of_old) = (own.hashed_alias(None), old.hashed_alias(None));
        let with = Overview::of;
        let unused = || index(&old, 1, &[of_old.as_str()]);
        assert_eq!(pruned(&with(vec![unused()]), LATER), [unused().name.to_string()]);
        // An index that is older than its last use is not.
        assert!(pruned(&with(vec![unused()]), "2026-01-01T00:00:00Z").is_empty());
        let kept = [
            index(&old, 1, &[of_old.as_str(), "cases"]),
            index(&old, 1, &["somebodys"]),
            index(&own, 1, &[hashed.as_str()]),
            in_phase(index(&own, 1, &[]), Phase::Loading),
        ];
        for index in kept {
            assert!(pruned(&with(vec![index.clone()]), LATER).is_empty(), "{index:?}");
        }
        let mut overview = Overview::default();
        let owned = followed(unused(), &mut overview, &json!({}));
        overview.indices.push(owned);
        assert!(pruned(&overview, LATER).is_empty(), "its owner is alive");
    }

    #[test]
    fn an_index_of_the_committed_mapping_goes_once_a_newer_one_is_complete() {
        let own = definition("own");
        let hashed = own.hashed_alias(None);
        let with = |aliases: [&[&str]; 2]| {
            Overview::of(vec![index(&own, 1, aliases[0]), index(&own, 2, aliases[1])])
        };
        let hashed: &[&str] = &[hashed.as_str()];
        assert_eq!(pruned(&with([&[], hashed]), LATER), [own.index_name(None, 1).to_string()]);
        // The newer one is still being loaded.
        assert!(pruned(&with([hashed, &[]]), LATER).is_empty());
    }
}
