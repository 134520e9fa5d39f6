use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(keyword, ignore_abov = 100)]
    a: String,
    #[es(keyword, analyzer = "comma")]
    b: String,
    #[es(text, include_in_all = true)]
    c: String,
    #[es(text, fields(exact(keyword, nomalizer = "x")))]
    d: String,
}

fn main() {}
