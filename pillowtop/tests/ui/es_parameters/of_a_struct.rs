use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[es(dynamc = false, date_detection = 3, _all(enabled = false), _meta(pillowtop = 1))]
struct Case {
    a: String,
}

fn main() {}
