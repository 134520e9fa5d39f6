use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    owner: Ownr,
}

fn main() {}
