use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(
    name = "case",
    alias = "cases",
    targets = ["elasticserch 8.15", "solr 9", "opensearch", "opensearch latest", "elasticsearch 6.8", "OpenSearch 3"],
    mapping = unchecked
)]
struct Case {
    domain: String,
}

fn main() {}
