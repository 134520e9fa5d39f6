use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "A")]
#[pillow(
    name = "a",
    alias = "as",
    filter = self.domian == "demo" && self.tags.len() > 3 && matches!(self.nmber, 1) && self.number == -self.number,
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
