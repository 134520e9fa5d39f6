//! Settings that a server refuses when it creates the index, of all servers or of the targets.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(
    name = "case",
    alias = "cases",
    settings = r#"{
        "number_of_shards": 0,
        "sort.order": "asc",
        "similarity": {"s": {"type": "classic"}},
        "analysis": {
            "normalizer": {"n": {"tokenizer": "keyword"}},
            "filter": {"grams": {"type": "ngram", "min_gram": 1, "max_gram": 4}}
        }
    }"#
)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(
    name = "form",
    alias = "forms",
    targets = ["elasticsearch 9.0"],
    settings = r#"{"knn": true, "analysis": {"analyzer": {"x": {"tokenizer": "edgeNGram"}}}}"#
)]
struct Form {
    domain: String,
}

fn main() {}
