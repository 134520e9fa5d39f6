use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[es(subobjects = false)]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    #[serde(rename = "pillowtop.id")]
    id: String,
}

fn main() {}
