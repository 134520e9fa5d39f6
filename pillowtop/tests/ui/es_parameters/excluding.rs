//! Parameters of one field that exclude each other, and templates that no server takes.

use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[es(dynamic_templates = [
    names(match_pattern = "regex", match = "*name", mapping(type = "keyword")),
    bytes(match_mapping_type = "byte", mapping(type = "keyword")),
    typo(match = "a", mapping(type = "keywrod")),
])]
struct Case {
    #[es(text, index = false, fielddata = true)]
    note: String,
    #[es(text, index_prefixes(min_chars = 5, max_chars = 2))]
    name: String,
    #[es(byte, null_value = 1000)]
    size: Option<u8>,
    #[es(keyword, fields(words(text, index_phrases = true, index_options = "docs")))]
    words: String,
}

fn main() {}
