use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(CouchDocument, Pillow)]
#[couch(doc_type = "Other")]
#[pillow(name = "other", alias = "others", transform = OtherIndex::from_other, mapping = unchecked)]
struct Other {
    domain: String,
}

#[derive(Serialize, CouchDocument)]
struct OtherIndex {
    domain: String,
}

impl OtherIndex {
    fn from_other(other: Other, _: &pillowtop::ChangeMeta) -> Option<Self> {
        Some(Self { domain: other.domain })
    }
}

#[derive(Deserialize)]
struct Read;

fn main() {}
