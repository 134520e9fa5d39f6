use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(text, keyword)]
    a: String,
    #[es(type = "keyword")]
    b: String,
    #[es(skip, keyword)]
    c: String,
    #[es(index)]
    d: String,
}

fn main() {}
