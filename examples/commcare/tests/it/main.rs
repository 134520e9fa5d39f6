//! What the pillows make of documents: real ones, those of the samples, and one for each rule.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as the test does")]

mod case_search;
mod indicators;
mod projects;
mod real_documents;
mod rules;
mod samples;
mod transforms;

use std::sync::Arc;

use pillowtop::{AnyPillow, ChangeMeta, ProcessError, Verdict};
use serde_json::Value;

/// The pillows that follow documents of this type.
fn pillows_of(doc_type: &str) -> Vec<Arc<dyn AnyPillow>> {
    let registry = commcare::registry();
    let follows = |pillow: &&Arc<dyn AnyPillow>| pillow.definition().document.types.contains(&doc_type);
    registry.pillows().iter().filter(follows).cloned().collect()
}

/// The pillow of this name.
fn pillow(name: &str) -> Arc<dyn AnyPillow> {
    let registry = commcare::registry();
    registry.pillows().iter().find(|pillow| pillow.definition().pillow.as_str() == name).unwrap().clone()
}

fn meta(document: &Value) -> ChangeMeta {
    let text = |name: &str| document[name].as_str().unwrap_or("none").to_owned();
    ChangeMeta::new(text("_id").into(), text("_rev").into(), "commcarehq".into())
}

/// What is indexed for a document by the first pillow that follows it: the verdict, and the
/// `_source` if it is indexed.
fn process(document: &Value) -> Result<(Verdict, Value), ProcessError> {
    let pillows = pillows_of(document["doc_type"].as_str().unwrap());
    process_by(pillows.first().unwrap().as_ref(), document)
}

fn process_by(pillow: &dyn AnyPillow, document: &Value) -> Result<(Verdict, Value), ProcessError> {
    let mut source = Vec::new();
    let verdict = pillow.process(&document.to_string(), &meta(document), &mut source)?;
    assert_eq!(source.is_empty(), verdict != Verdict::Index);
    let source = if source.is_empty() { Value::Null } else { serde_json::from_slice(&source).unwrap() };
    Ok((verdict, source))
}

#[track_caller]
fn indexed(document: &Value) -> Value {
    let (verdict, source) = process(document).unwrap();
    assert_eq!(verdict, Verdict::Index, "{document}");
    source
}

/// `base` with the members of `changes`.
fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { unreachable!("changes are an object") };
    base.as_object_mut().unwrap().extend(changes);
    base
}

#[test]
fn mappings_are_committed() {
    pillowtop::assert_committed(&commcare::registry().and(&commcare::tables()));
}
