use pillowtop::Pillow;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
