//! What is flattened takes every member: one error, whatever is flattened.

use std::collections::HashMap;

use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Case", unknown = carry)]
struct Case {
    name: String,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Serialize)]
#[serde(tag = "kind")]
enum Kind {
    Person { age: u8 },
}

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Form", unknown = carry)]
struct Form {
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "User")]
struct User {
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

#[derive(Serialize, CouchDocument)]
struct Part {
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

fn main() {}
