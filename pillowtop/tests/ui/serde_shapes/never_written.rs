use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[serde(skip)]
    #[es(keyword)]
    a: String,
}

fn main() {}
