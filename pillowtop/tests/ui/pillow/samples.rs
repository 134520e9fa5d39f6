use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", samples = "samples/none.jsonl", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
