//! The commands that a user runs, on the real servers that `cargo xtask test` has started.

mod support;

mod bad_input;
mod crash;
mod handing_over;
mod whole_way;
