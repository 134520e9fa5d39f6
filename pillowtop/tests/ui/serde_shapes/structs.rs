use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Pair(u8, String);

#[derive(Serialize, CouchDocument)]
struct Nothing;

#[derive(CouchDocument)]
union Either {
    a: u8,
    b: u8,
}

fn main() {}
