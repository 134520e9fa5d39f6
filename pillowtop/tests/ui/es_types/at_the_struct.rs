use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[es(nested)]
struct Action {
    kind: String,
}

#[derive(CouchDocument)]
#[es(skip)]
struct Skipped {
    kind: String,
}

#[derive(CouchDocument)]
#[es(dynamic = false)]
struct Id(String);

fn main() {}
