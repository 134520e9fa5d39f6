//! What the three pillows make of documents: real ones, those of the samples, and one for each rule.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as the test does")]

mod real_documents;
mod samples;
mod transforms;

use pillowtop::{AnyPillow, ChangeMeta, ProcessError, Verdict};
use serde_json::Value;

/// The pillow that follows documents of this type.
fn pillow_of(doc_type: &str) -> Option<std::sync::Arc<dyn AnyPillow>> {
    let registry = commcare::registry();
    registry.pillows().iter().find(|pillow| pillow.definition().document.types.contains(&doc_type)).cloned()
}

fn meta(document: &Value) -> ChangeMeta {
    let text = |name: &str| document[name].as_str().unwrap_or("none").to_owned();
    ChangeMeta::new(text("_id").into(), text("_rev").into(), "commcarehq".into())
}

/// What is indexed for a document: the verdict, and the `_source` if it is indexed.
fn process(document: &Value) -> Result<(Verdict, Value), ProcessError> {
    let pillow = pillow_of(document["doc_type"].as_str().unwrap()).unwrap();
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
