use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter = self.number + 1 > 3 && self.number == 2 * 3 || self.closed & self.closed, mapping = unchecked)]
struct Case {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
}

fn main() {}
