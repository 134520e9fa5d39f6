//! Files of bulk requests: what would be sent to a server, for a server that cannot be reached from
//! here, or for a later day.
//!
//! ```text
//! <directory>/<alias>_<hash>_1/bulks/bulk-0000000001.ndjson  whole files only, numbered in order
//! <directory>/<alias>_<hash>_1/claims/                       who writes, and how far it is
//! <directory>/<alias>_<hash>_1/dead-letters/                 one JSON file for each document that could not be written
//! ```
//!
//! A file is the body of one request, whose path names the index:
//!
//! ```text
//! curl -H 'content-type: application/x-ndjson' --data-binary @bulk-0000000001.ndjson http://localhost:9200/cases/_bulk
//! ```
//!
//! Documents of a pillow with a routing have their routing value in their lines, and deletions have
//! none: such files are for an index of one shard that requires none.
//!
//! Every line has an external version, so files may be replayed twice and in any order: an older
//! write of a document is refused (409) and may be ignored, as may the delete of a missing document
//! (404). This holds for deletes as long as the index remembers them, which is `index.gc_deletes`,
//! 60 s by default: files that are replayed out of order need a longer time there. A file may be
//! removed once it was replayed; its number is not used again.

mod files;

mod target;

mod destination;

#[cfg(test)]
mod tests;

pub use destination::{NdjsonDestination, NdjsonOptions};
pub use target::NdjsonTarget;
