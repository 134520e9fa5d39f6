//! The audit's report: a table for people, JSON for scripts.

use std::cmp::Reverse;

use pillowtop_conformance::{Conformance, Effect};
use pillowtop_core::Definition;
use pillowtop_core::field_types::Target;
use serde_json::{Value, json};

use super::tally::{Found, Kind, PathTally, Tally, UNDECODABLE};
use crate::context::Context;
use crate::output::{Align, Table, Ui, counted};

/// What stands for the path of the document itself.
const DOCUMENT: &str = "(document)";

pub(super) fn print(
    context: &Context,
    definition: &Definition,
    conformance: &Conformance,
    targets: &[Target],
    tally: &Tally,
) {
    let never_seen: Vec<&str> = conformance
        .paths()
        .into_iter()
        .filter(|path| tally.paths.get(*path).is_none_or(|tally| tally.seen == 0 && tally.found.is_empty()))
        .collect();
    let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let ui = &context.ui;
    // Without documents every path is never seen, which means nothing.
    if tally.paths.is_empty() {
        ui.text(&format!("no document is for the index of `{}`", definition.pillow));
    } else {
        ui.table(&table(tally));
        if !never_seen.is_empty() {
            ui.text("");
            ui.paragraph(&format!("never seen: {}", never_seen.join(", ")), "");
        }
    }
    for effect in [None, Some(Effect::Rejected), Some(Effect::Altered), Some(Effect::NotChecked)] {
        for (path, tally) in &tally.paths {
            for (_, found) in tally.found.iter().filter(|(kind, _)| kind.effect() == effect) {
                print_found(ui, path, found, if effect.is_none() { "document" } else { "value" });
            }
        }
    }
    let documents = &tally.documents;
    ui.text("");
    let summary = format!(
        "{} read, {} of them for the index of `{}`: {} rejected; {} not decodable, {} filtered, {} deleted, {} of other types",
        counted(documents.read, "document"),
        documents.indexed,
        definition.pillow,
        documents.rejected,
        documents.undecodable,
        documents.filtered,
        documents.deleted,
        documents.of_other_types,
    );
    ui.paragraph(&summary, "");
    ui.note(&format!("checked against {}", names.join(", ")));
    ui.json(&json!({
        "pillow": definition.pillow, "targets": names, "documents": documents,
        "paths": tally.paths.iter().map(|(path, tally)| entry(path, tally)).collect::<Vec<_>>(),
        "never_seen": never_seen,
    }));
}

/// A block on what was found at a path, in so many documents or values.
fn print_found(ui: &Ui, path: &str, found: &Found, what: &str) {
    ui.text("");
    ui.paragraph(&format!("{} `{}`: {}", found.effect, shown(path), found.reason), "");
    let value = if found.value.is_empty() { String::new() } else { format!(", {}", found.value) };
    let count = counted(found.count, what);
    ui.paragraph(&format!("in {count}, first in `{}`{value}", found.id), "  ");
    if !found.hint.is_empty() {
        ui.paragraph(&format!("hint: {}", found.hint), "  ");
    }
}

fn entry(path: &str, tally: &PathTally) -> Value {
    json!({"path": path, "seen": tally.seen, "findings": tally.found.values().collect::<Vec<_>>()})
}

fn shown(path: &str) -> &str {
    if path.is_empty() { DOCUMENT } else { path }
}

/// Whether a column is about an effect; none for a document that cannot be decoded.
type IsMeant = dyn Fn(Option<Effect>) -> bool;

/// A row for each path, those with the worst findings first, and a column for each effect that
/// there is.
fn table(tally: &Tally) -> Table {
    let kinds: [(&str, &IsMeant); 6] = [
        (UNDECODABLE, &|effect| effect.is_none()),
        ("rejected", &|effect| effect == Some(Effect::Rejected)),
        ("left out", &|effect| effect.is_some_and(Effect::is_silent_loss)),
        ("truncated", &|effect| effect == Some(Effect::Truncated)),
        ("added", &|effect| effect == Some(Effect::MappedDynamically)),
        ("unchecked", &|effect| effect == Some(Effect::NotChecked)),
    ];
    let counts = |tally: &PathTally| kinds.map(|(_, is_meant)| tally.count(|kind| is_meant(kind.effect())));
    let mut rows: Vec<(&String, &PathTally, [u64; 6])> =
        tally.paths.iter().map(|(path, tally)| (path, tally, counts(tally))).collect();
    rows.sort_by_key(|(path, _, counts)| (Reverse(*counts), *path));
    let is_shown: Vec<bool> =
        (0..kinds.len()).map(|kind| rows.iter().any(|(.., counts)| counts[kind] > 0)).collect();
    let shown_kinds = || (0..kinds.len()).filter(|kind| is_shown[*kind]);
    let mut columns = vec![("path", Align::Left), ("seen", Align::Right)];
    columns.extend(shown_kinds().map(|kind| (kinds[kind].0, Align::Right)));
    if shown_kinds().next().is_some() {
        columns.push(("why", Align::Left));
    }
    let mut table = Table::new(&columns);
    for (path, tally, counts) in &rows {
        let number = |count: u64| if count == 0 { "-".to_owned() } else { count.to_string() };
        let numbers = shown_kinds().map(|kind| number(counts[kind]));
        let cells =
            [shown(path).to_owned(), number(tally.seen)].into_iter().chain(numbers).chain([why(tally)]);
        table.row(cells.take(columns.len()));
    }
    table
}

fn why(tally: &PathTally) -> String {
    // `Undecodable` and `Rejected` are the first of the kinds.
    match tally.found.first_key_value() {
        Some((Kind::Undecodable(_) | Kind::Effect(Effect::Rejected), _)) => "see below".to_owned(),
        Some((Kind::Effect(Effect::Unmapped), found)) => format!("in _source only: `{}`", found.id),
        Some((_, found)) => format!("{}: `{}`", found.reason, found.id),
        None => String::new(),
    }
}
