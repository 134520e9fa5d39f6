use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(ignore_above = 100)]
    other: Other,
    #[es(ignore_above = 100)]
    map: std::collections::HashMap<String, String>,
}

struct Other;

fn main() {}
