//! What pillowtop knows without doing any I/O: the mapping tree that the derives build, its
//! fingerprint and content hash, the committed mapping file, and the traits that connect a user's
//! structs with the runtime.
//!
//! The same code runs in three places: natively inside the derives, in const evaluation of the code
//! they generate (only [`fingerprint`], [`requirement`], [`tree`] and [`unmet`]), and at run time.
//! Users link the facade crate `pillowtop`, which re-exports this one.

#[doc(hidden)]
pub mod edit_distance;

pub mod canonical;
pub mod field_types;
pub mod fingerprint;
#[doc(hidden)]
pub mod message;
pub mod name;
pub mod origin;
pub mod rename;

pub mod analysis;

pub mod date;
pub mod lenient;
pub mod references;
pub mod requirement;
pub mod tree;

pub mod settings;
pub mod unmet;

pub mod cow_str;
pub mod limits;

pub mod creation;

pub mod filter;
pub mod index_field;
pub mod raw_json;

pub mod document;
pub mod lookup;

pub mod pillow;
pub mod routing;

pub mod definition;
pub mod table_definition;

pub mod committed;

mod bytes;
pub mod decode;
pub mod normal_form;

pub mod diff;

pub mod source;

pub mod registry;

pub mod samples;

pub mod drift;

pub use committed::{CommittedFile, CommittedFileError};
pub use cow_str::CowStr;
pub use definition::{ContentHash, Definition};
pub use document::{ChangeMeta, CouchDocument, DocumentInfo};
pub use fingerprint::Fingerprint;
pub use index_field::{IndexField, IndexObject};
pub use lookup::{Fetched, Found, Lookup, LookupError, LookupOptions};
pub use name::{AliasName, DatabaseName, DocumentId, IndexName, PillowName, Revision, Sequence};
pub use origin::{Decided, Origin};
pub use pillow::{Committed, Pillow, PillowInfo};
pub use raw_json::{RawJson, RawObject};
pub use registry::{AnyPillow, ProcessError, Registry, RegistryError, Verdict};
pub use tree::{Field, Member, Object, Parameter};
