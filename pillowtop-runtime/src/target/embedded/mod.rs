//! The embedded index: a directory of this machine, created from the same mapping as an index of a cluster.
//!
//! ```text
//! <directory>/<alias>_<hash>_1/index/         the search library's files, and the uuid of the index
//! <directory>/<alias>_<hash>_1/claims/        who writes, and how far it is
//! <directory>/<alias>_<hash>_1/dead-letters/  one JSON file for each document that could not be indexed
//! ```
//!
//! Values are checked by type as Elasticsearch checks them, with its names for the errors. Where products differ, one is followed:
//! negative epochs and points in `GeoJSON` fit as in newer versions, an object is not a malformed number that could be left out, and
//! an `unsigned_long` has no fraction. What is missing:
//!
//! | mapping | here |
//! |---|---|
//! | `dynamic: true`, `runtime`, dynamic templates | as `false`: kept in `_source`, not searched |
//! | `nested` | searched as if its objects' values were the parent's |
//! | `geo_point` | checked, not searched |
//! | `date` in formats with week years, zone names or eras | not checked, not searched |
//! | types not in the list below | kept in `_source`, neither checked nor searched |
//! | analyzers, filters and normalizers that are not supported | `standard`, or left out (see `analysis.rs`) |
//! | scores | comparable within a search, not with those of a cluster |
//!
//! Checked and searched are: `text`, `match_only_text`, `search_as_you_type`, `annotated_text`, `keyword`, `constant_keyword`,
//! `wildcard`, `version`, the whole and floating numbers, `boolean`, `date`, `date_nanos`, `ip`, `flattened`, `alias`, objects,
//! multi-fields and `copy_to`.

mod error;

mod analysis;
mod tokenizer;

mod json;
mod mapping;
mod value;

mod document;
mod query;

mod directory;
mod reader;
mod target;

mod destination;

#[cfg(test)]
mod tests;

pub use destination::{EmbeddedDestination, EmbeddedOptions};
pub use error::EmbeddedError;
pub use reader::{EmbeddedReader, Hit, SearchResult};
pub use target::EmbeddedTarget;
