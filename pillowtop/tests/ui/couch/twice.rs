use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(doc_type = ["Case", "Case"], deleted = "", doc_type = "Other")]
struct Case {
    domain: String,
}

fn main() {}
