use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[es(date_detection = true)]
struct Inner {
    a: String,
}

#[derive(CouchDocument)]
struct Outer {
    inner: Inner,
}

const _: &pillowtop::Object = Outer::MAPPING;

fn main() {}
