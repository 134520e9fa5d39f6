use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", lookup = 3, lookup_keys = "keys", mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", lookup, lookup_keys, mapping = unchecked)]
struct Form {
    domain: String,
}

fn main() {}
