//! The embedded index: a folder of this machine, made from the same mapping that a cluster gets.
//!
//! ```text
//! <folder>/<alias>_<hash>_1/index/         the search library's files; each commit has documents and checkpoint
//! <folder>/<alias>_<hash>_1/dead-letters/  one JSON file for each document that could not be indexed
//! ```
//!
//! Values are checked by type as Elasticsearch checks them, with its names for the errors. Where products differ, one is followed:
//! negative epochs and points in `GeoJSON` fit as in newer versions, an object is no malformed number that could be left out, and
//! an `unsigned_long` has no fraction. What is less:
//!
//! | mapping | here |
//! |---|---|
//! | `dynamic: true`, `runtime`, dynamic templates | as `false`: kept in `_source`, not searched |
//! | `nested` | searched as if its objects' values were the parent's |
//! | `geo_point` | checked, not searched |
//! | `date` in formats with week years, zone names or eras | not checked, not searched |
//! | types not in the list below | kept in `_source`, neither checked nor searched |
//! | analyzers, filters and normalizers that are not known | `standard`, or left out (see `analysis.rs`) |
//! | scores | comparable within a search, not with those of a cluster |
//!
//! Checked and searched are: `text`, `match_only_text`, `search_as_you_type`, `annotated_text`, `keyword`, `constant_keyword`,
//! `wildcard`, `version`, the whole and floating numbers, `boolean`, `date`, `date_nanos`, `ip`, `flattened`, `alias`, objects,
//! multi-fields and `copy_to`.

mod error;

mod analysis;
mod tokenizer;

mod document;
mod mapping;
mod query;
mod value;

mod folder;
mod index;
mod letters;
mod reader;
mod sink;

#[cfg(test)]
mod tests;

pub use error::EmbeddedError;
pub use index::{EmbeddedIndex, EmbeddedOptions};
pub use reader::{EmbeddedReader, Hit, SearchResult};
