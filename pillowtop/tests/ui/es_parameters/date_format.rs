//! Formats that no server compiles.

use pillowtop::CouchDocument;
use serde::Serialize;

#[derive(Serialize, CouchDocument)]
#[es(dynamic_date_formats = ["yyyy-MM-dd", "yyyy/MM/ddd"])]
struct Case {
    #[es(date, format = "yyyy-MM-ddThh:mm:ss")]
    opened: String,
    #[es(date_range, format = "yyyy-MM-dd||bogus")]
    between: Option<Range>,
    #[es(keyword, fields(day(date, format = "yyyy-MM-dd'T")))]
    closed: String,
    #[es(date_nanos, format = "")]
    touched: String,
}

#[derive(Serialize)]
struct Range {
    gte: String,
}

fn main() {}
