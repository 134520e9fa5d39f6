use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(doc_type = 3, deleted = [], database = "Big", unknown = keep, type_field, crate = 3)]
struct Case {
    domain: String,
}

fn main() {}
