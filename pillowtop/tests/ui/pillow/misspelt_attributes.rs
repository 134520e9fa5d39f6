use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// The compiler's own errors are enough.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couchdb(doc_type = "Case")]
#[pilow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
