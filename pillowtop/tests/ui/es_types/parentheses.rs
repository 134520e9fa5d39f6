use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(keyword())]
    domain: String,
    #[es(text(analyzer = "standard"))]
    name: String,
}

fn main() {}
