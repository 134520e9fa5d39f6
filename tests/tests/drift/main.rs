//! Drift in a workspace of a user's own: the compiler, the test of one line and `make-mapping
//! --check` say the same, and crates that share a directory of mappings leave each other's files
//! alone.

mod crates;
mod places;
mod workspace;
