use pillowtop::CouchDocument;

#[derive(CouchDocument)]
#[es(rules = std::matches)]
struct NoRules {
    a: u8,
}

#[derive(CouchDocument)]
#[es(rules = pillowtop::rules)]
struct Itself {
    a: u8,
}

fn main() {}
