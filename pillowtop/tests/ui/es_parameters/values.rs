use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(keyword, ignore_above = -1)]
    a: String,
    #[es(text, index = "maybe")]
    b: String,
    #[es(text, index_options = position)]
    c: String,
    #[es(text, analyzer)]
    d: String,
    #[es(text, analyzer = 1 + 2)]
    e: String,
    #[es(text, analyzer = &x)]
    f: String,
    #[es(keyword, doc_values = true, doc_values = false)]
    g: String,
}

fn main() {}
