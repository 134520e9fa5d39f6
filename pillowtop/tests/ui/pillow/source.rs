//! A source of a transform needs no mapping; what is wrong with its attributes is an error all the same, and it cannot be indexed.

use std::collections::HashMap;

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", transform = make, index = Index, mapping = unchecked)]
struct Form {
    map: HashMap<String, u8>,
    #[es(keywrod)]
    name: String,
}

#[derive(Serialize, CouchDocument)]
struct Index {
    name: String,
}

fn make(form: Form, _: &ChangeMeta) -> Option<Index> {
    Some(Index { name: form.name })
}

fn main() {}
