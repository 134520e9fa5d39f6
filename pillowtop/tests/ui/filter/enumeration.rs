use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", filter = self.kind == "person" || self.kind == Kind::Persn, mapping = unchecked)]
struct Case {
    kind: Kind,
}

#[derive(Serialize, Deserialize, CouchDocument, PartialEq)]
enum Kind {
    Person,
}

fn main() {}
