//! Mappings that need a routing value, of pillows that declare none.

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[es(_routing(required = true))]
#[pillow(name = "required", alias = "required", mapping = unchecked)]
struct Required {
    domain: String,
}

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", transform = CaseIndex::from_case, mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    index: Relations,
}

#[derive(Serialize, CouchDocument)]
struct Relations {
    #[es(join, relations(household = "person"))]
    kin: String,
}

impl CaseIndex {
    fn from_case(case: Case, _: &ChangeMeta) -> Option<Self> {
        Some(Self { index: Relations { kin: case.domain } })
    }
}

fn main() {}
