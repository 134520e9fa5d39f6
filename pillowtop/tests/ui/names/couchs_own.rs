use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    #[es(keyword)]
    _id: String,
    #[serde(rename = "_rev")]
    #[es(skip)]
    revision: String,
}

fn main() {}
