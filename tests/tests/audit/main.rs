//! What `conformance` says of documents, against what a real server does with the same documents.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod cases;
mod server;

mod documents;
mod dynamic;
mod fields;
mod generated;
