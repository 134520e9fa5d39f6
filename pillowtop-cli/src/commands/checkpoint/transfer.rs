//! `checkpoint export` and `import`: positions with everything that tells what they are positions
//! of.

use std::io::Read as _;

use pillowtop_core::{DatabaseName, IndexName, PillowName, Sequence};
use pillowtop_runtime::claim::{DatabaseIdentity, Phase};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::{Change, apply};
use super::entries::{self, Entry};
use crate::context::Context;
use crate::exit::{Failure, Outcome};

/// A checkpoint outside of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Exported {
    pillow: PillowName,
    index: IndexName,
    /// The index's uuid: one that was deleted and created again has another.
    uuid: String,
    /// The hash of the mapping that the index was created for.
    hash: String,
    database: DatabaseIdentity,
    phase: Phase,
    position: Sequence,
    /// When it was stored.
    saved: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    checkpoints: Vec<Exported>,
}

impl Exported {
    fn of(entry: &Entry) -> Self {
        let state = &entry.claim.state;
        Self {
            pillow: state.pillow.clone(),
            index: entry.index.clone(),
            uuid: entry.key.target.clone(),
            hash: state.hash.clone(),
            database: state.database.clone(),
            phase: state.phase,
            position: state.position(),
            saved: entry.claim.saved.clone(),
        }
    }

    fn describe(&self) -> String {
        format!("pillow `{}`, index `{}`, database `{}`", self.pillow, self.index, self.database.name)
    }
}

/// An entry as it is exported.
pub(super) fn to_json(entry: &Entry) -> Value {
    json!(Exported::of(entry))
}

pub(super) async fn export(context: &Context, names: &[String]) -> Result<Outcome, Failure> {
    let pillows = context.pillows(names)?;
    let entries = entries::all(context, &pillows).await?;
    let is_meant = |entry: &&Entry| {
        let state = &entry.claim.state;
        state.phase != Phase::Loading
            && pillows.iter().any(|pillow| pillow.definition().pillow == state.pillow)
    };
    let checkpoints: Vec<Exported> = entries.iter().filter(is_meant).map(Exported::of).collect();
    let file = json!(File { checkpoints });
    context.ui.raw(format!("{file:#}\n").as_bytes());
    Ok(Outcome::Done)
}

pub(super) async fn import(
    context: &Context,
    file: &str,
    force: bool,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let exported = read(file)?;
    let names: Vec<String> = exported.iter().map(|checkpoint| checkpoint.pillow.to_string()).collect();
    let entries = entries::all(context, &context.pillows(&names)?).await?;
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    for checkpoint in exported {
        match find(&entries, &checkpoint, force) {
            Ok(found) => changes.extend(found.into_iter().map(|entry| Change {
                entry: entry.clone(),
                position: checkpoint.position.clone(),
                accepts_restored: false,
            })),
            Err(problem) => {
                let message = format!("{}: {}", checkpoint.describe(), problem.message);
                problems.push(Failure { message, ..problem });
            }
        }
    }
    // Nothing is changed unless everything can be.
    match Failure::of_several(problems) {
        Some(failure) => Err(failure),
        None => apply(context, changes, dry_run).await,
    }
}

fn read(file: &str) -> Result<Vec<Exported>, Failure> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().lock().read_to_string(&mut text)?;
    } else {
        text = fs_err::read_to_string(file).map_err(Failure::usage)?;
    }
    let parsed: File = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{file}` has no exported checkpoints: {error}"))
            .hint("`PROGRAM checkpoint export` prints them")
    })?;
    if parsed.checkpoints.is_empty() {
        return Err(Failure::usage(format!("`{file}` has no checkpoints")));
    }
    Ok(parsed.checkpoints)
}

/// The claims that a checkpoint is for. With `force` they may be on other indices of the same
/// pillow and mapping, never of another database.
fn find<'a>(entries: &'a [Entry], exported: &Exported, force: bool) -> Result<Vec<&'a Entry>, Failure> {
    let of_pillow: Vec<&Entry> =
        entries.iter().filter(|entry| entry.claim.state.pillow == exported.pillow).collect();
    let is_same = |entry: &&Entry| entry.key.target == exported.uuid;
    let is_other = |entry: &&Entry| force && entry.claim.state.hash == exported.hash;
    let mut of_index: Vec<&Entry> = of_pillow.iter().copied().filter(is_same).collect();
    if of_index.is_empty() {
        of_index = of_pillow.iter().copied().filter(is_other).collect();
    }
    if of_index.is_empty() {
        return Err(no_index(&of_pillow, exported));
    }
    let of_database: Vec<&Entry> = of_index
        .iter()
        .copied()
        .filter(|entry| entry.claim.state.database.name == exported.database.name)
        .collect();
    let Some(first) = of_database.first() else {
        let names: Vec<String> =
            of_index.iter().map(|entry| named(&entry.claim.state.database.name)).collect();
        return Err(Failure::new(format!("the index is read from database {}", names.join(", "))));
    };
    if let Some(other) =
        of_database.iter().find(|entry| !entry.claim.state.database.matches(&exported.database))
    {
        let (found, expected) =
            (&other.claim.state.database.instance_start_time, &exported.database.instance_start_time);
        return Err(Failure::new(format!(
            "the database was created again since: it began at {found}, not at {expected}, and a position of the earlier one means nothing in it"
        )));
    }
    if of_database.iter().any(|entry| entry.claim.state.phase == Phase::Loading) {
        return Err(Failure::new(format!("index `{}` is being loaded", first.index)));
    }
    Ok(of_database)
}

fn named(name: &DatabaseName) -> String {
    format!("`{name}`")
}

fn no_index(of_pillow: &[&Entry], exported: &Exported) -> Failure {
    match of_pillow.iter().find(|entry| entry.index == exported.index) {
        Some(_) => Failure::new("the index was deleted and created again since; `--force` accepts that"),
        None if of_pillow.is_empty() => Failure::new("the pillow has no index with a checkpoint"),
        None => Failure::new(
            "there is no such index; `--force` accepts another one of the same pillow and mapping",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::entries::tests::entry;
    use super::*;

    fn problem(entries: &[Entry], exported: &Exported, force: bool) -> String {
        find(entries, exported, force).unwrap_err().message
    }

    #[test]
    fn a_checkpoint_is_imported_into_the_index_and_database_that_it_is_of() {
        let entries = [entry("notes_1_1", "a", Phase::Following), entry("notes_1_1", "b", Phase::Following)];
        let exported = Exported::of(&entries[1]);
        let text = json!(File { checkpoints: vec![exported.clone()] }).to_string();
        let read: File = serde_json::from_str(&text).unwrap();
        assert_eq!(read.checkpoints, std::slice::from_ref(&exported));
        assert_eq!(find(&entries, &exported, false).unwrap(), [&entries[1]]);
    }

    #[test]
    fn that_of_another_index_needs_force_and_the_same_mapping() {
        let entries = [entry("notes_1_1", "a", Phase::Following)];
        let exported = Exported::of(&entry("notes_1_2", "a", Phase::Following));
        assert!(problem(&entries, &exported, false).contains("no such index"));
        assert_eq!(find(&entries, &exported, true).unwrap(), [&entries[0]]);
        let again = Exported { uuid: "other".to_owned(), ..Exported::of(&entries[0]) };
        assert!(problem(&entries, &again, false).contains("created again"));
        let other_mapping = Exported { hash: "other".to_owned(), ..exported.clone() };
        assert!(problem(&entries, &other_mapping, true).contains("no such index"));
        let other_pillow = Exported { pillow: "case".into(), ..exported };
        assert!(problem(&entries, &other_pillow, true).contains("no index"));
    }

    #[test]
    fn that_of_another_database_is_refused_whatever_is_forced() {
        let entries = [entry("notes_1_1", "a", Phase::Following)];
        for force in [false, true] {
            let mut exported = Exported::of(&entries[0]);
            exported.database.instance_start_time = "2".to_owned();
            assert!(problem(&entries, &exported, force).contains("it began at 1, not at 2"));
            exported.database.name = "b".into();
            assert_eq!(problem(&entries, &exported, force), "the index is read from database `a`");
        }
        let loading = [entry("notes_1_1", "a", Phase::Loading)];
        assert!(problem(&loading, &Exported::of(&loading[0]), true).contains("being loaded"));
    }
}
