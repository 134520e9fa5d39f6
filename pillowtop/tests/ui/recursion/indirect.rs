// What only the compiler sees it says in its own words: see `docs/attributes.md`.
use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    actions: Vec<Action>,
}

#[derive(Serialize, CouchDocument)]
struct Action {
    cases: Vec<Case>,
}

const _: &pillowtop::Object = Case::MAPPING;

fn main() {}
