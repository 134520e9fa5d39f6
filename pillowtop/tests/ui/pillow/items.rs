use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(nam = "case", mapping = maybe, transform_version = "2", transform = 3, settings = x)]
struct Case {
    domain: String,
}

fn main() {}
