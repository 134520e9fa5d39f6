use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", transform = CaseIndex::from_case, mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    _id: String,
}

impl CaseIndex {
    fn from_case(case: Case, _: &pillowtop::ChangeMeta) -> Option<Self> {
        Some(Self { _id: case.domain })
    }
}

fn main() {}
