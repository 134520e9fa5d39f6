use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(nested)]
    names: Vec<String>,
}

fn main() {}
