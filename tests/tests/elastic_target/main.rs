//! The Elasticsearch target on a real server: what is promised of claims, fences, versions and
//! responses, seen from outside.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod claims;
mod control;
mod dead_letters;
mod extend;
mod gate;
mod indices;
mod limits;
mod proxy;
mod replayed;
mod retries;
mod routing;
mod shards;
mod world;
mod writing;
