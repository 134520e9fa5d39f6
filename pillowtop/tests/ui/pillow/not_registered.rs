use pillowtop::CouchDocument;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
}

fn registry() -> pillowtop::Registry {
    pillowtop::registry![Case]
}

fn main() {}
