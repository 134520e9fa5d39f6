use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[couch(database = "cases", unknown = carry)]
struct Case {
    domain: String,
}

fn main() {}
