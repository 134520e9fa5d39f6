//! Drift in a workspace of a user's own: the compiler, the test of one line and `make-mapping
//! --check` say the same, and crates that share a directory of mappings leave each other's files
//! alone. A crate of documents also builds outside its workspace.

mod crates;
mod elsewhere;
mod places;
mod workspace;
