use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(doc_type = "Kind")]
enum Kind {
    Person,
}

#[derive(CouchDocument)]
#[couch]
struct Empty {
    domain: String,
}

fn main() {}
