//! One member that no struct names would make every document a dead letter, at any depth.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[serde(deny_unknown_fields)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    owner: Owner,
}

#[derive(Serialize, Deserialize, CouchDocument)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Owner {
    first_name: String,
}

fn main() {}
