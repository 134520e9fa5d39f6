//! Follows the changes of CouchDB databases through pillows into indices, and loses nothing.
//!
//! A [`source`] gives rows; a [`reader`] hands them to every [`member`] that stands at its
//! position; a member decides, queues the operations in lanes, writes bulks to a [`target`] and
//! saves how far everything is acknowledged in its [`claim`]. [`mod@service`] runs the members of a
//! service, [`reindex`] builds an index, [`verify`] compares one with its database.

pub mod backoff;
pub mod operation;

mod files;
pub mod panic_message;
mod pattern;
mod unique_id;

pub mod clock;
pub mod dead_letter;

pub mod claim;

pub mod scan;

pub mod index_id;

pub mod row;

pub mod retry;

pub mod http;

pub mod source;

pub mod caught_up;

pub mod request;

pub mod reader;

pub mod target;

pub mod member;

mod inbox;

pub mod engine;

pub mod hint;

pub mod service;

pub mod touch;

pub mod reindex;

pub mod verify;

#[cfg(test)]
mod testing;

pub use dead_letter::{DeadLetter, DeadLetterStore};
pub use operation::{Action, Operation, Version};
pub use target::{Outcome, Target, WriteError};
