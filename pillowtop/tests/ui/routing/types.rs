//! A routing value is a string.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "number", alias = "numbers", routing = self.household.number, mapping = unchecked)]
struct Number {
    household: Option<Household>,
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Household {
    number: u32,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "function", alias = "functions", routing = Function::routing, mapping = unchecked)]
struct Function {
    number: u32,
}

impl Function {
    fn routing(&self) -> u32 {
        self.number
    }
}

fn main() {}
