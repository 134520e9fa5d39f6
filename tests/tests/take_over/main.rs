//! A mapping that exists, taken over: a struct is written of it and compiled, and derives the same
//! mapping.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod audited;
mod built;
mod every_type;
mod live;
mod mappings;
mod round_trip;
