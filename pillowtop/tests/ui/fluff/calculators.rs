//! Calculators that no table can have.

use pillowtop::CouchDocument;
use pillowtop_fluff::{Calculator, Emitter, Fluff, Reduce, dated, undated};

#[derive(serde::Deserialize, CouchDocument)]
#[couch(doc_type = "Case")]
struct Case {
    domain: String,
}

struct Windowless;

impl Calculator for Windowless {
    type Document = Case;
    const EMITTERS: &'static [&'static [Emitter<Case>]] = &[&[dated("total", Reduce::Sum).integers(|_: &Case, _| {})]];
}

#[derive(Fluff)]
#[fluff(name = "windowless", document = Case, mapping = unchecked)]
struct First {
    #[fluff(calculator)]
    visits: Windowless,
}

struct Empty;

impl Calculator for Empty {
    type Document = Case;
    const EMITTERS: &'static [&'static [Emitter<Case>]] = &[&[]];
}

#[derive(Fluff)]
#[fluff(name = "empty", document = Case, mapping = unchecked)]
struct Second {
    #[fluff(calculator)]
    visits: Empty,
}

fn main() {}
