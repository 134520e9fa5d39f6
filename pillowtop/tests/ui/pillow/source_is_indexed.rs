//! What a transform reads and another one makes is indexed, so it needs a mapping.

use std::collections::HashMap;

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", transform = Index::from_form, mapping = unchecked)]
struct Form {
    map: HashMap<String, u8>,
}

#[derive(Serialize, CouchDocument)]
struct Index {
    name: String,
}

impl Index {
    fn from_form(_: Form, _: &ChangeMeta) -> Option<Self> {
        None
    }
}

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", transform = form_of, index = Form, mapping = unchecked)]
struct Case {
    name: String,
}

fn form_of(_: Case, _: &ChangeMeta) -> Option<Form> {
    None
}

fn main() {}
