use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(doc_type = "Case" "Other", = 3)]
struct Case {
    domain: String,
}

fn main() {}
