//! Enums that serde writes as objects, mapped as one value: at the enum, and at a field that holds one.

use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[es(keyword)]
enum Shape {
    Circle(f64),
    Point,
}

#[derive(Serialize, CouchDocument)]
#[serde(tag = "kind")]
#[es(text)]
enum Tagged {
    One,
}

/// What is unknown is a string, and everything else too.
#[derive(Serialize, CouchDocument)]
#[es(keyword)]
enum Open {
    Known,
    #[serde(untagged)]
    Other(String),
}

#[derive(Serialize, CouchDocument)]
#[es(flattened)]
enum Event {
    Opened { at: String },
    Closed,
}

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(keyword)]
    event: Event,
    #[es(keyword)]
    open: Open,
}

fn main() {}
