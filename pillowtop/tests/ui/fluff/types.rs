//! Types that SQL has no columns for, or groups by nothing of.

use pillowtop::CouchDocument;
use pillowtop_fluff::{Calculator, Emitter, Fluff, Reduce, undated};

#[derive(serde::Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
    weight: f64,
}

struct Visits;

impl Calculator for Visits {
    type Document = Case;
    const EMITTERS: &'static [&'static [Emitter<Case>]] = &[&[undated("total", Reduce::Sum).integers(|_: &Case, _| {})]];
}

#[derive(Fluff)]
#[fluff(name = "weights", document = Case, mapping = unchecked)]
struct Weights {
    #[fluff(group_by)]
    weight: f64,
    #[fluff(flat)]
    domein: String,
    #[fluff(flat)]
    domain: Vec<String>,
    #[fluff(calculator)]
    visits: Visits,
}

struct NotATable;

fn main() {
    pillowtop_fluff::pillow::<NotATable>();
}
