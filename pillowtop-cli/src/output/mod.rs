//! What people and scripts read: data on standard output, talk on standard error.

use std::fmt;

mod progress;
mod table;
mod talk;

pub(crate) use progress::{Progress, Summary};
pub(crate) use table::{Align, Table};
pub(crate) use talk::{Streams, Talk, Verbosity};

/// `1 document`, `2 documents`.
pub(crate) fn counted<N: fmt::Display + PartialEq + From<u8> + Copy>(number: N, name: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {name}{ending}")
}
