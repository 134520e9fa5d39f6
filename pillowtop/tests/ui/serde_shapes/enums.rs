use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
enum Shape {
    Circle { radius: f64 },
    Dot,
}

#[derive(Serialize, CouchDocument)]
#[serde(tag = "kind")]
enum Tagged {
    Dot,
}

#[derive(Serialize, CouchDocument)]
#[serde(untagged)]
enum Untagged {
    Dot,
}

fn main() {}
