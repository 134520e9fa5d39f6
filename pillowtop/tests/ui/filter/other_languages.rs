use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "A")]
#[pillow(
    name = "a",
    alias = "as",
    filter = self.domain == "demo" and self.closed,
    mapping = unchecked,
)]
struct A {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "B")]
#[pillow(
    name = "b",
    alias = "bs",
    filter = self.domain == "demo" OR self.closed,
    mapping = unchecked,
)]
struct B {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "C")]
#[pillow(
    name = "c",
    alias = "cs",
    filter = self.domain = "demo",
    mapping = unchecked,
)]
struct C {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "D")]
#[pillow(
    name = "d",
    alias = "ds",
    filter = "self.domain == 3",
    mapping = unchecked,
)]
struct D {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "E")]
#[pillow(
    name = "e",
    alias = "es",
    filter = domain == "demo",
    mapping = unchecked,
)]
struct E {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "F")]
#[pillow(
    name = "f",
    alias = "fs",
    filter = 1 < self.number < 3,
    mapping = unchecked,
)]
struct F {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "G")]
#[pillow(
    name = "g",
    alias = "gs",
    filter = self.domain == ,
    mapping = unchecked,
)]
struct G {
    domain: String,
    case_type: Option<String>,
    closed: bool,
    number: i64,
    tags: Vec<String>,
}

fn main() {}
