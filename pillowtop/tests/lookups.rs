//! Pillows whose transform looks something up.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as the test does")]

use std::collections::HashMap;

use pillowtop::{
    ChangeMeta, CouchDocument, CowStr, Fetched, Found, Lookup, LookupError, LookupOptions, Pillow, Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Numbers of owners. There are none that begin with a letter.
#[derive(Default)]
struct OwnerNumbers {
    offset: u64,
}

impl Lookup for OwnerNumbers {
    type Key = String;
    type Value = u64;
    const OPTIONS: LookupOptions = LookupOptions { batch_size: 7, ..LookupOptions::DEFAULT };

    async fn fetch(&self, ids: Vec<String>) -> Result<Fetched<String, u64>, LookupError> {
        Ok(ids
            .into_iter()
            .filter_map(|id| Some((id.clone(), self.offset + id.parse::<u64>().ok()?)))
            .collect())
    }
}

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(
    name = "case",
    alias = "cases",
    filter = self.owner_id != "secret",
    lookup = OwnerNumbers,
    lookup_keys = Case::owners,
    transform = with_owner,
    index = CaseIndex,
    mapping = unchecked,
)]
struct Case {
    owner_id: String,
    user_id: Option<String>,
}

impl Case {
    fn owners(&self) -> Vec<String> {
        self.user_id.iter().chain([&self.owner_id]).cloned().collect()
    }
}

fn with_owner(case: Case, _: &ChangeMeta, found: &Found<OwnerNumbers>) -> Option<CaseIndex> {
    let Case { owner_id, .. } = case;
    (owner_id != "dropped").then(|| CaseIndex { owner: found.get(&owner_id).copied() })
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    owner: Option<u64>,
}

/// One that points into its document.
#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(
    name = "visit",
    alias = "visits",
    lookup = OwnerNumbers,
    lookup_keys = Self::owners,
    transform = VisitIndex::<'a>::from_visit,
    mapping = unchecked,
)]
struct Visit<'a> {
    #[serde(borrow)]
    owner_id: CowStr<'a>,
}

impl Visit<'_> {
    fn owners(&self) -> Vec<String> {
        vec![self.owner_id.as_str().to_owned()]
    }
}

#[derive(Serialize, CouchDocument)]
struct VisitIndex<'a> {
    owner_id: CowStr<'a>,
    owner: Option<u64>,
}

impl<'a> VisitIndex<'a> {
    fn from_visit(visit: Visit<'a>, _: &ChangeMeta, found: &Found<OwnerNumbers>) -> Option<Self> {
        let owner = found.get(visit.owner_id.as_str()).copied();
        (owner != Some(0)).then_some(Self { owner, owner_id: visit.owner_id })
    }
}

fn change() -> ChangeMeta {
    ChangeMeta::new("a".into(), "1-a".into(), "db".into())
}

/// Polls a future that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("waits"),
    }
}

/// The `_source` of a document, looked up or not.
fn source(pillow: &dyn pillowtop::AnyPillow, document: &Value, is_looked_up: bool) -> Value {
    let (text, mut source) = (document.to_string(), Vec::new());
    let verdict = if is_looked_up {
        let keys = pillow.lookup_keys(&text).unwrap();
        let found = ready(pillow.lookup().unwrap().fetch(&keys)).unwrap().found;
        pillow.process_with(&text, &change(), &found, &mut source, &mut None)
    } else {
        pillow.process(&text, &change(), &mut source)
    };
    assert_eq!(verdict.unwrap(), Verdict::Index);
    serde_json::from_slice(&source).unwrap()
}

#[test]
fn a_transform_gets_what_was_found() {
    let registry = pillowtop::registry![Case => OwnerNumbers { offset: 100 }, Visit];
    let [case, visit] = ["case", "visit"].map(|name| registry.get(name).unwrap().as_ref());
    assert_eq!(case.lookup().unwrap().options().batch_size, 7);
    let document = json!({"owner_id": "7", "user_id": "x"});
    assert_eq!(case.lookup_keys(&document.to_string()).unwrap().len(), 2);
    assert_eq!(source(case, &document, true)["owner"], 107);
    assert_eq!(source(case, &document, false)["owner"], Value::Null);
    // Made by `Default`.
    assert_eq!(
        source(visit, &document, true),
        json!({
            "owner_id": "7", "owner": 7, "pillowtop": {"id": "a", "rev": "1-a", "db": "db"},
        })
    );
}

#[test]
fn a_document_that_is_left_out_needs_no_keys() {
    let registry = pillowtop::registry![Case];
    let case = registry.get("case").unwrap();
    assert_eq!(case.lookup_keys(r#"{"owner_id": "secret"}"#).unwrap(), []);
    assert!(case.lookup_keys(r#"{"owner_id": 3}"#).is_err());
}

#[test]
fn a_pillow_without_a_lookup_says_so() {
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Plain")]
    #[pillow(name = "plain", alias = "plains", mapping = unchecked)]
    struct Plain {
        domain: String,
    }
    let registry = pillowtop::registry![Plain];
    assert!(registry.get("plain").unwrap().lookup().is_none());
    let found: Found<OwnerNumbers> = HashMap::from([("1".to_owned(), 1)]).into_iter().collect();
    assert_eq!((found.get("1"), found.get("2")), (Some(&1), None));
}
