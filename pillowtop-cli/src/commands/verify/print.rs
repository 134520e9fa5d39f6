//! What `verify` prints: a table, examples of each kind of difference, and JSON.

use pillowtop_runtime::verify::{Difference, Found, Kind};
use serde_json::{Map, Value, json};

use super::{Compared, Results, Strays};
use crate::context::Context;
use crate::output::{Align, Table, counted};

/// Examples of a kind that are printed; JSON has all that are kept.
const EXAMPLES: usize = 5;

/// Shows everything that was found.
pub(super) fn show(context: &Context, results: &Results, is_dry_run: bool) {
    if is_dry_run {
        context.ui.note("dry run: nothing is changed");
    }
    show_text(context, results);
    context.ui.json(&json!({
        "dry_run": is_dry_run,
        "parts": results.compared.iter().map(to_json).collect::<Vec<Value>>(),
        "strays": results.strays.iter().map(strays_json).collect::<Vec<Value>>(),
    }));
}

/// The same without JSON.
pub(super) fn show_text(context: &Context, results: &Results) {
    let mut table = Table::new(&[
        ("pillow", Align::Left),
        ("index", Align::Left),
        ("database", Align::Left),
        ("documents", Align::Right),
        ("missing", Align::Right),
        ("stale", Align::Right),
        ("extra", Align::Right),
        ("bodies", Align::Right),
        ("pending", Align::Right),
        ("dead letters", Align::Right),
        ("repaired", Align::Right),
    ]);
    results.compared.iter().for_each(|compared| table.row(cells(compared)));
    if !results.compared.is_empty() {
        context.ui.table(&table);
    }
    for Compared { pillow, verification, .. } in &results.compared {
        for (kind, found) in &verification.found {
            context.ui.paragraph(&format!("{pillow}: {kind}: {}", examples(found)), "");
        }
    }
    for Strays { pillow, target, found } in &results.strays {
        let count = counted(found.count, "document");
        let line = format!(
            "{pillow}: {count} of index `{}` are of none of the databases: {}",
            target.name,
            examples(found)
        );
        context.ui.paragraph(&line, "");
    }
    for compared in &results.compared {
        context.ui.text(&conclusion(compared));
    }
}

fn cells(compared: &Compared) -> [String; 11] {
    let Compared { pillow, part, verification, repaired, .. } = compared;
    let count = |kind| verification.count(kind).to_string();
    [
        pillow.to_string(),
        part.target.name.to_string(),
        part.database.to_string(),
        verification.index_documents.to_string(),
        count(Kind::Missing),
        count(Kind::Stale),
        count(Kind::Extra),
        count(Kind::Body),
        count(Kind::Pending),
        count(Kind::DeadLetter),
        repaired.map_or_else(|| "-".to_owned(), |result| result.total().to_string()),
    ]
}

fn conclusion(compared: &Compared) -> String {
    let Compared { part, verification, repaired, left, .. } = compared;
    let bodies = if verification.keeps_bodies {
        format!("bodies compared: {}", verification.bodies_compared)
    } else {
        "bodies cannot be compared, since its mapping changes what `_source` keeps".to_owned()
    };
    let index = &part.target.name;
    match (repaired, left) {
        (None, 0) => format!("index `{index}` is equal; {bodies}"),
        (None, left) => {
            format!("index `{index}` differs in {}; {bodies}", counted(*left, "document"))
        }
        (Some(result), 0) => {
            format!("index `{index}` is repaired: {} processed again", counted(result.total(), "document"))
        }
        (Some(result), left) => format!(
            "index `{index}` still differs in {}: {} processed again",
            counted(*left, "document"),
            counted(result.total(), "document")
        ),
    }
}

/// Some ids with what is known of them, and how many more there are.
fn examples(found: &Found) -> String {
    let shown = found.examples.iter().take(EXAMPLES);
    let mut all: Vec<String> = shown.map(example).collect();
    let more = found.count - all.len() as u64;
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}

fn example(difference: &Difference) -> String {
    let Difference { id, database_revision, index_revision, detail } = difference;
    let is_other = |revision: &&pillowtop_core::Revision| {
        *revision != database_revision
            && !revision.as_str().is_empty()
            && !database_revision.as_str().is_empty()
    };
    match index_revision.as_ref().filter(is_other) {
        _ if !detail.is_empty() => format!("`{id}` ({detail})"),
        Some(indexed) => format!("`{id}` ({indexed} in the index, {database_revision} in the database)"),
        None => format!("`{id}`"),
    }
}

/// The name of a kind in JSON.
fn key(kind: Kind) -> String {
    json!(kind).as_str().unwrap_or_default().to_owned()
}

fn to_json(compared: &Compared) -> Value {
    let Compared { pillow, part, verification, repaired, left } = compared;
    let found: Map<String, Value> = Kind::ALL
        .into_iter()
        .map(|kind| (key(kind), json!(verification.found.get(&kind).cloned().unwrap_or_default())))
        .collect();
    json!({
        "pillow": pillow, "index": part.target.name, "database": part.database,
        "began": verification.began, "ended": verification.ended,
        "database_documents": verification.database_documents,
        "index_documents": verification.index_documents,
        "bodies_compared": verification.bodies_compared,
        "differences": verification.record(0).differences(), "found": found,
        "repaired": repaired, "left": left,
    })
}

fn strays_json(strays: &Strays) -> Value {
    json!({"pillow": strays.pillow, "index": strays.target.name, "found": strays.found})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(id: &str, indexed: Option<&str>, detail: &str) -> Difference {
        Difference {
            id: id.into(),
            database_revision: "2-b".into(),
            index_revision: indexed.map(Into::into),
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn examples_are_capped_and_counted() {
        let few = Found {
            count: 3,
            examples: vec![
                difference("a", None, ""),
                difference("b", Some("1-a"), ""),
                difference("c", Some("1-a"), "deleted"),
            ],
        };
        assert_eq!(examples(&few), "`a`, `b` (1-a in the index, 2-b in the database), `c` (deleted)");
        let many = Found { count: 1234, examples: vec![difference("a", Some("2-b"), ""); 10] };
        assert_eq!(examples(&many), "`a`, `a`, `a`, `a`, `a`, and 1229 more");
    }

    #[test]
    fn kinds_have_keys() {
        assert_eq!(
            Kind::ALL.map(key),
            ["missing", "stale", "extra", "body", "collision", "pending", "dead_letter"]
        );
    }
}
