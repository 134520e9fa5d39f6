//! Settings and parameters of a root with which an index rejects every document that the runtime sends.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", settings = r#"{"index": {"mode": "time_series", "routing_path": ["domain"]}}"#)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", settings = r#"{"append_only.enabled": true, "blocks": {"write": true}, "routing_partition_size": 2}"#)]
struct Form {
    domain: String,
}

pillowtop::rules! {
    pub(crate) rules {
        root => composite(stars(type = "star_tree"));
    }
}

fn main() {}
