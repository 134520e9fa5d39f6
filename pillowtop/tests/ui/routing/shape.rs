//! What `routing` takes.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", routing = "self.household_id", mapping = unchecked)]
struct Quoted {
    household_id: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", routing = self.household_id.clone(), mapping = unchecked)]
struct Called {
    household_id: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", routing = household_id, mapping = unchecked)]
struct Bare {
    household_id: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", routing = self.houshold_id, mapping = unchecked)]
struct Misspelt {
    household_id: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", routing, mapping = unchecked)]
struct WithoutValue {
    household_id: String,
}

fn main() {}
