use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(text, fields(exact, other(), inner(nested), twice(keyword), twice(text)))]
    a: String,
}

fn main() {}
