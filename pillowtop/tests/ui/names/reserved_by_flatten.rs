use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Inner {
    pillowtop: String,
}

fn main() {}
