use pillowtop::CouchDocument;
use std::collections::HashMap;

#[derive(CouchDocument)]
struct Case {
    map: HashMap<String, String>,
    any: Option<serde_json::Value>,
    pairs: Vec<(f64, f64)>,
    price: Decimal,
    pointer: *const u8,
}

struct Decimal;

fn main() {}
