//! What is wrong with the attributes, all at once.

use pillowtop::CouchDocument;
use pillowtop_fluff::Fluff;

#[derive(serde::Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
}

#[derive(Fluff)]
struct Nameless {
    #[fluff(group_by)]
    domain: String,
}

#[derive(Fluff)]
#[fluff(name = "cases", document = Case, colour = "red", mapping = missing)]
#[fluff(name = "others")]
struct Cases<T> {
    #[fluff(grouped_by)]
    domain: String,
    owner: T,
}

#[derive(Fluff)]
#[fluff(name = "cases", document = Case, mapping = unchecked)]
struct Valueless {
    #[fluff(group_by)]
    domain: String,
}

#[derive(Fluff)]
#[fluff(name = "cases", document = Case, mapping = unchecked)]
enum Choice {
    One,
}

#[derive(Fluff)]
#[fluff(name = "cases", document = Case, mapping = unchecked)]
struct Unnamed(String);

fn main() {}
