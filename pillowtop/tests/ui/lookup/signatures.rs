use pillowtop::{ChangeMeta, CouchDocument, Fetched, Lookup, LookupError, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(
    name = "case",
    alias = "cases",
    lookup = OwnerNames,
    lookup_keys = Case::keys,
    transform = CaseIndex::from_case,
    mapping = unchecked,
)]
struct Case {
    domain: String,
}

impl Case {
    fn keys(&self) -> Vec<u64> {
        Vec::new()
    }
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    domain: String,
}

impl CaseIndex {
    fn from_case(case: Case, _: &ChangeMeta, found: &str) -> Option<Self> {
        Some(Self { domain: case.domain + found })
    }
}

struct OwnerNames;

impl Lookup for OwnerNames {
    type Key = String;
    type Value = String;
    async fn fetch(&self, _: Vec<String>) -> Result<Fetched<String, String>, LookupError> {
        Ok(Fetched::new())
    }
}

fn main() {}
