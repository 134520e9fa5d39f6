use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Nothing(#[serde(skip)] String);

fn main() {}
