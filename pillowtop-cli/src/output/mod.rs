//! What people and scripts read: data on standard output, talk on standard error.

mod progress;
mod table;
mod talk;

pub(crate) use progress::{Progress, Summary};
pub(crate) use table::{Align, Table};
pub(crate) use talk::{Streams, Talk, Verbosity};
