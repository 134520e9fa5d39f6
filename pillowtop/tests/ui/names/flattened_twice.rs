use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    a: String,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Serialize, CouchDocument)]
struct Inner {
    a: String,
}

fn main() {}
