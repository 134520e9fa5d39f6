use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[es(dynamic = strict)]
struct Inner {
    x: u8,
}

#[derive(Serialize, CouchDocument)]
struct Outer {
    #[serde(flatten)]
    inner: Inner,
}

const _: &pillowtop::Object = Outer::MAPPING;

fn main() {}
