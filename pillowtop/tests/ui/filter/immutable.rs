use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter_is_immutable, mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", filter = self.domain == "a", filter_is_immutable = true, mapping = unchecked)]
struct Form {
    domain: String,
}

fn main() {}
