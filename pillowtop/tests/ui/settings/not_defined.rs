use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(
    name = "case",
    alias = "cases",
    settings = r#"{"analysis": {
        "analyzer": {"comma": {"type": "custom", "tokenizer": "comma_tokeniser", "filter": ["lowercas"]}},
        "tokenizer": {"comma_tokenizer": {"type": "pattern", "pattern": ","}}
    }}"#,
    mapping = unchecked
)]
struct Case {
    domain: String,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Other")]
#[pillow(
    name = "other",
    alias = "others",
    settings = r#"{"analysis": {"analyzer": {"comma": {"type": "custom", "tokenizer": "standard"}}}}"#,
    mapping = unchecked
)]
struct Other {
    #[es(text, analyzer = "coma")]
    names: String,
    #[es(text, analyzer = "englsh")]
    notes: String,
}

fn main() {}
