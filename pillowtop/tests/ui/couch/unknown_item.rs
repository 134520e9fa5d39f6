use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(doc_typ = "Case", delete = "x", colour = 3)]
struct Case {
    domain: String,
}

fn main() {}
