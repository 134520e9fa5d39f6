use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(skip = true)]
    a: String,
    #[es(skip())]
    b: String,
    #[es(json)]
    c: String,
    #[es(json(type = "keyword"))]
    d: String,
    #[es(ignore)]
    e: String,
}

fn main() {}
