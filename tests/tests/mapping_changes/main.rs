//! The classes of a diff on a real server: what is called additive is accepted by `PUT _mapping` on
//! a live index, and a parameter that is declared to be fixed is refused.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod classes;
mod parameters;
mod samples;
mod server;
mod structures;
