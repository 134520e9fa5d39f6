use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument)]
struct Action {
    #[es(dense_vector, dims = 3)]
    embedding: Vec<f32>,
    #[es(flattened, depth_limit = 3)]
    labels: std::collections::HashMap<String, String>,
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Owner {
    #[es(text, fields(wild(wildcard)))]
    owner_name: String,
    count: u64,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[es(dynamic = runtime)]
#[pillow(name = "case", alias = "cases", targets = ["elasticsearch 7.3", "opensearch 2.19", "elasticsearch 8.15"], mapping = unchecked)]
struct Case {
    #[es(nested)]
    actions: Vec<Action>,
    #[serde(flatten)]
    owner: Owner,
    #[es(json = r#"{"type": "semantic_text", "inference_id": "x"}"#)]
    raw: String,
}

fn main() {}
