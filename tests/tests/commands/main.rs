//! The commands that a user runs, on the real servers that `cargo xtask test` has started.

mod stub;
mod support;

mod again;
mod bad_input;
mod crash;
mod service;
mod whole_way;
