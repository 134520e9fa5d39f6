use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[es(rules = crate::nothing)]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    a: u8,
}

fn main() {}
