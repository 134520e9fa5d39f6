use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "Case", alias = "hq cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
