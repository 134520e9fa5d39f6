//! A flattened enum has no mapping; what the help says is in `tests/flattened_enum.rs`.

use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    name: String,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Serialize)]
#[serde(tag = "kind")]
enum Kind {
    Person { age: u8 },
    Household { size: u8 },
}

fn main() {}
