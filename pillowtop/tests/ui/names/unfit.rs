use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[serde(rename = "a.b")]
    a: String,
    #[serde(rename = "")]
    b: String,
}

fn main() {}
