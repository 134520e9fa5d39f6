use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    #[es(text, analyzer = "comma")]
    names: String,
    #[es(text, analyzer = "english")]
    note: String,
}

fn main() {}
