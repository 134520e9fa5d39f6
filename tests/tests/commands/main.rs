//! The commands that a user runs, on the real servers that `cargo xtask test` has started.

mod service;
mod support;

mod bad_input;
mod crash;
mod whole_way;
