//! A simulated world for tests: a database with copies that lag, indices with fences and external
//! versions, claim stores in memory, and processes that die. Time is tokio's, so minutes pass in
//! milliseconds.

mod gauge;

mod database;
mod index;
mod note;
mod process;
mod reading;
mod store;

mod apart;
mod catching_up;
mod immutable_filter;
mod local_targets;
mod lookups;
mod ranges;
mod routing;
mod tests;
mod touching;
mod verifying;

pub(crate) use database::FakeDatabase;
pub(crate) use gauge::Gauge;
pub(crate) use index::{FakeDestination, FakeIndex};
pub(crate) use note::{PANICS, POISON, REFUSED, UNKNOWN, note_pillow};
pub(crate) use store::MemoryStore;
