use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    a: String,
    #[serde(rename = "b")]
    other: String,
    #[serde(rename = "a")]
    again: String,
    b: String,
}

fn main() {}
