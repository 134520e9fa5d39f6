//! Compares what pillowtop says of mappings, settings and documents with what real servers do with
//! them, over generated cases. The command is `cargo xtask conformance`; `tests/tests/conformance`
//! runs some cases of the same code.
//!
//! Here is also what the table of field types does not say of itself ([`exceptions`], [`homes`],
//! [`samples`]), which `tests/tests/field_types` uses too.

mod error;

pub mod exceptions;
pub mod homes;
pub mod samples;
pub mod server;

mod draw;

mod documents;
mod fields;
mod settings;

mod roots;

mod check;
mod shrink;

mod run;

pub use check::{Counts, Difference, Direction, compare};
pub use documents::{Document, values};
pub use error::ConformanceError;
pub use roots::Body;
pub use run::{Disagreement, Options, Outcome, run};
pub use server::{Done, Server};
