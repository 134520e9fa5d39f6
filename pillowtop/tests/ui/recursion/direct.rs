use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    children: Vec<Case>,
    #[es(nested)]
    nested: Vec<Self>,
    #[es(object, dynamic = false)]
    cut: Option<Box<Case>>,
}

fn main() {}
