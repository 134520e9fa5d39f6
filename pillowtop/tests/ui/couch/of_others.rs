use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// Items of one attribute in another: one error each, and none for what is missing because of it.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case", name = "case", alias = "cases", dynamic = false, rename_all = "camelCase")]
#[pillow(mapping = unchecked)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[pillow(name = "other", alias = "others", doc_type = "Other", mapping = unchecked)]
struct Other {
    #[es(rename = "place")]
    domain: String,
    #[es(keyword, name = "n")]
    name: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[es(doc_type = "Third")]
#[pillow(name = "third", alias = "thirds", mapping = unchecked)]
struct Third {
    domain: String,
}

fn main() {}
