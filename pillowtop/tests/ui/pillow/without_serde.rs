use pillowtop::{CouchDocument, Pillow};

#[derive(CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    domain: String,
}

fn main() {}
