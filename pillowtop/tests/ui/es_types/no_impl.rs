use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    size: usize,
    other: Other,
    #[es(nested)]
    list: Vec<Other>,
}

struct Other;

fn main() {}
