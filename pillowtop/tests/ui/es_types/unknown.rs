use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(keywrod)]
    a: String,
    #[es(string)]
    b: String,
    #[es(geoPoint)]
    c: String,
    #[es(blue)]
    d: String,
}

fn main() {}
