//! Tests of the embedded index.

mod comparing;
mod contract;
mod durability;
mod following;
mod rejections;
mod searching;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use pillowtop_core::Definition;
use serde_json::{Value, json};

use super::{EmbeddedDestination, EmbeddedOptions, EmbeddedTarget, SearchResult};
use pillowtop_runtime::claim::AcquireOptions;
use pillowtop_runtime::operation::{Action, Operation, Version};
use pillowtop_runtime::target::test_support::{acquire, database};
use pillowtop_runtime::target::{OpenError, OpenTarget, Outcome, Target};

/// A definition with this mapping and these settings.
fn definition(mappings: Value, settings: Value) -> Definition {
    Definition::of_mapping("case", "cases", settings, mappings)
}

/// A mapping with these properties.
fn mapped(properties: &Value) -> Definition {
    definition(json!({"dynamic": false, "properties": properties}), json!({}))
}

fn destination(parent: &Path, definition: &Definition) -> EmbeddedDestination {
    EmbeddedDestination::new(parent, definition.clone(), EmbeddedOptions::default())
}

/// Opens the index without its type erased.
async fn try_open(destination: &EmbeddedDestination) -> Result<(OpenTarget, Arc<EmbeddedTarget>), OpenError> {
    let opened = acquire(destination, Some(database())).await?;
    let uuid = opened.claim.key().target.clone();
    let target = destination.open_target(&uuid, &AcquireOptions::default()).await?;
    Ok((opened, target))
}

/// Opens the index and forgets the claim.
async fn open(parent: &Path, definition: &Definition) -> Arc<EmbeddedTarget> {
    try_open(&destination(parent, definition)).await.unwrap().1
}

fn version() -> Version {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Version(LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

fn index(id: &str, source: &Value) -> Operation {
    Operation::new(id.into(), version(), Action::Index(Bytes::from(source.to_string())))
}

fn delete(id: &str) -> Operation {
    Operation::new(id.into(), version(), Action::Delete)
}

async fn write(target: &EmbeddedTarget, operations: &[Operation]) -> Vec<Outcome> {
    target.write(operations).await.unwrap()
}

/// Writes a document that must be accepted.
async fn put(target: &EmbeddedTarget, id: &str, source: &Value) {
    assert_eq!(write(target, &[index(id, source)]).await, [Outcome::Done], "{source}");
}

fn ids(result: &SearchResult) -> Vec<&str> {
    let mut ids: Vec<&str> = result.hits.iter().map(|hit| hit.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[track_caller]
fn finds(target: &EmbeddedTarget, query: &str, expected: &[&str]) {
    let result = target.search(query, 10).unwrap();
    assert_eq!(ids(&result), expected, "{query}");
    assert_eq!(result.total, expected.len(), "{query}");
}
