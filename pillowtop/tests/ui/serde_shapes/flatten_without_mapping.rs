use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Serialize)]
struct Inner {
    a: String,
}

fn main() {}
