use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
