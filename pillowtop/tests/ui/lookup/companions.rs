use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", lookup = OwnerNames, transform = CaseIndex::from_case, mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", lookup_keys = Form::keys, mapping = unchecked)]
struct Form {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(name = "visit", alias = "visits", lookup = OwnerNames, lookup_keys = Visit::keys, mapping = unchecked)]
struct Visit {
    domain: String,
}

fn main() {}
