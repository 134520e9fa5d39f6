use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(json = "{")]
    a: String,
    #[es(json = "[1]")]
    b: String,
    #[es(json = r#"{"type": "x"}"#, index = false)]
    c: String,
}

fn main() {}
