//! The commands that a user runs, on the real servers that `cargo xtask test` has started.

mod stub;
#[expect(dead_code, reason = "a part of it is for the tests of `engine`")]
mod support;

mod again;
mod bad_input;
mod crash;
mod loads;
mod operate;
mod service;
mod tables;
mod whole_way;
