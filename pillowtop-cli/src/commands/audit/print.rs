//! The audit's report: a table for people, JSON for scripts.

use pillowtop_core::Definition;
use pillowtop_core::conformance::{Conformance, Effect};
use pillowtop_core::field_types::Target;
use serde_json::{Value, json};

use super::tally::{PathTally, Tally};
use crate::context::Context;
use crate::output::{Align, Table};

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
    let talk = &context.talk;
    // Without documents every path is never seen, which says nothing.
    if tally.paths.is_empty() {
        talk.text(&format!("no document is for the index of `{}`", definition.pillow));
    } else {
        table(tally, &never_seen).lines().iter().for_each(|line| talk.text(line));
    }
    for effect in [Effect::Rejected, Effect::Altered, Effect::NotChecked] {
        for (path, tally) in &tally.paths {
            if let Some(found) = tally.found.get(&effect) {
                talk.text("");
                talk.text(&format!("{} `{}`: {}", found.effect, shown(path), found.reason));
                let value = if found.value.is_empty() { String::new() } else { format!(", {}", found.value) };
                talk.text(&format!("  in {} values, first in `{}`{value}", found.count, found.id));
                if !found.hint.is_empty() {
                    talk.text(&format!("  hint: {}", found.hint));
                }
            }
        }
    }
    let documents = &tally.documents;
    talk.text("");
    talk.text(&format!(
        "{} documents read, {} of them for the index of `{}`: {} rejected; {} not decodable, {} filtered, {} deleted, {} of other types",
        documents.read,
        documents.indexed,
        definition.pillow,
        documents.rejected,
        documents.undecodable,
        documents.filtered,
        documents.deleted,
        documents.of_other_types,
    ));
    talk.note(&format!("judged as by {}", names.join(", ")));
    talk.json(&json!({
        "pillow": definition.pillow, "targets": names, "documents": documents,
        "paths": tally.paths.iter().map(|(path, tally)| entry(path, tally)).collect::<Vec<_>>(),
        "never_seen": never_seen,
    }));
}

fn entry(path: &str, tally: &PathTally) -> Value {
    json!({"path": path, "seen": tally.seen, "findings": tally.found.values().collect::<Vec<_>>()})
}

fn shown(path: &str) -> &str {
    if path.is_empty() { DOCUMENT } else { path }
}

fn table(tally: &Tally, never_seen: &[&str]) -> Table {
    let numbers = ["seen", "rejected", "left out", "truncated", "added", "unchecked"];
    let mut columns = vec![("path", Align::Left)];
    columns.extend(numbers.map(|name| (name, Align::Right)));
    columns.push(("why, and an example", Align::Left));
    let mut table = Table::new(&columns);
    for (path, tally) in &tally.paths {
        let counts = [
            tally.seen,
            tally.count(|effect| effect == Effect::Rejected),
            tally.count(Effect::is_silent_loss),
            tally.count(|effect| effect == Effect::Truncated),
            tally.count(|effect| effect == Effect::MappedDynamically),
            tally.count(|effect| effect == Effect::NotChecked),
        ];
        let numbers = counts.map(|count| if count == 0 { "-".to_owned() } else { count.to_string() });
        let silent = tally.found.values().find(|found| found.effect != Effect::Rejected.to_string());
        let why = match (tally.found.get(&Effect::Rejected), silent) {
            (Some(_), _) => "see below".to_owned(),
            (None, Some(found)) if path_is_unmapped(&found.effect) => {
                format!("in _source only: `{}`", found.id)
            }
            (None, Some(found)) => format!("{}: `{}`", found.reason, found.id),
            (None, None) => String::new(),
        };
        table.row([shown(path).to_owned()].into_iter().chain(numbers).chain([why]));
    }
    for path in never_seen {
        let none = std::iter::repeat_n("-".to_owned(), numbers.len());
        table.row([(*path).to_owned()].into_iter().chain(none).chain(["never seen".to_owned()]));
    }
    table
}

fn path_is_unmapped(effect: &str) -> bool {
    effect == Effect::Unmapped.to_string()
}
