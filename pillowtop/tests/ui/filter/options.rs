use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "A")]
#[pillow(
    name = "a",
    alias = "as",
    filter = self.case_type == Some("person") || self.case_type != None && self.case_type.unwrap() == "x",
    mapping = unchecked,
)]
struct A {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

fn main() {}
