//! The snapshot of what a pillow's sample documents become: one JSON line for each, committed
//! beside the mapping.
//!
//! The compiler compares mappings; what a transform writes, only running it tells. A change of the
//! snapshot without a change of `transform_version` is a change of an index that nobody rebuilds.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::canonical::to_canonical;
use crate::document::ChangeMeta;
use crate::registry::{AnyPillow, Verdict};

/// How the name of a snapshot ends, after the pillow's name.
const EXTENSION: &str = "samples.jsonl";

/// The snapshot beside a committed mapping.
#[must_use]
pub fn path_beside(mapping: &Path) -> PathBuf {
    mapping.with_extension(EXTENSION)
}

/// What the sample documents of a pillow become, one line each; none for a pillow without samples.
#[must_use]
pub fn snapshot(pillow: &dyn AnyPillow) -> Option<String> {
    let documents = pillow.definition().samples?;
    let lines = documents.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    Some(lines.map(|(number, line)| to_canonical(&outcome(pillow, number + 1, line)) + "\n").collect())
}

/// What becomes of one document.
fn outcome(pillow: &dyn AnyPillow, number: usize, text: &str) -> Value {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return json!({"id": format!("line {number}"), "error": error.to_string()}),
    };
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    let id = member("_id").map_or_else(|| format!("line {number}"), str::to_owned);
    let info = &pillow.definition().document;
    let type_name = member(info.type_field).unwrap_or_default();
    if info.deleted_types.contains(&type_name) {
        return json!({"id": id, "becomes": "deleted"});
    }
    if !info.types.contains(&type_name) {
        return json!({"id": id, "becomes": "of another type"});
    }
    let revision = member("_rev").unwrap_or("1-0");
    let change =
        ChangeMeta::new(id.as_str().into(), revision.into(), info.database.unwrap_or("samples").into());
    let (mut source, mut routing) = (Vec::new(), None);
    match pillow.process_with(text, &change, &[], &mut source, &mut routing) {
        Ok(Verdict::Index) => match serde_json::from_slice::<Value>(&source) {
            Ok(source) => match routing {
                Some(routing) => json!({"id": id, "routing": routing, "source": source}),
                None => json!({"id": id, "source": source}),
            },
            Err(error) => json!({"id": id, "error": error.to_string()}),
        },
        Ok(Verdict::Filtered) => json!({"id": id, "becomes": "filtered"}),
        Ok(Verdict::Dropped) => json!({"id": id, "becomes": "dropped"}),
        Err(error) => json!({"id": id, "error": error.to_string()}),
    }
}

/// The ids of the documents that are not as in an older snapshot: changed, new or gone.
#[must_use]
pub fn changed(old: &str, new: &str) -> Vec<String> {
    let only = |these: &str, those: &str| {
        let others: Vec<&str> = those.lines().collect();
        these.lines().filter(|line| !others.contains(line)).map(id_of).collect::<Vec<_>>()
    };
    let mut ids = only(new, old);
    ids.extend(only(old, new));
    ids.sort();
    ids.dedup();
    ids
}

fn id_of(line: &str) -> String {
    let entry: Value = serde_json::from_str(line).unwrap_or_default();
    entry.get("id").and_then(Value::as_str).unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_become_something_else_are_named() {
        let old = "{\"id\":\"a\",\"source\":{\"x\":1}}\n{\"becomes\":\"filtered\",\"id\":\"b\"}\n";
        let new = "{\"id\":\"a\",\"source\":{\"x\":2}}\n{\"becomes\":\"filtered\",\"id\":\"b\"}\n{\"becomes\":\"dropped\",\"id\":\"c\"}\n";
        assert_eq!(changed(old, new), ["a", "c"]);
        assert_eq!(changed(new, new), [] as [&str; 0]);
        assert_eq!(path_beside(Path::new("mappings/case.json")), Path::new("mappings/case.samples.jsonl"));
    }
}
