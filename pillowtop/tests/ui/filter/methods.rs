use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter = self.domain.start_with("a") && self.domain.is_empty(3) && self.domain.contains() && self.domain.to_lowercase() == "a", mapping = unchecked)]
struct Case {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
}

fn main() {}
