use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter = self.domain.len() == 3 || if self.closed { true } else { false }, mapping = unchecked)]
struct Case {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
}

fn main() {}
