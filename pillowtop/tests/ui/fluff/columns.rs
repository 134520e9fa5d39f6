//! Columns that no table can have.

use pillowtop::CouchDocument;
use pillowtop_fluff::{Calculator, Emitter, Fluff, Reduce, undated};

#[derive(serde::Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
    visits_total: String,
}

struct Visits;

impl Calculator for Visits {
    type Document = Case;
    const EMITTERS: &'static [&'static [Emitter<Case>]] = &[&[undated("total", Reduce::Sum).integers(|_: &Case, _| {})]];
}

#[derive(Fluff)]
#[fluff(name = "duplicate", document = Case, mapping = unchecked)]
struct Duplicate {
    #[fluff(flat)]
    visits_total: String,
    #[fluff(calculator)]
    visits: Visits,
}

#[derive(Fluff)]
#[fluff(name = "Named-Badly", document = Case, mapping = unchecked)]
struct Named {
    #[fluff(calculator)]
    visits: Visits,
}

fn main() {}
