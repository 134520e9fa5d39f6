use pillowtop::CouchDocument;

pillowtop::rules! {
    pub(crate) rules {
        type Secret => skip;
        named "size" => ignore_above = 3;
    }
}

struct Secret;

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct Case {
    #[es(ignore_above = 3)]
    secret: Secret,
    size: u8,
    map: std::collections::HashMap<String, u8>,
    #[es(keywrod)]
    word: String,
}

#[derive(CouchDocument)]
#[es(rules)]
struct WithoutPath {
    #[es(rules = crate::rules)]
    a: u8,
}

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
struct Inside(Secret);

#[derive(CouchDocument)]
#[es(rules = crate::rules)]
enum Kind {
    A,
}

rules! { a }

fn main() {}
