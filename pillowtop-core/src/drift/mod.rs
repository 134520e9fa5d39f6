//! How a committed mapping stands to its struct: the states and their words, which the compiler,
//! `make-mapping --check` and the test `assert_committed` share.

mod location;

mod orphans;
mod state;

mod finding;

pub use finding::{Finding, finding, report, samples_finding};
pub use location::{help_for_missing, levels, path};
pub use orphans::{orphans, orphans_of_crate};
pub use state::{State, rust_name, state};
