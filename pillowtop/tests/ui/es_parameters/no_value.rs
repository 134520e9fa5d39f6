use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
struct Case {
    #[es(keyword, ignore_above = )]
    a: String,
    #[es(keyword, ignore_above: 3)]
    b: String,
    #[es(keyword, ignore_above == 3)]
    c: String,
    #[es(keyword, ignore_above = 3u32)]
    d: String,
    #[es(keyword, ignore_above = 99999999999999999999999)]
    e: String,
    #[es(keyword, meta(unit))]
    f: String,
}

fn main() {}
