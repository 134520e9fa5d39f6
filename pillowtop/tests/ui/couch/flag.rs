use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Case", doc_type_is_immutable = true, type_field = "")]
struct Case {
    domain: String,
}

#[derive(Serialize, CouchDocument)]
#[couch = "Other"]
struct Other {
    domain: String,
}

fn main() {}
