use pillowtop::CouchDocument;
use serde::Serialize;
use std::collections::HashMap;

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Case", unknown = carry)]
struct Case {
    #[serde(flatten)]
    rest: HashMap<String, String>,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    #[es(object)]
    other: Inner,
}

#[derive(Serialize, CouchDocument)]
struct Inner {
    a: String,
}

fn main() {}
