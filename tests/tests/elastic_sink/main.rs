//! The cluster sink on a real server: what is promised of leases, fences, versions and answers, seen from outside.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod indices;
mod leases;
mod letters;
mod limits;
mod world;
mod writing;
