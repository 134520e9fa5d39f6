use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

// Attributes where they have no effect.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "cases", mapping = unchecked)]
struct Case {
    #[couch(keyword)]
    domain: String,
    #[pillow(skip)]
    name: String,
}

#[derive(Serialize, CouchDocument)]
enum Kind {
    #[es(keyword)]
    Person,
    #[couch(doc_type = "Household")]
    Household,
}

#[derive(Serialize, CouchDocument)]
#[es(flattened)]
enum Shape {
    Circle {
        #[es(double)]
        radius: f64,
    },
}

fn main() {}
