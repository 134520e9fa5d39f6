//! Where the documents of a pillow with a routing go.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use pillowtop_core::lookup::NoLookup;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};

use crate::member::{Decider, Decision};
use crate::row::Row;

#[derive(serde::Serialize, serde::Deserialize)]
struct Person {
    household: Option<String>,
}

impl CouchDocument for Person {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = DocumentInfo { types: &["Person"], ..DocumentInfo::PART };
}

impl Pillow for Person {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = NoLookup;
    const PILLOW: PillowInfo =
        PillowInfo { routing: Some("self.household"), ..PillowInfo::named("person", "persons") };
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.household.as_deref() != Some("none")
    }
    fn routing(&self) -> Option<String> {
        self.household.clone()
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        Some(self)
    }
}

fn decider(prefixes_ids: bool) -> Decider {
    Decider {
        pillow: Arc::clone(&Registry::new().with::<Person>().pillows()[0]),
        target: "persons_1".into(),
        database: "clinic/a".into(),
        prefixes_ids,
        keeps_bodies: false,
    }
}

/// Where each document goes.
fn routings(prefixes_ids: bool, documents: &[&str]) -> Vec<String> {
    let rows: Vec<Row> = documents
        .iter()
        .map(|document| Row::of_document((*document).to_owned(), "p", "1-x").unwrap())
        .collect();
    let decided = decider(prefixes_ids).decide(&rows, &AtomicUsize::new(0)).into_iter();
    decided
        .map(|decided| match decided.decision {
            Decision::Index { routing: Some(routing), .. } => routing.into(),
            Decision::Index { routing: None, .. } => "by its id".to_owned(),
            _ => "nowhere".to_owned(),
        })
        .collect()
}

#[test]
fn a_decision_to_index_has_the_routing_value_and_no_other_has() {
    let documents = [
        r#"{"doc_type":"Person","household":"h1"}"#,
        r#"{"doc_type":"Person","household":null}"#,
        r#"{"doc_type":"Person","household":""}"#,
        r#"{"doc_type":"Person","household":"none"}"#,
        r#"{"doc_type":"Other","household":"h1"}"#,
    ];
    let expected = ["h1", "by its id", "by its id", "nowhere", "nowhere"];
    assert_eq!(routings(false, &documents), expected);
}

#[test]
fn a_routing_value_is_prefixed_as_ids_are() {
    let found = routings(true, &[r#"{"doc_type":"Person","household":"h1"}"#]);
    assert_eq!(found, ["clinic%2Fa/h1"]);
}
