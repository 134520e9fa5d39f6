use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// What cannot be read is there all the same: nothing is reported as missing.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type: "Case")]
#[pillow(name = , alias(cases), mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
