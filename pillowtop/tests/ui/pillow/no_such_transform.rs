use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// One error each, though the type stands in several places of what the derive writes.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", transform = CaseIdx::from_case, mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Other")]
#[pillow(name = "other", alias = "others", transform = CaseIndex::from_cse, mapping = unchecked)]
struct Other {
    domain: String,
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    domain: String,
}

impl CaseIndex {
    fn from_case(case: Case, _: &pillowtop::ChangeMeta) -> Option<Self> {
        Some(Self { domain: case.domain })
    }
}

fn main() {}
