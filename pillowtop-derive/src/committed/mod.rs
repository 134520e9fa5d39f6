//! The committed mapping of a pillow: where it is, and what it says.

mod locate;
mod state;

pub(crate) use locate::{Crate, Location};
pub(crate) use state::{State, state};
