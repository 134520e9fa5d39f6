//! A committed file is where it is, or not compared at all.

use pillowtop::CouchDocument;
use pillowtop_fluff::Fluff;

#[derive(serde::Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
}

#[derive(Fluff)]
#[fluff(name = "cases", document = Case, mapping = missing)]
struct Cases {
    #[fluff(group_by)]
    domain: String,
}

fn main() {}
