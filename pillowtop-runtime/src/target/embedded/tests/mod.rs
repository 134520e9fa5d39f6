//! Tests of the embedded index.

mod durability;
mod following;
mod rejections;
mod searching;

use std::path::Path;

use bytes::Bytes;
use pillowtop_core::Definition;
use serde_json::{Value, json};

use super::{EmbeddedIndex, SearchResult};
use crate::dead_letter::{DeadLetter, Stage};
use crate::operation::{Action, Operation, Version, WriteMode};
use crate::sink::{ItemOutcome, Sink};
use crate::state::DatabaseIdentity;

/// A definition of this mapping and these settings.
fn definition(mappings: Value, settings: Value) -> Definition {
    Definition::of_mapping("case", "cases", settings, mappings)
}

/// A mapping of these properties.
fn mapped(properties: &Value) -> Definition {
    definition(json!({"dynamic": false, "properties": properties}), json!({}))
}

fn database() -> DatabaseIdentity {
    DatabaseIdentity { name: "commcare".into(), instance_start_time: "1".to_owned() }
}

fn open(folder: &Path, definition: &Definition) -> EmbeddedIndex {
    EmbeddedIndex::open(folder, definition, database()).unwrap()
}

fn index(sink: &EmbeddedIndex, id: &str, source: &Value) -> Operation {
    let version = sink.versions().stamp().unwrap();
    Operation { id: id.into(), version, action: Action::Index(Bytes::from(source.to_string())) }
}

fn delete(sink: &EmbeddedIndex, id: &str) -> Operation {
    Operation { id: id.into(), version: sink.versions().stamp().unwrap(), action: Action::Delete }
}

async fn write(sink: &EmbeddedIndex, operations: &[Operation]) -> Vec<ItemOutcome> {
    sink.write(operations, WriteMode::Follow).await.unwrap()
}

/// Writes a document that must be accepted.
async fn put(sink: &EmbeddedIndex, id: &str, source: &Value) {
    assert_eq!(write(sink, &[index(sink, id, source)]).await, [ItemOutcome::Done], "{source}");
}

fn ids(result: &SearchResult) -> Vec<&str> {
    let mut ids: Vec<&str> = result.hits.iter().map(|hit| hit.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn letter(sink: &EmbeddedIndex, id: &str) -> DeadLetter {
    DeadLetter {
        pillow: "case".into(),
        index: sink.name().clone(),
        database: "commcare".into(),
        id: id.into(),
        revision: "1-a".into(),
        version: Version(1),
        stage: Stage::Index,
        error_type: "mapper_parsing_exception".to_owned(),
        reason: "no date".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        document: None,
    }
}
