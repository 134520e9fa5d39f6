//! The embedded index: a directory of this machine, created from the same mapping as an index of a
//! cluster.
//!
//! ```text
//! <directory>/<alias>_<hash>_1/index/         the search library's files, and the uuid of the index
//! <directory>/<alias>_<hash>_1/claims/        who writes, and how far it is
//! <directory>/<alias>_<hash>_1/dead-letters/  one JSON file for each document that could not be indexed
//! ```
//!
//! Documents are rejected by the rules of `pillowtop-conformance`: those of Elasticsearch 8.14, or
//! of `OpenSearch` 3.6 for a mapping that has types of its own. Where it is not known what the
//! server does, a document is accepted. What is missing:
//!
//! | mapping | here |
//! |---|---|
//! | `dynamic: true`, `runtime`, dynamic templates | kept in `_source`, not searched |
//! | `nested` | searched as if its objects' values were the parent's |
//! | `date` in formats with week years, zone names or eras | not searched |
//! | types not in the list below | kept in `_source`, not searched |
//! | analyzers, filters and normalizers that are not supported | `standard`, or left out (see `analysis.rs`) |
//! | scores | comparable within a search, not with those of a cluster |
//!
//! Searched are: `text`, `match_only_text`, `search_as_you_type`, `annotated_text`, `keyword`,
//! `constant_keyword`, `wildcard`, `version`, the whole and floating numbers, `boolean`, `date`,
//! `date_nanos`, `ip`, `flattened`, `alias`, objects, multi-fields and `copy_to`.

mod error;
mod tokenizer;

mod analysis;

mod mapping;

mod value;

mod directory;
mod document;
mod query;

mod reader;

mod read_back;

mod target;

mod destination;

#[cfg(test)]
mod tests;

pub use destination::{EmbeddedDestination, EmbeddedOptions};
pub use error::EmbeddedError;
pub use reader::{EmbeddedReader, Hit, SearchResult};
pub use target::EmbeddedTarget;
