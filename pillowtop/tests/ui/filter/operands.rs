use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter = 1 == 2 && other == self && self.0 == 1, mapping = unchecked)]
struct Case {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
}

fn main() {}
