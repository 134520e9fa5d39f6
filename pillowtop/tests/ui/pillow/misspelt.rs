use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// One error for each slip, and none for what is missing because of it.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doctype = "Case", database = "clinic")]
#[pillow(nmae = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
