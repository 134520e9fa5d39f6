use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case(String);

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Pair")]
#[pillow(name = "pair", alias = "pairs", mapping = unchecked)]
struct Pair(String, u8);

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Kind")]
#[pillow(name = "kind", alias = "kinds", mapping = unchecked)]
enum Kind {
    Person,
}

fn main() {}
