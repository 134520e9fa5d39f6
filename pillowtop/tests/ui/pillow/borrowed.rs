use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case<'a> {
    domain: &'a str,
    #[serde(borrow)]
    names: Option<Vec<&'a str>>,
    #[serde(borrow)]
    #[es(object, dynamic = false)]
    free: Option<&'a serde_json::value::RawValue>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Other")]
#[pillow(name = "other", alias = "others", mapping = unchecked)]
struct Other {
    domain: &'static str,
    name: Option<&'static str>,
}

fn main() {}
