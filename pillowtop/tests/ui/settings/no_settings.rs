use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "A")]
#[pillow(name = "a", alias = "as", settings = "{codec: best}", mapping = unchecked)]
struct A {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "B")]
#[pillow(name = "b", alias = "bs", settings = r#"{"index": {"codec": "a"}, "codec": "b"}"#, mapping = unchecked)]
struct B {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "C")]
#[pillow(name = "c", alias = "cs", settings = r#"{"settings": {}, "mappings": {}}"#, mapping = unchecked)]
struct C {
    domain: String,
}

fn main() {}
