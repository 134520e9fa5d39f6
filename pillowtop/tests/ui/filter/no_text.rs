use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "A")]
#[pillow(
    name = "a",
    alias = "as",
    filter = self.number.starts_with("a") && self.closed > "a",
    mapping = unchecked,
)]
struct A {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "B")]
#[pillow(
    name = "b",
    alias = "bs",
    filter = self.domain.starts_with(3) && matches!(domain, "a"),
    mapping = unchecked,
)]
struct B {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

fn main() {}
